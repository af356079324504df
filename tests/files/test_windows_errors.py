"""What Windows refuses, played on any system by errors with its numbers."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from envsmith.errors import InstallError
from envsmith.files import atomic, os_errors, own_folder
from envsmith.model.windows_errors import KNOWN
from envsmith.process.runner import start_error


def refused(number: int, of_c: int = errno.EINVAL) -> OSError:
    """An error as Windows raises it, with a text in the user's language."""
    error = OSError(of_c, "액세스가 거부되었습니다", "C:\\project\\.venv")
    error.winerror = number  # type: ignore[attr-defined,unused-ignore]
    return error


@pytest.mark.parametrize(
    ("number", "code", "reason", "hint"),
    [
        (112, "ENV021", "the disk is full: there is not enough space", "free disk space"),
        (39, "ENV021", "the disk is full: there is not enough space", "free disk space"),
        (32, "ENV024", "cannot write: another program has the file open", "antivirus"),
        (5, "ENV024", "cannot write: access is denied", "close programs"),
        (206, "ENV024", "cannot write: the path is too long", "doctor lengths"),
        (1455, "ENV024", "cannot write: the paging file is too small", "paging file"),
        (225, "ENV024", "cannot write: antivirus software blocked the file", "protection history"),
    ],
)
def test_errors_of_windows_are_told_in_english(number: int, code: str, reason: str, hint: str) -> None:
    with pytest.raises(InstallError) as caught, os_errors.environment_errors(Path("x")):
        raise refused(number)
    assert (caught.value.code, caught.value.where) == (code, "C:\\project\\.venv")
    assert caught.value.message.startswith(reason)
    assert hint in caught.value.hint


def test_a_program_that_antivirus_software_blocks_is_told_so() -> None:
    error = start_error("uv.exe", refused(225))
    assert (error.code, error.message) == ("TOL001", "cannot start: antivirus software blocked the file")
    assert error.hint == KNOWN[225][1]


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int, int], list[str]]:
    """Refuse the first calls of a function of `os`, as while another program has a file open."""
    calls: list[str] = []

    def refuse(name: str, number: int, times: int) -> list[str]:
        real = getattr(os, name)

        def function(*arguments: str | Path, **options: int) -> object:
            calls.append(Path(arguments[0]).name)
            if len(calls) <= times:
                raise refused(number, errno.EACCES)
            return real(*arguments, **options)

        monkeypatch.setattr(os, name, function)
        return calls

    return refuse


@pytest.mark.parametrize("number", [5, 32])
def test_a_file_that_is_open_for_a_moment_is_replaced(
    tmp_path: Path, held: Callable[[str, int, int], list[str]], number: int
) -> None:
    held("replace", number, 3)
    atomic.write_atomic(tmp_path / "one", "1")
    assert (tmp_path / "one").read_bytes() == b"1"
    atomic.write_files(tmp_path / "set", {"a": b"a", "b": b"b"})
    assert atomic.read_files(tmp_path / "set") == {"a": b"a", "b": b"b"}


def test_a_set_of_files_is_written_although_its_files_are_open(
    tmp_path: Path, held: Callable[[str, int, int], list[str]]
) -> None:
    calls = held("replace", 32, 3)
    atomic.write_files(tmp_path, {"a": b"a"})
    assert (tmp_path / "a").read_bytes() == b"a"
    assert len(calls) == 3 + 2  # journal and file


def test_a_file_that_stays_open_is_an_error_after_a_second(
    tmp_path: Path, held: Callable[[str, int, int], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os_errors, "_RETRY_S", 0.2)
    calls = held("replace", 32, 1000)
    with pytest.raises(OSError, match="액세스"):
        atomic.write_atomic(tmp_path / "one", "1")
    assert len(calls) > 2
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", [112, 0])
def test_other_errors_are_not_tried_again(
    tmp_path: Path, held: Callable[[str, int, int], list[str]], number: int
) -> None:
    calls = held("replace", number, 1)
    with pytest.raises(OSError, match="액세스"):
        atomic.write_atomic(tmp_path / "one", "1")
    assert len(calls) == 1


def test_read_only_files_are_removed_where_their_own_mode_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.unlink

    def unlink(path: str | Path, *, dir_fd: int | None = None) -> None:
        if not os.stat(path, dir_fd=dir_fd, follow_symlinks=False).st_mode & stat.S_IWRITE:
            raise refused(5, errno.EACCES)
        real(path, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", unlink)
    monkeypatch.setattr(own_folder, "_IS_WINDOWS", True)
    for name in ("envsmith-made", "inner/file"):
        file = tmp_path / "outer" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        file.chmod(0o400)
    own_folder.remove_folder(tmp_path / "outer", "envsmith-made")
    assert not (tmp_path / "outer").exists()
