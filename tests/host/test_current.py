import platform
import re
import sys
import sysconfig
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from envsmith.errors import ToolError
from envsmith.host import current
from envsmith.host.current import utc_text


def test_this_python_runs_the_test() -> None:
    assert str(current.this_python()) == f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.mark.parametrize(
    ("system", "machine", "tag"),
    [
        ("linux", "x86_64", "manylinux_2_28_x86_64"),
        ("linux", "aarch64", "manylinux_2_28_aarch64"),
        ("darwin", "arm64", "macosx_14_0_arm64"),
        ("darwin", "x86_64", "macosx_14_0_x86_64"),
        ("win32", "win-amd64", "win_amd64"),  # also on a machine with ARM64
        ("win32", "win-arm64", "win_arm64"),
    ],
)
def test_platform(system: str, machine: str, tag: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(sysconfig, "get_platform", lambda: machine)
    assert str(current.this_platform()) == tag


def test_variables_are_those_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVSMITH_SEEN", "1")
    assert current.variables()["ENVSMITH_SEEN"] == "1"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps a folder that somebody works in")
def test_a_folder_that_is_gone_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    current.check_folder()
    folder.rmdir()
    with pytest.raises(ToolError, match="does not exist any more"):
        current.check_folder()


def test_times_are_written_in_utc() -> None:
    now = utc_text()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", now)
    assert utc_text(datetime.fromisoformat(now).astimezone(timezone(timedelta(hours=9)))) == now
