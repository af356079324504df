"""Dependencies in setup.cfg and setup.py, which are read and never executed.

Source: setuptools' documentation, "Configuring setuptools using setup.cfg files", from memory.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from configparser import Error, RawConfigParser
from contextlib import suppress
from dataclasses import dataclass, field

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from envsmith.config.direct_references import read_direct
from envsmith.config.readers import Problems
from envsmith.config.requirement import RequiresPython, SourcedRequirement
from envsmith.config.requirements.tool_tables import ReadFiles, ToolTable
from envsmith.errors import ProfileError

Lines = Sequence[tuple[str, str]]
"""Texts of requirements, each with file and line."""
Items = Callable[[], Iterable[SourcedRequirement]]
_COMMENT = re.compile(r"\s#.*")
_FILE = re.compile(r"file:\s*(.+)", re.DOTALL)


@dataclass(kw_only=True)
class Declaration:
    """The dependencies in a file other than pyproject.toml; those of extras and groups are read on demand."""

    place: str
    main: Items
    extras: Mapping[str, Items] = field(default_factory=dict)
    groups: Mapping[str, Items] = field(default_factory=dict)
    """Both by normalised name."""
    found: ToolTable = field(default_factory=ToolTable)

    @property
    def has_dependencies(self) -> bool:
        """Always: a file without dependencies is none."""
        return True

    def dependencies(self) -> Iterator[SourcedRequirement]:
        """Yield the dependencies that are always installed."""
        yield from self.main()

    def of_extra(self, name: str) -> Iterator[SourcedRequirement]:
        """Yield the dependencies of an extra."""
        yield from self.extras[name]()

    def of_group(self, name: str) -> Iterator[SourcedRequirement]:
        """Yield the dependencies of a group."""
        yield from self.groups[name]()


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesBeside:
    """The files beside a pyproject.toml."""

    read: ReadFiles
    declare: Callable[[Problems], Declaration | None]
    """Returns the dependencies that other tools' files list; called if pyproject.toml lists none."""


@dataclass(kw_only=True)
class _Setup:
    """The arguments of setuptools in setup.cfg or setup.py."""

    main: Lines = ()
    extras: dict[str, Lines] = field(default_factory=dict)
    python: tuple[str, str] | None = None
    files: tuple[str, ...] = ()
    """Requirements files that setup.cfg names instead."""


def read_setup_files(cfg: str, script: str, problems: Problems, read_files: ReadFiles) -> Declaration | None:
    """Return the dependencies in setup.cfg, else a literal setup.py, as setuptools does; None without dependencies.

    Args:
        cfg: text of setup.cfg; empty without it.
        script: text of setup.py; empty without it.
        problems: gets malformed lines.
        read_files: reads requirements files of the project.
    """
    found = _of_cfg(cfg, problems)
    other = _of_script(script)
    main = found.main or other.main
    if not main and not found.files:
        return None
    table = ToolTable()
    if python := found.python or other.python:
        table.requires_python = _python(*python, problems)

    def items(lines: Lines) -> Items:
        return lambda: _requirements(lines, problems)

    def of_files() -> Iterable[SourcedRequirement]:
        return table.add_file(read_files(found.files, "setup.cfg"))

    return Declaration(
        place="setup.cfg" if found.files else main[0][1].partition(":")[0],
        main=of_files if found.files else items(main),
        extras={name: items(lines) for name, lines in {**other.extras, **found.extras}.items()},
        found=table,
    )


def setup_texts(cfg: str, script: str) -> dict[str, str]:
    """Return the name and version that setup.cfg or a literal setup.py contains, without those that are computed."""
    parser = RawConfigParser()
    with suppress(Error):
        parser.read_string(cfg, "setup.cfg")
    call = _setup_call(script)
    found = {
        keyword.arg: node.value
        for keyword in (call.keywords if call else ())
        if keyword.arg and isinstance(node := _value(keyword.value, script), ast.Constant)
    }
    texts = {key: parser.get("metadata", key, fallback="") or found.get(key) for key in ("name", "version")}
    return {
        key: text
        for key, text in texts.items()
        if isinstance(text, str) and not text.startswith(("attr:", "file:"))
    }


def is_computed(script: str) -> bool:
    """Return whether a setup.py passes dependencies that only its execution knows."""
    call = _setup_call(script)
    if call is None:
        return bool(script.strip())
    names = [keyword.arg for keyword in call.keywords]
    return None in names or ("install_requires" in names and not _of_script(script).main)


