"""Reads one file of a project as what it is: what it says of the modules that are sought."""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache

from envsmith.model.usage import Area, UnreadFile
from envsmith.usage.config_files import read_commands, read_config, read_requirements_lines
from envsmith.usage.documents import read_document, read_foreign, read_notebook
from envsmith.usage.module_matcher import FileUsage, ModuleMatcher
from envsmith.usage.python import read_long, read_python
from envsmith.usage.tree import SourceFile

LONG_BYTES = 2_000_000
"""Python above this is read by lines: a tree of it would take hundreds of times its size in memory."""
MOST_BYTES = 64_000_000
MOST_CONFIG_BYTES = 8_000_000
CODE = ("python", "notebook", "lines")
_BOMS = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_SPELLED = re.compile(rb"coding[:=][ \t]*([-\w.]+)")
_ASCII = bytes(range(128))
_HEAD_BYTES = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOutcome:
    """What reading one file gave."""

    is_read: bool = False
    """False for a file that says nothing by its kind, and for one that could not be opened."""
    is_code: bool = False
    gathered: FileUsage | None = None
    """What it says; none where no name stands in it."""
    modules: tuple[str, ...] = ()
    """Those sought whose names stand in it."""
    unread: UnreadFile | None = None
    is_late: bool = False
    """True of what was read only when all else had been."""


# Most files of a tree are one of these; a thing that is shared is also sent from process to process only once.
_PASSED = FileOutcome()
LATER = FileOutcome(is_late=True)
"""Stands for a file that is yet to be read."""
_WITHOUT = {is_code: FileOutcome(is_read=True, is_code=is_code) for is_code in (False, True)}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileQuestion:
    """What is asked of each file."""

    names: ModuleMatcher
    passed: Collection[str] = ()
    """Modules of which no more need be known."""
    is_hasty: bool = False
    """Whether a file that has a name, but hardly a certain use, is left for later."""


def read_file(file: SourceFile, area: Area, question: FileQuestion) -> FileOutcome:
    """Look for the names in a file, and read it as what it is where it has one.

    Args:
        file: where it is, and what by its name.
        area: which part of the project it belongs to.
        question: what is asked of it.
    """
    is_code = file.kind in CODE
    try:
        data = _bytes(file, MOST_BYTES if is_code else MOST_CONFIG_BYTES)
    except OSError as error:
        return _refused(file, error.strerror or str(error))
    if data is None:  # of this size it is data, not configuration
        return _refused(file, f"larger than {MOST_BYTES:,} bytes") if is_code else _PASSED
    reader = _READERS.get(file.kind) or _by_first_line(data)
    return _looked_through(file, area, data, reader, question) if reader else _PASSED


def _looked_through(
    file: SourceFile, area: Area, data: bytes, reader: _Reader, question: FileQuestion
) -> FileOutcome:
    is_code = file.kind in CODE or reader is _python
    if is_code and (encoding := _spelling(data)):
        return _refused(file, f"is encoded as {encoding}", is_read=True)
    data = _with_plain_bytes(data)
    names = question.names
    modules = names.in_bytes(data, question.passed)
    if question.is_hasty and modules and not (area == "sources" and names.has_plain_import(data, modules)):
        return LATER
    return _said(file, area, data, reader, names, modules) if modules else _WITHOUT[is_code]


def _bytes(file: SourceFile, most: int) -> bytes | None:
    """Return a file's bytes; of one without an ending only if it is a script, and none of one that is too large."""
    with open(file.path, "rb", buffering=0) as stream:  # noqa: PTH123 - a Path for each takes its time
        if os.fstat(stream.fileno()).st_size > most:
            return None
        if file.kind == "unknown" and (start := stream.read(2)) != b"#!":
            return start
        stream.seek(0)
        return stream.read()


def _spelling(data: bytes) -> str | None:
    """Return the encoding that code says it has, where that one spells names with other bytes than their own."""
    if b"coding" not in data[:_HEAD_BYTES]:
        return None
    found = _SPELLED.search(b"\n".join(re.split(rb"\r\n?|\n", data[:_HEAD_BYTES], maxsplit=2)[:2]))
    encoding = found[1].decode() if found else "utf-8"
    return encoding if _spells_otherwise(encoding) else None


@cache
def _spells_otherwise(encoding: str) -> bool:
    """Say whether a name may be spelled with other bytes than its own; Python reads nothing in an unknown encoding."""
    try:
        codec = codecs.lookup(encoding).name
        return "escape" in codec or codecs.decode(_ASCII, codec) != _ASCII.decode("ascii")
    except LookupError:
        return False
    except (ValueError, TypeError):
        return True


def _refused(file: SourceFile, reason: str, *, is_read: bool = False) -> FileOutcome:
    """Return what is known of a file of which not even the names in it are."""
    return FileOutcome(is_read=is_read, unread=UnreadFile(file=file.name, reason=reason))


def _said(
    file: SourceFile, area: Area, data: bytes, reader: _Reader, names: ModuleMatcher, modules: tuple[str, ...]
) -> FileOutcome:
    gathered = FileUsage(file=file.name, area=area)
    unread = None
    try:
        reader(data, names, gathered)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        unread = UnreadFile(file=file.name, reason=_reason(error), modules=modules)
    is_code = file.kind in CODE or reader is _python
    return FileOutcome(is_read=True, is_code=is_code, gathered=gathered, modules=modules, unread=unread)


_Reader = Callable[[bytes, ModuleMatcher, FileUsage], None]


def _python(data: bytes, names: ModuleMatcher, gathered: FileUsage) -> None:
    if len(data) > LONG_BYTES:
        read_long(_text(data), names, gathered)
    else:
        read_python(data, names, gathered)


def _by_lines(read: Callable[[str, ModuleMatcher, FileUsage], None]) -> _Reader:
    def reader(data: bytes, names: ModuleMatcher, gathered: FileUsage) -> None:
        read(_text(data), names, gathered)

    return reader


_script = _by_lines(read_commands)
_READERS: Mapping[str, _Reader] = {
    "python": _python,
    "notebook": read_notebook,
    "lines": _by_lines(read_long),
    "document": _by_lines(read_document),
    "foreign": _by_lines(read_foreign),
    "config": _by_lines(read_config),
    "requirements": _by_lines(read_requirements_lines),
    "script": _script,
}


def _by_first_line(data: bytes) -> _Reader | None:
    """Return the reader of a script without an ending, by the program its first line names."""
    first = data[:200].partition(b"\n")[0]
    if not first.startswith(b"#!"):
        return None
    return _python if b"python" in first else _script


def _with_plain_bytes(data: bytes) -> bytes:
    """Return a file's bytes with every name spelled in ASCII."""
    encoding = next((encoding for bom, encoding in _BOMS if data.startswith(bom)), None)
    return data.decode(encoding, "replace").encode() if encoding else data


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace").removeprefix("\ufeff")


def _reason(error: Exception) -> str:
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: {error.msg}" if error.lineno else str(error.msg)
    return "nests too deeply" if isinstance(error, (RecursionError, MemoryError)) else str(error)
