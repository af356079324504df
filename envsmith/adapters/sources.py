"""Reads what a project uses out of its files; runs and imports none of them."""

from __future__ import annotations

import codecs
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from envsmith.adapters.config_strings import (
    read_commands,
    read_config,
    read_requirements_lines,
)
from envsmith.adapters.gathered import BareText, Gathered
from envsmith.adapters.names import Names
from envsmith.adapters.notebook import read_notebook
from envsmith.adapters.python_source import read_long, read_python
from envsmith.adapters.source_tree import SourceFile, Tree, area_of
from envsmith.model.source_roots import SRC, named_roots
from envsmith.model.usage import Leftover, Sought, Unread, Usage, Use

LONG_BYTES = 2_000_000
"""Python above this is read by lines: a tree of it would take hundreds of times its size in memory."""
MOST_BYTES = 64_000_000
MOST_CONFIG_BYTES = 8_000_000
# What a file that imports modules by names it is given holds: a call of these whose name is no plain text.
_IMPORTERS = (
    b"import_module",
    b"__import__",
    b"import_string",
    b"find_spec",
    b"resolve_name",
    b"run_module",
    b"LazyLoader",
)
_COMPUTED = re.compile(
    rb"(?:" + b"|".join(_IMPORTERS) + rb")"
    rb"(?:\s*\((?!\s*[\"'])|\s*[,)]|\s+as\b)"
)
_WORD = re.compile(r"[A-Za-z_]\w*")
_READ_BY_OTHERS = {"INSTALLED_APPS", "MIDDLEWARE", "extensions", "pytest_plugins", "hiddenimports"}
"""Variables whose texts a framework imports."""
_BOMS = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_CODE = ("python", "notebook", "lines")
# Encodings in which a name may be spelled with other bytes than its own.
_SPELLED = re.compile(
    rb"coding[:=][ \t]*(utf[-_]?(?:7|16|32)|u7|rot[-_]?13|idna|punycode|unicode[-_]escape|hz|iso-?2022)",
    re.IGNORECASE,
)


def read_usage(
    root: Path, sought: Iterable[Sought], sources: Sequence[str] | None = None, *, enough: int | None = None
) -> Usage:
    """Read what a project says of some modules.

    Args:
        root: the project's folder.
        sought: what is looked for.
        sources: where its sources lie, relative to the root; then code elsewhere is passed over, but for tests.
            By default what its build backend is told, and code elsewhere is noted as beside it.

        enough: of a module with so many certain uses in the sources no more are looked for; by default all are.

    Returns:
        Uses and leftovers with their places, and the files that could not be read.
    """
    names = Names(sought)
    reading = _Reading(root=root, names=names, enough=enough, roots=tuple(sources or source_roots(root)))
    tree = Tree(root=root, refused=reading.refuse)
    for file in tree.files():
        area = area_of(file.name, reading.roots)
        if not (sources and area == "beside" and file.kind in _CODE):
            reading.read(file, area)
    return Usage(
        uses=(*reading.uses, *computed_uses(reading.open_texts(), reading.code)),
        leftovers=tuple(reading.leftovers),
        unread=tuple(reading.unread),
        files_read=reading.count,
        own=frozenset(_own(root, reading.roots, names)),
    )


def source_roots(root: Path) -> tuple[str, ...]:
    """Return where a project's sources lie: what its build backend is told, else ``src``; none for the whole tree."""
    try:
        data = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        data = {}
    named = [name for name in named_roots(data) if ".." not in name.split("/") and (root / name).exists()]
    if not named and (root / SRC).is_dir() and not (root / SRC / "__init__.py").exists():
        named = [SRC]
    return tuple(sorted(named))


def _own(root: Path, roots: Iterable[str], names: Names) -> Iterable[str]:
    """Yield the sought names that modules of the project itself have."""
    folders = {root, *(root / name for name in roots), *((root / name).parent for name in roots)}
    for top in {item.top for item in names.sought}:
        if any(
            (folder / f"{top}.py").exists() or (folder / top / "__init__.py").exists() for folder in folders
        ):
            yield top


