"""Folders and files of envsmith among those of others: link checks, marks, reads, removal, and ``site-packages``.

Project folders are not trusted: any name in them may be a link that leads elsewhere, a FIFO, or a folder of the user.
"""

from __future__ import annotations

import errno
import ntpath
import os
import re
import shutil
import stat
from contextlib import suppress
from pathlib import Path

from envsmith.errors import ToolError

MARK = "envsmith-made"
"""File in each folder that envsmith may remove, written before anything else; it contains the folder's first name."""
NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
"""Flag of `os.open`; 0 on Windows, which has none: `is_link` is asked before."""
_READ = os.O_RDONLY | NO_FOLLOW | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_MAX_BYTES = 5_000_000
_IS_WINDOWS = os.name == "nt"


def extended(path: Path | str, *, is_windows: bool = _IS_WINDOWS) -> str:
    r"""Return a path of Windows in the form ``\\?\C:\...``, which has no limit of 260 characters; else unchanged.

    A folder in this form yields paths in this form when it is walked.

    Source: Maximum Path Length Limitation, Microsoft Learn (read 2026-11-30).
    """
    text = os.fspath(path)
    if not is_windows or text.startswith(("\\\\?\\", "\\\\.\\")):
        return text
    text = ntpath.abspath(text)
    return f"\\\\?\\UNC{text[1:]}" if text.startswith("\\\\") else f"\\\\?\\{text}"


def is_link(path: Path | str) -> bool:
    """Return whether a path is a symbolic link, or a junction of Windows."""
    try:
        os.readlink(path)  # noqa: PTH115 - reads junctions as well, unlike `Path.is_symlink`
    except (OSError, ValueError):
        return False
    return True


def first_link(base: Path, path: Path) -> Path | None:
    """Return the first link on the way from a folder to a path below it, the path included; None without one.

    Args:
        base: not looked at itself.
        path: below it by its text, without ``..``.
    """
    for part in path.relative_to(base).parts:
        base /= part
        if is_link(base):
            return base
    return None


def read_own(path: Path) -> str:
    """Return the text of a file of envsmith; empty if it is missing, a link, or not a regular file.

    Raises:
        OSError: when it cannot be read for another reason.
    """
    if is_link(path):
        return ""
    try:
        handle = os.open(path, _READ)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return ""
        with open(handle, "rb", closefd=False) as stream:
            return stream.read(_MAX_BYTES).decode("utf-8", "replace")
    finally:
        os.close(handle)


def open_own(path: Path) -> int:
    """Open a file of envsmith to read it and write in place; create it if it is missing.

    Anything but a regular file without other names is removed first: writing would change a file elsewhere.

    Raises:
        OSError: as `os.open`; for a folder in its place.
    """
    with suppress(FileNotFoundError):
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
            path.unlink()
    return os.open(path, os.O_RDWR | os.O_CREAT | NO_FOLLOW | getattr(os, "O_BINARY", 0), 0o666)


def is_below(base: Path, path: Path) -> bool:
    """Return whether a path is a folder or below it by its text, wherever links in it lead."""
    return Path(os.path.abspath(path)).is_relative_to(os.path.abspath(base))  # noqa: PTH100 - resolves no links


def is_inside(base: Path, path: Path) -> bool:
    """Return whether no link leads out of a folder on the way to a path; also for one not below it by its text."""
    return not is_below(base, path) or Path(os.path.realpath(path)).is_relative_to(os.path.realpath(base))


def check_links(base: Path, path: Path) -> None:
    """Check that no link leads out of a project on the way to a path that is to be written.

    Args:
        base: the project.
        path: relative to the working directory, or absolute.

    Raises:
        ToolError: TOL019 for a link.
    """
    if not is_inside(base, path):
        raise ToolError(
            "TOL019",
            f"a link leads out of the project, to {os.path.realpath(path)}; nothing was written",
            where=str(path),
            hint="replace the link, or name the place that it leads to",
        )


def site_folders(prefix: Path) -> tuple[Path, ...]:
    """Return the ``site-packages`` of an environment: one, unless somebody made others; sorted."""
    return tuple(sorted((*prefix.glob("lib/python*/site-packages"), *prefix.glob("Lib/site-packages"))))


