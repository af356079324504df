import sys

import pytest

from envsmith.console.terminal import LockProgress


def work(progress: LockProgress) -> None:
    with progress as heard:
        heard.started("cu128/cp312", "resolving")
        heard.ended("cu128/cp312", 1.25, "33 packages")


def test_pipe_gets_a_line_at_each_end(capfd: pytest.CaptureFixture[str]) -> None:
    work(LockProgress(quiet=False))
    shown = capfd.readouterr()
    assert shown.out == ""
    assert shown.err == "cu128/cp312  33 packages  1.2 s\n"


def test_quiet_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    work(LockProgress(quiet=True))
    assert capfd.readouterr() == ("", "")


def test_terminal_gets_a_live_line(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    work(LockProgress(quiet=False))
    shown = capfd.readouterr()
    assert shown.out == ""
    assert "33 packages" not in shown.err
