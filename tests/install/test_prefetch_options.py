"""When files are gathered beforehand; what comes of it is in tests/install."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from envsmith.download.record import FetchedFile
from envsmith.download.transfer_progress import warn_unused_rewrites
from envsmith.download.wheelhouse import TransferListener
from envsmith.errors import ToolError
from envsmith.install.prefetch import PrefetchProgress, prefetcher_of
from tests.fakes import SilentProgress
from tests.wheelhouses import FakeListener, artifact

MIRROR = ("https://a.example=https://m.example",)


@pytest.mark.parametrize(
    ("wheelhouse", "rewrites", "offline", "is_gathered"),
    [
        ("", (), False, False),
        ("house", (), True, False),
        ("file:///mnt/house", (), False, False),
        ("https://files.example/house", (), False, True),
        ("http://files.example/house", (), True, True),
        ("", MIRROR, False, True),
        ("", MIRROR, True, False),
        ("house", MIRROR, False, False),
    ],
)
def test_when_files_are_gathered(
    project: Path, wheelhouse: str, rewrites: tuple[str, ...], *, offline: bool, is_gathered: bool
) -> None:
    assert project.is_dir()
    options = {"wheelhouse": wheelhouse, "rewrites": rewrites, "offline": offline}
    assert (prefetcher_of(options, FakeListener()) is not None) == is_gathered


@pytest.mark.usefixtures("project")
def test_an_address_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(click.UsageError, match="not ftp://"):
        prefetcher_of({"wheelhouse": "ftp://files.example", "rewrites": (), "offline": False}, FakeListener())


def test_a_rewrite_that_changes_nothing_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    item = artifact("https://a.example/whl/one-1-py3-none-any.whl", b"one")
    warn_unused_rewrites((*MIRROR, "https://else.example=https://m.example"), [item])
    said = capfd.readouterr().err
    assert "no needed file is below https://else.example" in " ".join(said.split())
    assert "a.example" not in said


def test_files_are_told_as_the_rest_of_the_install_is() -> None:
    said: list[tuple[str, ...]] = []

    class Remembering(SilentProgress):
        def started(self, subject: str, doing: str) -> None:
            said.append((subject, doing))

        def ended(self, subject: str, seconds: float, summary: str) -> None:
            said.append((subject, f"{seconds:.1f}", summary))

    told: TransferListener = PrefetchProgress(Remembering())
    told.planned(2, 5000, is_exact=True)
    told.moved("a", 3000)
    told.moved("a", -1000)
    told.waiting("b")
    told.ended(FetchedFile(filename="a", size_bytes=2000, source="fetched", seconds=1.5))
    told.ended(FetchedFile(filename="c", size_bytes=2000, source="held"))
    told.failed("b", ToolError("TOL047", "gone"))
    assert said == [
        ("a", "downloading: 3.0 kB"),
        ("a", "downloading: 2.0 kB"),
        ("b", "waiting: another process is downloading it"),
        ("a", "1.5", "2.0 kB"),
    ]
