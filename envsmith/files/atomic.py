"""Writes sets of files so that after any interruption the old set or the new one is there, whole.

Each file is written beside its place first; a journal then names what is to be renamed; then the renames
happen, and the journal goes. Before the journal is there the old set counts, from then on the new one:
`recover` ends what a killed process had begun.


Folders and files of environments: written whole, removed whatever their modes, refusals told.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from envsmith.errors import InstallError, ToolError
from envsmith.files.locks import alone

_OURS = ".envsmith-"
_NEW = ".envsmith-new-"
_JOURNAL = ".envsmith-journal"
_JOURNAL_NEW = ".envsmith-journal-new"
_FORM = 1
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write_files(folder: Path, files: Mapping[str, bytes], *, remove: Collection[str] = ()) -> tuple[str, ...]:
    """Write a set of files into a folder, all or none.

    Args:
        folder: made if it is not there.
        files: plain file name → content.
        remove: plain names of files that belong to the set no more.

    Returns:
        The names whose content changed, sorted; files that hold their content already are left untouched.

    Raises:
        ToolError: TOL011 when the disk is full, TOL013 when the system refuses, all files as before;
            TOL014 when a name is no plain file name, TOL015 when an earlier journal is damaged.
    """
    _check_names([*files, *remove])
    with _refusals(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with alone(folder):
            _finish(folder)
            change = _Change(
                replace=tuple(sorted(name for name in files if _differs(folder / name, files[name]))),
                remove=tuple(sorted(name for name in set(remove) - set(files) if (folder / name).exists())),
            )
            if change.replace or change.remove:
                _prepare(folder, change, files)
                _roll_forward(folder, change)
    return change.replace


def read_files(folder: Path) -> dict[str, bytes]:
    """Read all files of a folder as one set, never in the middle of a change.

    Returns:
        Name → content, sorted by name; empty where there is no folder. Folders inside are left out.

    Raises:
        ToolError: as `recover`.
    """
    if not folder.is_dir():
        return {}
    with _refusals(folder), alone(folder):
        _finish(folder)
        paths = sorted(path for path in folder.iterdir() if not path.name.startswith(_OURS))
        return {path.name: path.read_bytes() for path in paths if path.is_file()}


def recover(folder: Path) -> None:
    """End what a killed process had begun in a folder: a complete journal is carried out, other leftovers go.

    Raises:
        ToolError: TOL015 when the journal is damaged, TOL013 when the system refuses.
    """
    if folder.is_dir() and any(path.name.startswith(_OURS) for path in folder.iterdir()):
        with _refusals(folder), alone(folder):
            _finish(folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """What a journal says."""

    replace: tuple[str, ...]
    remove: tuple[str, ...]

    @classmethod
    def parse(cls, data: bytes, where: Path) -> _Change:
        try:
            values = _expect_form(json.loads(data))
            change = cls(replace=tuple(map(str, values["replace"])), remove=tuple(map(str, values["remove"])))
            _check_names([*change.replace, *change.remove])
        except (ValueError, KeyError, TypeError, RecursionError, ToolError) as error:
            raise ToolError(
                "TOL015",
                "the journal of an interrupted write is damaged",
                where=str(where),
                hint="delete this file, then write the folder anew with `envsmith lock`",
            ) from error
        return change

    def to_json(self) -> bytes:
        return json.dumps({"form": _FORM, "replace": self.replace, "remove": self.remove}).encode()


def _expect_form(values: dict[str, Any]) -> dict[str, Any]:
    if values["form"] != _FORM:
        raise ValueError(values["form"])
    return values


def _prepare(folder: Path, change: _Change, files: Mapping[str, bytes]) -> None:
    """Write the new files beside their places, then the journal; take all of it back when that fails."""
    try:
        for name in change.replace:
            _create(folder / (_NEW + name), files[name], folder / name)
        _create(folder / _JOURNAL_NEW, change.to_json(), folder / _JOURNAL)
        (folder / _JOURNAL_NEW).replace(folder / _JOURNAL)
        settle_folder(folder)
    except BaseException:
        (folder / _JOURNAL).unlink(missing_ok=True)
        _sweep(folder)
        raise


def _roll_forward(folder: Path, change: _Change) -> None:
    for name in change.replace:
        new = folder / (_NEW + name)
        if new.exists():  # else it was renamed before the interruption
            new.replace(folder / name)
    for name in change.remove:
        (folder / name).unlink(missing_ok=True)
    settle_folder(folder)
    (folder / _JOURNAL).unlink(missing_ok=True)


def _finish(folder: Path) -> None:
    journal = folder / _JOURNAL
    if journal.exists():
        _roll_forward(folder, _Change.parse(journal.read_bytes(), journal))
    _sweep(folder)


def _sweep(folder: Path) -> None:
    for path in list(folder.iterdir()):
        if path.name.startswith(_NEW) or path.name == _JOURNAL_NEW:
            path.unlink()


def _create(path: Path, data: bytes, stands_for: Path) -> None:
    """Write a new file and bring it to the disk; its mode is what the umask leaves of 0o666."""
    try:
        if stands_for.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        with path.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        error.filename = str(stands_for)
        raise


def settle_folder(folder: Path) -> None:
    """Bring a folder's own entries to the disk; Windows does that by itself."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _differs(path: Path, data: bytes) -> bool:
    if path.is_symlink() or not path.is_file() or path.stat().st_size != len(data):
        return True
    return path.read_bytes() != data


