"""Files of users, read with checks of type, size and encoding; missing ones are told from unreadable ones."""

from __future__ import annotations

import codecs
import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from io import BufferedReader
from pathlib import Path

from envsmith.errors import ProfileError, ToolError
from envsmith.files.os_errors import lock_folder_errors, translate_os_errors
from envsmith.files.own_folder import extended
from envsmith.model.windows_errors import reason_of

MAX_BYTES = 5_000_000
MOST_BYTES = 64_000_000
"""Of a file that a program wrote: a RECORD has at most some megabytes."""
# Longer marks first: that of UTF-32 begins like that of UTF-16.
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# As in pip: only in the first two lines, in a comment at the beginning of the line.
_CODING = re.compile(rb"#.*?coding[:=]\s*([-\w.]+)")
_recorded: ContextVar[list[Path] | None] = ContextVar("_recorded", default=None)


@contextmanager
def record_reads() -> Iterator[list[Path]]:
    """Record the paths that `read_text` is called with inside the block, missing files included."""
    paths: list[Path] = []
    token = _recorded.set(paths)
    try:
        yield paths
    finally:
        _recorded.reset(token)


def read_text(path: Path, place: str, *, is_requirements: bool = False) -> str:
    """Return the text of a file, without byte order mark.

    Args:
        path: the file.
        place: its name in messages.
        is_requirements: whether its byte order mark or coding line names the encoding, as pip reads requirements
            files; other files are UTF-8.

    Raises:
        ProfileError: PRF030 when the file does not exist, PRF031 when it is not a text file of at most 5 MB.
        ToolError: TOL012 for any other OS error.
    """
    recorded = _recorded.get()
    if recorded is not None:
        recorded.append(path)
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise _not_text(place, "is a folder", "use a file in it")
        if not stat.S_ISREG(found.st_mode):
            raise _not_text(place, "is not a regular file", "use a text file")
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError) as error:
        problem = "file not found" if is_missing(path) else "the file that this link leads to does not exist"
        raise ProfileError(
            "PRF030", problem, where=place, hint="correct the name, or create the file"
        ) from error
    except (OSError, ValueError) as error:
        raise ToolError(
            "TOL012",
            f"cannot read: {reason_of(error)}",
            where=place,
            hint="correct the name or the permissions",
        ) from error
    if len(data) > MAX_BYTES:
        raise _not_text(place, f"is larger than {MAX_BYTES:,} bytes", "check that it is the right file")
    return _decoded(data, place, _encoding(data) if is_requirements else "utf-8-sig")


def is_missing(path: Path) -> bool:
    """Return whether nothing has this name; False for a link that leads nowhere, or a name that cannot be looked at.

    Unlike with `Path.exists`, a file that is there is not ignored: reading it tells what is wrong with it.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return True
    except OSError:
        return False
    return False


def folders_with(parent: Path, name: str) -> tuple[str, ...]:
    """Return the names of the folders in a folder that have an entry of this name, readable or not, sorted.

    Raises:
        ToolError: TOL013 when the folder cannot be read; it may be missing.
    """
    if is_missing(parent):
        return ()
    with lock_folder_errors(parent, "read"):
        return tuple(sorted(path.name for path in parent.iterdir() if not is_missing(path / name)))


def open_regular(path: str | Path, most_bytes: int | None = None) -> BufferedReader:
    """Open a file to read it, unless it is a device, a pipe or larger than a limit: such reads may never end.

    Raises:
        OSError: when it cannot be opened, or is refused.
    """
    try:
        handle = os.open(
            extended(path), os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        )
    except ValueError as error:  # a NUL character
        raise OSError(errno.EINVAL, str(error)) from error
    stream = open(handle, "rb")  # noqa: PTH123, SIM115 - the caller closes it
    found = os.fstat(handle)
    if stat.S_ISREG(found.st_mode) and (most_bytes is None or found.st_size <= most_bytes):
        return stream
    stream.close()
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    raise OSError(errno.EFBIG, f"larger than {most_bytes:,} bytes", str(path))


def read_regular(path: str | Path, most_bytes: int = MOST_BYTES) -> bytes:
    """Return the bytes of a file; raise `OSError` as `open_regular` does."""
    with open_regular(path, most_bytes) as stream:
        return stream.read(most_bytes)  # a file may grow, or not know its size


def _encoding(data: bytes) -> str:
    """Return the encoding that a byte order mark or a coding line (PEP 263) names; UTF-8 otherwise."""
    named = next((encoding for bom, encoding in _BOMS if data.startswith(bom)), "")
    for line in () if named else data.split(b"\n", 2)[:2]:
        if match := _CODING.match(line):
            return match[1].decode("ascii")
    return named or "utf-8-sig"


def _decoded(data: bytes, place: str, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except LookupError as error:
        raise _not_text(
            place, f"names the unknown encoding {encoding[:40]!r}", "save the file as UTF-8"
        ) from error
    except UnicodeError as error:
        if not isinstance(error, UnicodeDecodeError) or encoding != "utf-8-sig":
            raise _not_text(place, f"is not {encoding[:40]}, as it says", "save the file as UTF-8") from error
        line = data.count(b"\n", 0, error.start) + 1
        looks = "UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "another encoding"
        raise _not_text(
            f"{place}:{line}", f"is not UTF-8 (it looks like {looks})", "save the file as UTF-8"
        ) from error


def _not_text(place: str, message: str, hint: str) -> ProfileError:
    return ProfileError("PRF031", message, where=place, hint=hint)


def hash_model(path: str) -> str:
    """Return the sha256 of a file; empty if it does not exist.

    Raises:
        ToolError: TOL013 when it cannot be read.
    """
    import hashlib  # imported here: slow, and few commands need it

    file = Path(path)
    if not file.is_file():
        return ""
    codes, hint = ("TOL013", "TOL013"), "correct the permissions, then run the command again"
    with (
        translate_os_errors(path, ToolError, codes, hint=hint, action="read"),
        file.open("rb") as stream,
    ):
        return hashlib.file_digest(stream, "sha256").hexdigest()
