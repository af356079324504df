"""Folders and files of environments: written whole, removed whatever their modes, refusals told."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from envsmith.errors import InstallError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


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
