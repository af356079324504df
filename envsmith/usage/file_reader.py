"""Reader of one project file: chooses the reader of its kind and collects uses of the searched modules."""

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
"""Size above which Python is read by lines: a syntax tree takes hundreds of times the file's size in memory."""
MOST_BYTES = 64_000_000
MOST_CONFIG_BYTES = 8_000_000
CODE = ("python", "notebook", "lines")
_BOMS = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_SPELLED = re.compile(rb"coding[:=][ \t]*([-\w.]+)")
_ASCII = bytes(range(128))
_HEAD_BYTES = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOutcome:
    """Result of reading one file."""

    is_read: bool = False
    """False for a file of an irrelevant kind, and for one that could not be opened."""
    is_code: bool = False
    usage: FileUsage | None = None
    """Uses and leftovers; None if the file contains no searched name."""
    modules: tuple[str, ...] = ()
    """Searched modules whose names occur in the file."""
    unread: UnreadFile | None = None
    is_late: bool = False
    """Whether the file was read after all others."""


# Shared values: most files give one of these, and pickling sends a shared object between processes once.
_PASSED = FileOutcome()
LATER = FileOutcome(is_late=True)
"""Placeholder of a file that is read later."""
_WITHOUT = {is_code: FileOutcome(is_read=True, is_code=is_code) for is_code in (False, True)}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSearch:
    """Search parameters, the same for each file."""

    names: ModuleMatcher
    passed: Collection[str] = ()
    """Modules with enough known uses."""
    is_hasty: bool = False
    """Whether to postpone a file that contains a name but probably no certain use."""


def read_file(file: SourceFile, area: Area, question: FileSearch) -> FileOutcome:
    """Search a file for the names, and parse it by its kind if one occurs.

    Args:
        file: path and kind.
        area: part of the project, one of AREAS.
        question: the search parameters.
    """
    is_code = file.kind in CODE
    try:
        data = _bytes(file, MOST_BYTES if is_code else MOST_CONFIG_BYTES)
    except OSError as error:
        return _refused(file, error.strerror or str(error))
    if data is None:  # a configuration file of this size is data
        return _refused(file, f"larger than {MOST_BYTES:,} bytes") if is_code else _PASSED
    reader = _READERS.get(file.kind) or _by_first_line(data)
    return _search(file, area, data, reader, question) if reader else _PASSED


def _search(file: SourceFile, area: Area, data: bytes, reader: _Reader, question: FileSearch) -> FileOutcome:
    is_code = file.kind in CODE or reader is _python
    if is_code and (encoding := _other_encoding(data)):
        return _refused(file, f"encoded as {encoding}", is_read=True)
    data = _in_ascii(data)
    names = question.names
    modules = names.in_bytes(data, question.passed)
    if question.is_hasty and modules and not (area == "sources" and names.has_plain_import(data, modules)):
        return LATER
    return _parsed(file, area, data, reader, names, modules) if modules else _WITHOUT[is_code]


def _bytes(file: SourceFile, most: int) -> bytes | None:
    """Return a file's bytes; None if it is too large. A file without suffix is read only if it is a script."""
    with open(file.path, "rb", buffering=0) as stream:  # noqa: PTH123 - a Path for each takes its time
        if os.fstat(stream.fileno()).st_size > most:
            return None
        if file.kind == "unknown" and (start := stream.read(2)) != b"#!":
            return start
        stream.seek(0)
        data = stream.read(most + 1)  # a file may grow, or not know its size
        return data if len(data) <= most else None


def _other_encoding(data: bytes) -> str | None:
    """Return the declared encoding of code if it encodes names with other bytes than ASCII."""
    if b"coding" not in data[:_HEAD_BYTES]:
        return None
    found = _SPELLED.search(b"\n".join(re.split(rb"\r\n?|\n", data[:_HEAD_BYTES], maxsplit=2)[:2]))
    encoding = found[1].decode() if found else "utf-8"
    return encoding if _is_not_ascii_based(encoding) else None


@cache
def _is_not_ascii_based(encoding: str) -> bool:
    """Return whether an encoding maps ASCII names to other bytes; False if unknown, since Python rejects the file."""
    try:
        codec = codecs.lookup(encoding).name
        return "escape" in codec or codecs.decode(_ASCII, codec) != _ASCII.decode("ascii")
    except LookupError:
        return False
    except (ValueError, TypeError):
        return True


def _refused(file: SourceFile, reason: str, *, is_read: bool = False) -> FileOutcome:
    """Return the outcome of a file that may contain any name."""
    return FileOutcome(is_read=is_read, unread=UnreadFile(file=file.name, reason=reason))


def _parsed(
    file: SourceFile, area: Area, data: bytes, reader: _Reader, names: ModuleMatcher, modules: tuple[str, ...]
) -> FileOutcome:
    usage = FileUsage(file=file.name, area=area)
    unread = None
    try:
        reader(data, names, usage)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        unread = UnreadFile(file=file.name, reason=_reason(error), modules=modules)
    is_code = file.kind in CODE or reader is _python
    return FileOutcome(is_read=True, is_code=is_code, usage=usage, modules=modules, unread=unread)


_Reader = Callable[[bytes, ModuleMatcher, FileUsage], None]


def _python(data: bytes, names: ModuleMatcher, usage: FileUsage) -> None:
    if len(data) > LONG_BYTES:
        read_long(_text(data), names, usage)
    else:
        read_python(data, names, usage)


def _by_lines(read: Callable[[str, ModuleMatcher, FileUsage], None]) -> _Reader:
    def reader(data: bytes, names: ModuleMatcher, usage: FileUsage) -> None:
        read(_text(data), names, usage)

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
    """Return the reader for a script without suffix, by the program in its first line."""
    first = data[:200].partition(b"\n")[0]
    if not first.startswith(b"#!"):
        return None
    return _python if b"python" in first else _script


def _in_ascii(data: bytes) -> bytes:
    """Return a file's bytes with every name in ASCII."""
    encoding = next((encoding for bom, encoding in _BOMS if data.startswith(bom)), None)
    return data.decode(encoding, "replace").encode() if encoding else data


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace").removeprefix("\ufeff")


def _reason(error: Exception) -> str:
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: {error.msg}" if error.lineno else str(error.msg)
    return "nests too deeply" if isinstance(error, (RecursionError, MemoryError)) else str(error)
