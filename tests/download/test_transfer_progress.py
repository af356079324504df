from __future__ import annotations

import sys

import pytest

from envsmith.download.record import FetchedFile
from envsmith.download.transfer_progress import TransferProgress
from envsmith.errors import ToolError


def work(progress: TransferProgress, *, is_exact: bool = True) -> None:
    with progress as listener:
        listener.planned(3, 5_000_000, is_exact=is_exact)
        listener.moved("torch-1.whl", 3_000_000)
        listener.moved("torch-1.whl", -1_000_000)
        listener.ended(
            FetchedFile(filename="torch-1.whl", size_bytes=4_000_000, source="fetched", seconds=2.0)
        )
        listener.ended(FetchedFile(filename="old-1.whl", size_bytes=5, source="held"))
        listener.waiting("numpy-1.whl")
        listener.ended(FetchedFile(filename="numpy-1.whl", size_bytes=1500, source="shared"))
        listener.failed("sympy-1.whl", ToolError("TOL047", "the server answered 404"))


def test_pipe_gets_a_line_as_each_ends(capfd: pytest.CaptureFixture[str]) -> None:
    work(TransferProgress(quiet=False))
    shown = capfd.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines() == [
        "download  3 files · 5.0 MB",
        "torch-1.whl  4.0 MB  2.0 s  2.0 MB/s",
        "numpy-1.whl  waiting: another process is downloading it",
        "numpy-1.whl  1.5 kB  downloaded by another process",
        "sympy-1.whl  failed: the server answered 404",
    ]


def test_sizes_that_are_not_known_are_not_counted(capfd: pytest.CaptureFixture[str]) -> None:
    work(TransferProgress(quiet=False), is_exact=False)
    assert "download  3 files · 5.0 MB or more" in capfd.readouterr().err


def test_quiet_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    work(TransferProgress(quiet=True))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("is_exact", [True, False])
def test_terminal_gets_bars(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *, is_exact: bool
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    work(TransferProgress(quiet=False), is_exact=is_exact)
    shown = capfd.readouterr()
    assert shown.out == ""
    assert "waiting" not in shown.err