@dataclass(kw_only=True)
class _Reading:
    root: Path
    names: Names
    roots: tuple[str, ...]
    enough: int | None = None
    done: set[str] = field(default_factory=set)
    uses: list[Use] = field(default_factory=list)
    leftovers: list[Leftover] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    bare: list[BareText] = field(default_factory=list)
    code: dict[str, Path] = field(default_factory=dict)
    count: int = 0

    def refuse(self, name: str, reason: str) -> None:
        """Note a file or folder of which not even the names in it are known."""
        self.unread.append(Unread(file=name, reason=reason))

    def read(self, file: SourceFile, area: str) -> None:
        """Look for the names in a file, and read it as what it is where it has one."""
        if file.size_bytes > (MOST_BYTES if file.kind in _CODE else MOST_CONFIG_BYTES):
            if file.kind in _CODE:
                self.refuse(file.name, f"larger than {MOST_BYTES:,} bytes")
            return  # of this size it is data, not configuration
        try:
            data = file.path.read_bytes()
        except OSError as error:
            self.refuse(file.name, error.strerror or str(error))
            return
        reader = _READERS.get(file.kind) or _by_first_line(data)
        if reader is None:
            return
        self.count += 1
        if file.kind in _CODE and (found := _SPELLED.search(b"\n".join(data[:400].split(b"\n", 2)[:2]))):
            self.refuse(file.name, f"is encoded as {found[1].decode()}")
            return
        data = _with_plain_bytes(data)
        if file.kind in _CODE:
            self.code[file.name] = file.path
        modules = self.names.in_bytes(data)
        if set(modules) - self.done:
            self._note(file, area, data, reader, modules)

    def _note(
        self, file: SourceFile, area: str, data: bytes, reader: _Reader, modules: tuple[str, ...]
    ) -> None:
        gathered = Gathered(file=file.name, area=area)
        try:
            reader(data, self.names, gathered)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            self.unread.append(Unread(file=file.name, reason=_reason(error), modules=modules))
        self.uses += gathered.uses
        self.leftovers += gathered.leftovers
        self.bare += gathered.bare
        if self.enough is not None:
            self.done |= {module for module in modules if self._has_enough(module)}

    def open_texts(self) -> list[BareText]:
        """Return the texts that matter still: not those of modules that are known to be used."""
        owner = self.names.owner
        return [text for text in self.bare if owner(text.use.module) not in self.done]

    def _has_enough(self, module: str) -> bool:
        sought = Sought(module=module)
        found = (use for use in self.uses if (use.certainty, use.area) == ("certain", "sources"))
        return sum(sought.is_meant_by(use.module) for use in found) >= (self.enough or 1)


def computed_uses(bare: Iterable[BareText], code: Mapping[str, Path]) -> Iterator[Use]:
    """Yield the texts that may be imported: by their own file, or by one that knows a name that carries them.

    Args:
        bare: texts that are a module's name.
        code: the files of code; they are read once more where there is such a text, which is seldom.
    """
    importing: dict[str, set[str]] | None = None
    for text in bare:
        if text.carriers & _READ_BY_OTHERS:
            yield text.use
            continue
        if importing is None:
            importing = dict(_importing(code))
        if text.use.file in importing or any(text.carriers & words for words in importing.values()):
            yield text.use


def _importing(code: Mapping[str, Path]) -> Iterator[tuple[str, set[str]]]:
    """Yield the files that import modules by computed names, each with the words in it."""
    for name, path in code.items():
        try:
            data = path.read_bytes()
        except OSError:
            continue
        if _imports_by_computed_names(data):
            yield name, set(_WORD.findall(_text(data)))


def _imports_by_computed_names(data: bytes) -> bool:
    return any(word in data for word in _IMPORTERS) and _COMPUTED.search(data) is not None


_Reader = Callable[[bytes, Names, Gathered], None]


def _python(data: bytes, names: Names, gathered: Gathered) -> None:
    if len(data) > LONG_BYTES:
        read_long(_text(data), names, gathered)
    else:
        read_python(data, names, gathered)


def _by_lines(read: Callable[[str, Names, Gathered], None]) -> _Reader:
    def reader(data: bytes, names: Names, gathered: Gathered) -> None:
        read(_text(data), names, gathered)

    return reader


_READERS: dict[str, _Reader] = {
    "python": _python,
    "notebook": read_notebook,
    "lines": _by_lines(read_long),
    "config": _by_lines(read_config),
    "requirements": _by_lines(read_requirements_lines),
    "script": _by_lines(read_commands),
}


def _by_first_line(data: bytes) -> _Reader | None:
    """Return the reader of a script without an ending, by the program its first line names."""
    first = data[:200].partition(b"\n")[0]
    if not first.startswith(b"#!"):
        return None
    return _python if b"python" in first else _READERS["script"]


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
