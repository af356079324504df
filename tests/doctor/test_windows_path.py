"""By a fake of Python's ``winreg``: none of this was run on Windows."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from envsmith.doctor.windows_path import RegistryPaths, SearchPath, registry_paths
from envsmith.errors import HostError
from tests.host.fake_winreg import FakeWinreg, text_of, with_paths

USER = r"%USERPROFILE%\bin;D:\größe\.venv\Scripts"


def paths(winreg: FakeWinreg, folder: Path) -> RegistryPaths:
    return RegistryPaths(winreg, folder, lambda: None)


def test_it_is_read_as_it_is_kept(tmp_path: Path) -> None:
    assert paths(with_paths(USER, r"C:\Windows"), tmp_path).read() == (
        SearchPath(scope="user", text=USER, kind=2),
        SearchPath(scope="machine", text=r"C:\Windows", kind=2),
    )
    assert paths(with_paths(machine="C:\\a", kind=1), tmp_path).read() == (
        SearchPath(scope="machine", text="C:\\a", kind=1),
    )
    assert paths(with_paths("not a text", kind=3), tmp_path).read() == ()
    assert paths(FakeWinreg(values={}), tmp_path).read() == ()


@pytest.mark.parametrize("kind", [1, 2])
def test_it_is_written_with_its_type(tmp_path: Path, kind: int) -> None:
    winreg = with_paths(USER, kind=kind)
    paths(winreg, tmp_path).write("user", r"%USERPROFILE%\bin", kind)
    assert text_of(winreg, "user") == (r"%USERPROFILE%\bin", kind)


def test_what_is_refused_is_told(tmp_path: Path) -> None:
    winreg = with_paths(USER, r"C:\Windows", protected=frozenset({"HKLM"}))
    found = paths(winreg, tmp_path)
    assert (found.may_write("user"), found.may_write("machine")) == (True, False)
    with pytest.raises(
        HostError, match=r"HST019: the machine's Path in the registry: .*Access is denied"
    ) as caught:
        found.write("machine", "", 2)
    assert "administrator" in caught.value.hint
    assert text_of(winreg, "machine") == (r"C:\Windows", 2)


def test_what_was_there_is_kept_as_regedit_reads_it(tmp_path: Path) -> None:
    found = paths(with_paths(), tmp_path / "kept")
    first, second = (found.backup(SearchPath(scope="user", text="ä;%A%", kind=2)) for _ in range(2))
    assert first != second
    data = first.read_bytes()
    assert data.startswith(b"\xff\xfe")
    assert data.decode("utf-16").split("\r\n") == [
        "Windows Registry Editor Version 5.00",
        "",
        r"[HKEY_CURRENT_USER\Environment]",
        '"Path"=hex(2):e4,00,3b,00,25,00,41,00,25,00,00,00',
        "",
    ]
    plain = (
        found.backup(SearchPath(scope="machine", text=r'C:\a;"C:\b c"', kind=1)).read_bytes().decode("utf-16")
    )
    assert r"[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Session Manager\Environment]" in plain
    assert r'"Path"="C:\\a;\"C:\\b c\""' in plain


def test_running_programs_are_told(tmp_path: Path) -> None:
    told: list[str] = []
    RegistryPaths(with_paths(), tmp_path, lambda: told.append("all")).announce()
    assert told == ["all"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has a registry")
def test_other_systems_have_none(tmp_path: Path) -> None:
    assert registry_paths(tmp_path) is None