def make_marked(folder: Path, name: str) -> None:
    """Create a folder with a mark in it.

    Args:
        folder: must not exist.
        name: content of the mark.

    Raises:
        OSError: as for `mkdir` and `open`.
    """
    folder.mkdir(parents=True)
    with (folder / MARK).open("x", encoding="utf-8") as stream:
        stream.write(f"{name}\n")


def has_mark(folder: Path, name: str) -> bool:
    """Return whether a folder, not a link to one, has the mark of a name; one that cannot be read has none."""
    with suppress(OSError):
        return not is_link(folder) and read_own(folder / MARK).strip() == name
    return False


def remove_folder(path: Path, *last: str, first: tuple[str, ...] = ()) -> None:
    """Remove a folder with its content, write-protected or not; links in it are removed, never followed.

    Args:
        path: a folder, not a link.
        last: files in it to remove last, so that an interrupted removal can be recognised and completed.
        first: files to remove first; while one is left, so is everything else.

    Raises:
        OSError: the first failure, after everything else was removed; EBUSY, with nothing removed, where another file
            system is mounted in the folder.
    """
    _check_mounts(path)
    path = Path(extended(path))
    if _remove(path, first, last):
        # Imported here: `envsmith run` only reads.
        from envsmith.files.os_errors import retried

        _unprotect(path)
        retried(_remove_again, path, first, last)


def _remove_again(path: Path, first: tuple[str, ...], last: tuple[str, ...]) -> None:
    if failures := _remove(path, first, last):
        raise failures[0]


def _check_mounts(path: Path) -> None:
    """Check that no file system, nor a folder of the same one, is mounted in a folder; on Linux only.

    Source: proc_pid_mountinfo(5), Linux man-pages.
    """
    real = os.path.realpath(path)
    with suppress(FileNotFoundError), open("/proc/self/mountinfo", "rb") as stream:  # noqa: PTH123
        for line in stream:
            point = re.sub(rb"\\([0-7]{3})", lambda match: bytes([int(match[1], 8)]), line.split(b" ")[4])
            if os.fsdecode(point).startswith(f"{real}/"):
                raise OSError(errno.EBUSY, "a folder is mounted in it", str(path))


def _remove(path: Path, first: tuple[str, ...], last: tuple[str, ...]) -> list[OSError]:
    failures: list[OSError] = []
    stages = {**dict.fromkeys(first, 0), **dict.fromkeys(last, 2)}

    def keep(_function: object, _path: str, info: tuple[object, BaseException, object]) -> None:
        # A missing file was removed by another process meanwhile.
        if isinstance(info[1], OSError) and not isinstance(info[1], FileNotFoundError):
            failures.append(info[1])

    try:
        found = sorted((stages.get(entry.name, 1), entry.name, entry) for entry in os.scandir(path))
        reached = 0
        for stage, _, entry in found:
            if failures and stage > reached:
                return failures
            reached = stage
            if entry.is_dir(follow_symlinks=False) and not is_link(entry.path):
                shutil.rmtree(entry.path, onerror=keep)
            else:
                _unlink(entry.path, failures)
        if not failures:
            path.rmdir()
    except OSError as error:
        failures.append(error)
    return failures


def _unlink(path: str, failures: list[OSError]) -> None:
    try:
        Path(path).unlink(missing_ok=True)
    except OSError as error:
        failures.append(error)


def _unprotect(path: Path) -> None:
    """Allow the owner to change a folder and those in it; on Windows also files, whose removal asks for it."""
    with suppress(OSError):
        path.chmod(0o700)
    for folder, names, files in os.walk(path):
        # Python 3.11 lists junctions as folders, and would descend into them.
        names[:] = [name for name in names if not is_link(f"{folder}/{name}")]
        protected = (file for file in files if _IS_WINDOWS and not is_link(f"{folder}/{file}"))
        for name in (*names, *protected):
            with suppress(OSError):
                Path(folder, name).chmod(0o700)
