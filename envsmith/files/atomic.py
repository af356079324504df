"""Atomic writes of single files and of sets of files, and translated OS errors.

A set of files is written in three steps: the new files under temporary names, a journal that lists the renames, the
renames. Before the journal exists, the old set is valid; from then on the new one. `read_files` and `write_files`
complete the journal of a killed process first.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import get_ident
from typing import Any

from envsmith.errors import ToolError
from envsmith.files.locks import lock_directory
from envsmith.files.os_errors import lock_folder_errors, retried
from envsmith.files.own_folder import check_links, is_inside
from envsmith.files.text import is_missing, read_regular

_RESERVED = ".envsmith-"
_NEW = ".envsmith-new-"
_JOURNAL = ".envsmith-journal"
_JOURNAL_NEW = ".envsmith-journal-new"
_FORMAT_VERSION = 1
# Separators, and characters that Windows refuses in file names.
_FORBIDDEN = frozenset('/\\:\0<>"|?*')


def write_files(folder: Path, files: Mapping[str, bytes], *, remove: Collection[str] = ()) -> tuple[str, ...]:
    """Write a set of files into a folder, all or none.

    Args:
        folder: created if missing.
        files: plain file name → content.
        remove: plain names of files to remove.

    Returns:
        The names whose content changed, sorted; files with equal content are not touched.

    Raises:
        ToolError: TOL011 when the disk is full and TOL013 for any other OS error, all files unchanged; TOL014 for a
            name that is not a plain file name, TOL015 when an earlier journal is damaged, TOL019 when a link leads from
            the working directory to a folder outside.
    """
    _check_names([*files, *remove])
    check_links(Path(), folder)
    with lock_folder_errors(folder, "write"):
        folder.mkdir(parents=True, exist_ok=True)
        with lock_directory(folder):
            _recover(folder)
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
        Name → content, sorted by name, without subfolders and hidden files; empty if the folder does not exist.

    Raises:
        ToolError: TOL013 for an OS error, or a file that cannot be read; TOL015 when the journal of a killed process is
            damaged.
    """
    if is_missing(folder):
        return {}
    with lock_folder_errors(folder, "read"), lock_directory(folder, is_reader=True):
        if is_inside(Path(), folder):
            _recover(folder)
        paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        return {path.name: read_regular(path) for path in paths if not path.is_dir()}


def write_atomic(path: Path, text: str | bytes, *, is_cache: bool = False) -> None:
    """Write a file in one step: readers see the old or the new content.

    A link, or a file that has other names, is replaced; the file that it leads to is not changed.

    Args:
        path: the file, in an existing folder.
        text: its content.
        is_cache: whether it is of the user's cache: for the user alone, and written by several processes at once.

    Raises:
        OSError: when it cannot be written.
    """
    writer = f".{os.getpid()}-{get_ident()}" if is_cache else ""
    new = path.with_name(f"{path.name}{writer}.new")
    try:
        new.unlink(missing_ok=True)  # left by a killed process
        data = text.encode() if isinstance(text, str) else text
        _create(new, data, final=path, mode=0o600 if is_cache else 0o666)
        retried(new.replace, path)
    except BaseException:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        raise


def fsync_directory(folder: Path) -> None:
    """Flush the entries of a folder to the disk; not needed on Windows."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """The content of a journal."""

    replace: tuple[str, ...]
    remove: tuple[str, ...]

    @classmethod
    def parse(cls, data: bytes, where: Path) -> _Change:
        try:
            values = _check_format(json.loads(data))
            change = cls(replace=tuple(map(str, values["replace"])), remove=tuple(map(str, values["remove"])))
            _check_names([*change.replace, *change.remove])
        except (ValueError, KeyError, TypeError, RecursionError, ToolError) as error:
            raise ToolError(
                "TOL015",
                "the journal of an interrupted write is damaged",
                where=str(where),
                hint="delete this file, then write the folder again with `envsmith lock`",
            ) from error
        return change

    def to_json(self) -> bytes:
        return json.dumps({"form": _FORMAT_VERSION, "replace": self.replace, "remove": self.remove}).encode()


def _check_format(values: dict[str, Any]) -> dict[str, Any]:
    if values["form"] != _FORMAT_VERSION:
        raise ValueError(values["form"])
    return values


def _prepare(folder: Path, change: _Change, files: Mapping[str, bytes]) -> None:
    """Write the new files under temporary names, then the journal; remove all of them on failure."""
    try:
        for name in change.replace:
            _create(folder / (_NEW + name), files[name], final=folder / name)
        _create(folder / _JOURNAL_NEW, change.to_json(), final=folder / _JOURNAL)
        retried((folder / _JOURNAL_NEW).replace, folder / _JOURNAL)
        fsync_directory(folder)
    except BaseException:
        (folder / _JOURNAL).unlink(missing_ok=True)
        _remove_temporary(folder)
        raise


def _roll_forward(folder: Path, change: _Change) -> None:
    """Carry out a journal, whether for the first time or after an interruption."""
    for name in change.replace:
        new = folder / (_NEW + name)
        if new.exists():  # otherwise it was renamed before the interruption
            retried(new.replace, folder / name)
    for name in change.remove:
        with suppress(FileNotFoundError):
            retried((folder / name).unlink)
    fsync_directory(folder)
    (folder / _JOURNAL).unlink(missing_ok=True)


def _recover(folder: Path) -> None:
    """Complete the write of a killed process if its journal exists, and remove its temporary files."""
    journal = folder / _JOURNAL
    if journal.exists():
        _roll_forward(folder, _Change.parse(journal.read_bytes(), journal))
    _remove_temporary(folder)


def _remove_temporary(folder: Path) -> None:
    for path in list(folder.iterdir()):
        if path.name.startswith(_NEW) or path.name == _JOURNAL_NEW:
            path.unlink()


def _create(path: Path, data: bytes, *, final: Path, mode: int = 0o666) -> None:
    """Write a new file and flush it to the disk, with a mode less the umask.

    Raises:
        OSError: names the final path.
    """
    try:
        if final.is_dir() and not final.is_symlink():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        with open(path, "xb", opener=partial(os.open, mode=mode)) as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        error.filename = str(final)
        raise


def _differs(path: Path, data: bytes) -> bool:
    if path.is_symlink() or not path.is_file() or path.stat().st_size != len(data):
        return True
    return path.read_bytes() != data


def _check_names(names: Collection[str]) -> None:
    for name in names:
        is_plain = name not in ("", ".", "..") and not _FORBIDDEN & set(name) and name.isprintable()
        if not is_plain or name.startswith(_RESERVED):
            raise ToolError(
                "TOL014", f"invalid file name {name!r}", hint="use the name of a file inside the folder"
            )
    if len({name.casefold() for name in names}) != len(set(names)):
        raise ToolError(
            "TOL014",
            "two file names differ only in upper and lower case",
            hint="rename one: Windows and macOS treat them as one file",
        )
