"""Reads text files that people wrote: size, kind and encoding are looked at before anything else."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from envsmith.errors import ProfileError, ToolError

LARGEST_BYTES = 5_000_000
_heard: ContextVar[list[Path] | None] = ContextVar("_heard", default=None)


@contextmanager
def remembered() -> Iterator[list[Path]]:
    """Remember which texts are asked for meanwhile, those that are not there included."""
    paths: list[Path] = []
    token = _heard.set(paths)
    try:
        yield paths
    finally:
        _heard.reset(token)


def read_text(path: Path, place: str) -> str:
    """Return a file's text, without byte order mark.

    Args:
        path: where it is.
        place: its name, as people know it.

    Raises:
        ProfileError: PRF030 when there is no such file, PRF031 when it is not a file of text of at most 5 MB.
        ToolError: TOL012 when the system does not let it be read.
    """
    heard = _heard.get()
    if heard is not None:
        heard.append(path)
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise _not_text(place, "is a folder", "name a file in it")
        if not stat.S_ISREG(found.st_mode):
            raise _not_text(place, "is no regular file", "name a file of text")
        with path.open("rb") as stream:
            data = stream.read(LARGEST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ProfileError(
            "PRF030", "there is no such file", where=place, hint="correct the name, or create the file"
        ) from error
    except (OSError, ValueError) as error:
        raise ToolError(
            "TOL012",
            f"cannot be read: {_reason(error)}",
            where=place,
            hint="correct the name or the permissions",
        ) from error
    if len(data) > LARGEST_BYTES:
        raise _not_text(place, f"is larger than {LARGEST_BYTES:,} bytes", "check that it is the right file")
    return _decoded(data, place)


def _decoded(data: bytes, place: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        encoding = "UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "another encoding"
        raise _not_text(
            f"{place}:{line}", f"is not UTF-8 (it looks like {encoding})", "save the file as UTF-8"
        ) from error


def _not_text(place: str, message: str, hint: str) -> ProfileError:
    return ProfileError("PRF031", message, where=place, hint=hint)


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
