from pathlib import Path

import pytest

from envsmith.files import atomic
from envsmith.index.hashing import Downloads, FileCache, NoDownloads
from envsmith.index.remote_wheels import RequiresReader, WheelReader
from envsmith.index.sdist import SdistReader
from envsmith.model.progress import Progress
from envsmith.plan.ports import (
    Files,
    Hasher,
    Resolver,
    SdistMetadataReader,
    WheelContentsReader,
    WheelRequiresReader,
)
from envsmith.process.runner import Processes
from envsmith.uv.command import find_uv
from envsmith.uv.resolver import UvResolver
from tests.fakes import SilentProgress


def test_silence_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    silence: Progress = SilentProgress()
    silence.started("cu128", "resolving")
    silence.ended("cu128", 1.0, "33 packages")
    assert capsys.readouterr() == ("", "")


def test_adapters_fill_the_ports() -> None:
    # mypy judges the types; here each is seen to have what its port names.
    filled: tuple[tuple[type, object], ...] = (
        (Resolver, UvResolver(Processes(), executable=find_uv(), slices=find_uv().parent)),
        (SdistMetadataReader, SdistReader()),
        (Hasher, Downloads(SilentProgress(), FileCache(Path("kept")))),
        (Hasher, NoDownloads()),
        (Files, atomic),
        (WheelRequiresReader, RequiresReader(find_uv().parent)),
        (WheelContentsReader, WheelReader(find_uv().parent)),
    )
    for port, adapter in filled:
        for name in vars(port):
            if not name.startswith("_"):
                assert callable(getattr(adapter, name)), f"{port.__name__}.{name}"