def _python(text: str, origin: str, problems: Problems) -> RequiresPython | None:
    try:
        return RequiresPython(specifier=SpecifierSet(text), where=origin)
    except InvalidSpecifier:
        hint = 'write it as ">=3.11,<3.14"'
        problems.add(ProfileError("PRF005", f"invalid version range {text!r}", where=origin, hint=hint))
        return None


def _requirements(lines: Lines, problems: Problems) -> Iterator[SourcedRequirement]:
    for text, origin in lines:
        with problems.collecting(origin):
            requirement, hashes = read_direct(text)
            yield SourcedRequirement(requirement=requirement, hashes=hashes, origin=origin)


def _of_cfg(text: str, problems: Problems) -> _Setup:
    parser = RawConfigParser()
    try:
        parser.read_string(text, "setup.cfg")
    except Error as error:
        message = str(error).partition("\n")[0].partition(": ")[2] or "a line has no key"
        hint = "correct the file: setuptools cannot read it either"
        problems.add(ProfileError("PRF005", f"malformed: {message[:80]}", where="setup.cfg", hint=hint))
        return _Setup()
    lines = text.splitlines()
    python = parser.get("options", "python_requires", fallback="").strip()
    extras = parser["options.extras_require"] if parser.has_section("options.extras_require") else {}
    value = parser.get("options", "install_requires", fallback="")
    file = _FILE.fullmatch(value.strip())
    return _Setup(
        main=() if file else _lines(value, lines),
        files=tuple(name.strip() for name in file[1].split(",") if name.strip()) if file else (),
        extras={str(canonicalize_name(name)): _lines(value, lines) for name, value in extras.items()},
        python=(python, f"setup.cfg:{_line_of(python, lines)}") if python else None,
    )


def _lines(value: str, lines: Sequence[str]) -> Lines:
    """Split a list as setuptools does: by lines, or by semicolons if there is only one."""
    parts = value.splitlines() if "\n" in value else value.split(";")
    texts = [_COMMENT.sub("", part).strip() for part in parts if not part.lstrip().startswith("#")]
    return [(text, f"setup.cfg:{_line_of(text, lines)}") for text in texts if text]


def _line_of(text: str, lines: Sequence[str]) -> int:
    bare = [_COMMENT.sub("", line).strip() for line in lines]
    return (
        bare.index(text) + 1
        if text in bare
        else next((number for number, line in enumerate(lines, 1) if text in line), 1)
    )


def _setup_call(script: str) -> ast.Call | None:
    """Return the call of ``setup``; None unless there is exactly one."""
    try:
        tree = ast.parse(script)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _called(node) == "setup"]
    return calls[0] if len(calls) == 1 else None


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _of_script(script: str) -> _Setup:
    call = _setup_call(script)
    if call is None:
        return _Setup()
    known = {keyword.arg: _value(keyword.value, script) for keyword in call.keywords}
    extras = known.get("extras_require")
    python = known.get("python_requires")
    pairs = zip(extras.keys, extras.values, strict=True) if isinstance(extras, ast.Dict) else ()
    return _Setup(
        main=_literals(known.get("install_requires")),
        extras={
            str(canonicalize_name(str(key.value))): _literals(_value(value, script))
            for key, value in pairs
            if isinstance(key, ast.Constant)
        },
        python=next(iter(_literals(ast.List(elts=[python]) if python else None)), None),
    )


def _value(node: ast.expr, script: str) -> ast.expr:
    """Return the value of a name, if the script assigns to it once at its top level."""
    if not isinstance(node, ast.Name):
        return node
    tree = ast.parse(script)
    stores = [
        item for item in ast.walk(tree)
        if isinstance(item, ast.Name) and item.id == node.id and not isinstance(item.ctx, ast.Load)
    ]  # fmt: skip
    uses = [item for item in ast.walk(tree) if isinstance(item, ast.Name) and item.id == node.id]
    values = [item.value for item in tree.body if isinstance(item, ast.Assign) and item.targets == stores]
    return values[0] if len(values) == 1 and len(uses) == len(stores) + 1 else node


def _literals(node: ast.expr | None) -> Lines:
    """Return the texts of a list of literals; empty for any other expression."""
    items = node.elts if isinstance(node, ast.List | ast.Tuple) else []
    found = [
        (item.value, f"setup.py:{item.lineno}")
        for item in items
        if isinstance(item, ast.Constant) and isinstance(item.value, str)
    ]
    return found if len(found) == len(items) else ()