def _check_names(names: Collection[str]) -> None:
    for name in names:
        is_plain = (
            name and name not in (".", "..") and not set(name) & set('/\\:\0<>"|?*') and name.isprintable()
        )
        if not is_plain or name.startswith(_OURS):
            raise ToolError("TOL014", f"{name!r} is no plain file name", hint="name a file inside the folder")
    if len({name.casefold() for name in names}) != len(set(names)):
        raise ToolError(
            "TOL014",
            "two names differ only in capitals",
            hint="Windows and macOS would take them for one file",
        )


@contextmanager
def _refusals(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = str(error.filename2 or error.filename or folder)
        if error.errno in _FULL:
            raise ToolError(
                "TOL011", f"the disk is full: {error.strerror}", where=where, hint="make room, then try again"
            ) from error
        raise ToolError(
            "TOL013",
            f"the system refuses: {error.strerror or error}",
            where=where,
            hint="correct the permissions, or name another folder with -o",
        ) from error


def python_of(prefix: Path) -> Path:
    """Return where the interpreter of an environment lies.

    Those of conda on Windows have it at their root; a system's own may be called ``python3`` alone.
    """
    usual, other = ("Scripts/python.exe", "python.exe") if os.name == "nt" else ("bin/python", "bin/python3")
    is_other = not os.path.lexists(prefix / usual) and (prefix / other).exists()
    return prefix / (other if is_other else usual)


def utc_text() -> str:
    """Return the time, whole seconds, RFC 3339 with ``Z``."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@contextmanager
def refusals(place: Path) -> Iterator[None]:
    """Turn what the system refuses into an error that says so."""
    try:
        yield
    except OSError as error:
        where = str(error.filename2 or error.filename or place)
        if error.errno in _FULL:
            raise InstallError(
                "ENV021",
                f"the disk is full: {error.strerror}",
                where=where,
                hint="make room, then try again; what was current still is",
            ) from error
        raise InstallError(
            "ENV024",
            f"the system refuses: {error.strerror or error}",
            where=where,
            hint="correct the permissions, or name another place with --prefix; what was current still is",
        ) from error


def write_whole(place: Path, text: str) -> None:
    """Write a file that is there whole or not at all."""
    new = place.with_name(f"{place.name}.new")
    with new.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(place)


def remove_folder(path: Path) -> None:
    """Remove a folder and all in it, write-protected or not."""
    shutil.rmtree(path, onerror=_again)


def _again(remove: Callable[[str], object], path: str, _: object) -> None:
    """Remove what is write-protected all the same; what vanished meanwhile is removed."""
    with suppress(FileNotFoundError):
        Path(path).parent.chmod(0o700)
        remove(path)
