from pathlib import Path

import pytest

from envsmith.adapters import files, import_time
from envsmith.adapters.hashing import Downloads, NoDownloads
from envsmith.adapters.kept_files import KeptFiles
from envsmith.adapters.process import Processes
from envsmith.adapters.sdists import SdistReader
from envsmith.adapters.uv import Uv, find_uv
from envsmith.adapters.wheel_contents import WheelReader
from envsmith.adapters.wheel_requires import RequiresReader
from envsmith.ports import (
    Files,
    Hasher,
    ImportTime,
    Progress,
    Resolver,
    Sdists,
    Silence,
    WheelContents,
    WheelRequires,
)


def test_silence_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    silence: Progress = Silence()
    silence.started("cu128", "resolving")
    silence.ended("cu128", 1.0, "33 packages")
    assert capsys.readouterr() == ("", "")


def test_adapters_fill_the_ports() -> None:
    # mypy judges the types; here each is seen to have what its port names.
    filled: tuple[tuple[type, object], ...] = (
        (Resolver, Uv(Processes(), executable=find_uv(), slices=find_uv().parent)),
        (Sdists, SdistReader()),
        (Hasher, Downloads(Silence(), KeptFiles(Path("kept")))),
        (Hasher, NoDownloads()),
        (Files, files),
        (WheelRequires, RequiresReader(find_uv().parent)),
        (ImportTime, import_time),
        (WheelContents, WheelReader(find_uv().parent)),
    )
    for port, adapter in filled:
        for name in vars(port):
            if not name.startswith("_"):
                assert callable(getattr(adapter, name)), f"{port.__name__}.{name}"
