"""Edits of requirements in TOML and requirements files; formatting and comments are kept."""

from __future__ import annotations

import codecs
import os.path
import re
import tomllib
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, MutableSequence, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from envsmith.config.direct_references import read_direct
from envsmith.config.package_source import PackageSource, is_wheel_url
from envsmith.config.positions import KeyPath, TomlDocument, format_path
from envsmith.config.profile_reader import ProfileSource
from envsmith.config.profiles import add_lists
from envsmith.config.requirement import shortened
from envsmith.config.requirements.requirements_parser import logical_lines, pin_of_wheel
from envsmith.errors import ProfileError
from envsmith.files.edits import Edit, RequirementLine, RequirementSource
from envsmith.files.text import MAX_BYTES
from envsmith.usage.tree import kind_of

_START = re.compile(r"\[ *")
_END = re.compile(r"[, ]*\]$")
_COMMENT = re.compile(r"#.*")
_PHYSICAL = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
_OPTION = re.compile(r"\s--?[A-Za-z]")
_HASHED = re.compile(r"\s--hash\b")
_INCLUDE = re.compile(r"(?P<kind>-r|-c|--requirement|--constraint)(?:\s+|=|(?<=-[rc]))(?P<file>\S+)")
_VIA = re.compile(r"#\s*via\b(?P<names>.*)")
_ASIDE = re.compile(r"[ \t]+#(?P<text>.*)")
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_FOLDER = "requirements"
_PYPROJECT = "pyproject.toml"
_CONSTRAINTS = re.compile(r"(?i).*constraints.*")
_OUTSIDE = "outside the project"
_LIMITS = "constraints file: it requires nothing"


def remove_from_pyproject(data: bytes, file: str, projects: Collection[str], table: KeyPath = ()) -> Edit:
    """Remove items from ``dependencies``, ``optional-dependencies`` and ``dependency-groups``, or from one list.

    The comment on an item's line goes with it. Items stay if the edited file would have other values than intended,
    as with notations that tomlkit rewrites.

    Args:
        data: the file's bytes.
        file: its name, relative to the project's root.
        projects: normalised names.
        table: path of the one list; empty for all those of a pyproject.toml.
    """
    bom = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    try:
        text = data[len(bom) :].decode()
        document = TomlDocument.parse(text, file)
    except (UnicodeDecodeError, ProfileError):
        return Edit(file=file, before=data, after=data)
    places = _items(get(document.data, table), table) if table else _places(document.data)
    paths = [path for path in places if _project_of_item(_at(document.data, path)) in projects]
    lines = tuple(_line(document, path, file) for path in paths)
    if not paths:
        return Edit(file=file, before=data, after=data)
    after = _without(text, paths)
    if not (
        _has_same_values(after, document.data, paths) and _comments(text, document, paths) <= _comments(after)
    ):
        stays = tuple(_kept(line) for line in lines)
        return Edit(file=file, before=data, after=data, kept=stays)
    return Edit(file=file, before=data, after=bom + after.encode(), removed=lines)


def change_list(
    data: bytes,
    file: str,
    table: KeyPath,
    change: Callable[[MutableSequence[str]], None],
    new: Sequence[str] = (),
) -> Edit:
    """Change a list in a TOML file.

    Args:
        data: the file's bytes.
        file: its name, relative to the project's root.
        table: path of the list.
        change: changes the items in place.
        new: the items before, if the file has no such list yet.

    Raises:
        ProfileError: PRF001 when the file is not TOML, PRF017 when it cannot be edited without other changes.
    """
    bom = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    is_crlf = b"\n" in data and data.count(b"\n") == data.count(b"\r\n")
    text = data[len(bom) :].decode("utf-8", "surrogateescape")
    text = text.replace("\r\n", "\n") if is_crlf else text
    expected = deepcopy(dict(TomlDocument.parse(text, file).data))
    node: Any = expected
    for key in table[:-1]:
        node = node.setdefault(key, {})
    node.setdefault(table[-1], list(new))
    change(node[table[-1]])
    for edited in _changed_texts(text, file, table, change, node[table[-1]]):
        if _parses_to(edited, expected) and _comments(text) <= _comments(edited):
            after = edited.replace("\n", "\r\n") if is_crlf else edited
            return Edit(file=file, before=data, after=bom + after.encode("utf-8", "surrogateescape"))
    raise ProfileError(
        "PRF017",
        "the list cannot be edited without other changes",
        where=f"{file}: {format_path(table)}",
        hint=f"set it by hand to {list(node[table[-1]])}",
    )


def _changed_texts(
    text: str, file: str, table: KeyPath, change: Callable[[MutableSequence[str]], None], items: Sequence[str]
) -> Iterator[str]:
    """Yield the text with the list changed: item by item, else as a new key of its table, else as a new table."""
    import tomlkit

    document = tomlkit.parse(text)
    if isinstance(found := get(document, table), list):
        change(found)
        yield tomlkit.dumps(document)
        return
    *above, key = (str(part) for part in table)
    if get(document, table[:-1]):
        yield add_lists(text, ProfileSource(text=text, place=file, table=tuple(above)), {key: tuple(items)})
    new = tomlkit.document()
    new[key] = list(items)
    head = f"{text.rstrip()}\n\n" if text.strip() else ""
    yield f"{head}[{'.'.join(above)}]\n{tomlkit.dumps(new)}"


def _parses_to(text: str, expected: Mapping[str, object]) -> bool:
    try:
        return tomllib.loads(text) == expected
    except ValueError:
        return False


def merge(texts: Iterable[str], items: MutableSequence[str]) -> None:
    """Add requirements to a list in place, or replace those on the same project with the same marker.

    A bare name leaves a requirement as it is. A sorted list stays sorted.
    """
    for text in texts:
        new = Requirement(text)
        same = (n for n, item in enumerate(items) if _is_same(item, new))
        if (position := next(same, None)) is not None:
            if new.specifier or new.extras:
                items[position] = text
            continue
        names = [_project_of_item(item) for item in items]
        is_sorted = len(names) > 1 and names == sorted(names)
        items.insert(bisect_left(names, canonicalize_name(new.name)) if is_sorted else len(names), text)


def _is_same(item: object, new: Requirement) -> bool:
    if _project_of_item(item) != canonicalize_name(new.name):
        return False
    return str(_parsed(str(item)).marker) == str(new.marker)


def _parsed(text: str) -> Requirement:
    """Parse a requirement of any kind with a name, or the URL of a wheel.

    Raises:
        ProfileError: when it is malformed, or only its place tells its name.
    """
    try:
        return Requirement(pin_of_wheel(text) or text)
    except ValueError:
        requirement = read_direct(text)[0]
    url = requirement.url
    if url and not is_wheel_url(url) and not PackageSource.parse(url).is_named:
        raise ProfileError("PRF021", f"{shortened(text)!r} has no name", hint="write NAME @ PLACE")
    return requirement


def _places(data: Mapping[str, object]) -> Iterator[KeyPath]:
    """Yield the paths of all items in lists of requirements."""
    project = data.get("project")
    if isinstance(project, Mapping):
        yield from _items(project.get("dependencies"), ("project", "dependencies"))
        yield from _tables(project.get("optional-dependencies"), ("project", "optional-dependencies"))
    yield from _tables(data.get("dependency-groups"), ("dependency-groups",))


def _tables(node: object, path: KeyPath) -> Iterator[KeyPath]:
    for name, items in node.items() if isinstance(node, Mapping) else ():
        yield from _items(items, (*path, name))


def _items(node: object, path: KeyPath) -> Iterator[KeyPath]:
    if isinstance(node, list):
        yield from ((*path, number) for number in range(len(node)))


def _at(node: Any, path: KeyPath) -> Any:  # noqa: ANN401 - TOML holds anything
    for part in path:
        node = node[part]
    return node


def get(node: Any, path: KeyPath) -> Any:  # noqa: ANN401 - TOML holds anything
    """Return the value at a path; None if there is none."""
    for part in path:
        node = node.get(part) if isinstance(node, Mapping) else None
    return node


def _project_of_item(item: object) -> str:
    if not isinstance(item, str):
        return ""
    try:
        return canonicalize_name(_parsed(item).name)
    except (ValueError, RecursionError, ProfileError):
        return ""


def _line(document: TomlDocument, path: KeyPath, file: str) -> RequirementLine:
    text = str(_at(document.data, path))
    return RequirementLine(
        file=file, line=document.lines.get(path, 1), project=_project_of_item(text), text=text
    )


def _kept(line: RequirementLine) -> RequirementLine:
    reason = "the list cannot be edited without other changes"
    return RequirementLine(
        file=line.file, line=line.line, project=line.project, text=line.text, reason=reason
    )


def _without(text: str, paths: list[KeyPath]) -> str:
    import tomlkit

    document = tomlkit.parse(text)
    lists = {path[:-1]: _at(document, path[:-1]).as_string() for path in paths}
    for path in reversed(paths):
        del _at(document, path[:-1])[path[-1]]
    after = tomlkit.dumps(document)
    for path, before in lists.items():
        written = _at(document, path).as_string()
        if "\n" not in before and after.count(written) == 1:
            after = after.replace(written, _keep_brackets(written, before))
    return after


def _keep_brackets(written: str, before: str) -> str:
    """Restore the brackets of a one-line list: tomlkit moves spaces and commas there."""
    inner = written[1:-1].strip(", ")
    start, end = _START.match(before), _END.search(before)
    return f"{start[0]}{inner}{end[0]}" if inner and start and end else "[]"


def _has_same_values(text: str, data: Mapping[str, object], paths: list[KeyPath]) -> bool:
    """Return whether a text has the same values except for the removed items."""
    wanted = deepcopy(dict(data))
    for path in reversed(paths):
        del _at(wanted, path[:-1])[path[-1]]
    return _parses_to(text, wanted)


def _comments(
    text: str, document: TomlDocument | None = None, paths: Collection[KeyPath] = ()
) -> Counter[str]:
    """Count a text's comments, except those on lines with nothing but the given items."""
    aside: set[int] = set()
    if document:
        lines = document.lines
        others = {lines.get(path) for path in _places(document.data) if path not in paths}
        aside = {line for path in paths if (line := lines.get(path)) and line not in others}
    numbered = enumerate(text.split("\n"), 1)
    found = (
        match[0].strip()
        for number, line in numbered
        if number not in aside and (match := _COMMENT.search(line))
    )
    return Counter(found)


def remove_from_requirements(
    data: bytes, file: str, projects: Collection[str], unrequired: Collection[str] = ()
) -> Edit:
    """Remove the lines that require some projects.

    Continuation lines, hashes, the trailing comment and a compiler's ``# via`` lines below go with a line. A line
    stays if the file itself names another of its packages as requirer, and if its pins are hashed without naming
    requirers: pip then needs the pin as long as any package requires it.

    Args:
        data: the file's bytes, in UTF-8, UTF-16 or a superset of ASCII.
        file: its name, relative to the project's root.
        projects: normalised names.
        unrequired: the projects known to be required by no package.
    """
    bom, encoding, errors = _encoding(data)
    try:
        text = data[len(bom) :].decode(encoding, errors)
    except UnicodeDecodeError:
        return Edit(file=file, before=data, after=data)
    physical = _PHYSICAL.findall(text)
    found = list(_requirements(text, physical))
    asked = [item for item in found if item.project in projects]
    staying = _kept_projects(asked, {item.project for item in found}, unrequired)
    gone = [item for item in asked if item.project not in staying]
    cut = {number for item in gone for number in range(item.first, item.last + 1)}
    kept = "".join(line for number, line in enumerate(physical, 1) if number not in cut)
    return Edit(
        file=file,
        before=data,
        after=bom + kept.encode(encoding, errors),
        removed=tuple(item.line(file) for item in gone),
        kept=tuple(
            replace(item.line(file), reason=staying[item.project])
            for item in asked
            if item.project in staying
        ),
    )


def _encoding(data: bytes) -> tuple[bytes, str, str]:
    """Return the byte order mark, the encoding, and the handler of its errors."""
    bom, encoding = next(((bom, name) for bom, name in _BOMS if data.startswith(bom)), (b"", "utf-8"))
    return bom, encoding, "surrogateescape" if encoding == "utf-8" else "surrogatepass"


def add_to_requirements(data: bytes, file: str, texts: Iterable[str]) -> Edit:
    """Add lines below the last requirement, or replace those on the same project; their comments are kept.

    Args:
        data: the file's bytes; empty for a new file.
        file: its name, relative to the project's root.
        texts: requirements, without options.

    Raises:
        ProfileError: PRF017 when the file is compiled from another one.
    """
    bom, encoding, errors = _encoding(data)
    text = data[len(bom) :].decode(encoding, errors)
    physical = _PHYSICAL.findall(text)
    found = list(_requirements(text, physical))
    if compiled := next((item for item in found if item.is_hashed or item.via is not None), None):
        raise ProfileError(
            "PRF017",
            "the file is compiled from another one: it has hashes or names requirers",
            where=f"{file}:{compiled.first}",
            hint="name the file that it is compiled from: -r FILE",
        )
    end = "\r\n" if "\r\n" in text else "\n"
    lines = dict(enumerate(physical, 1))
    last = max((item.last for item in found), default=len(physical))
    for added in texts:
        new = Requirement(added)
        same = next((item for item in found if _is_same(item.requirement, new)), None)
        if same is None:
            above = lines.get(last, "")
            lines[last] = above.rstrip("\r\n") + end if above else ""
            lines[last] += added + end
        elif new.specifier or new.extras:
            comment = _ASIDE.search(lines[same.last])
            lines |= dict.fromkeys(range(same.first, same.last + 1), "")
            lines[same.last] = f"{added}{comment[0].rstrip() if comment else ''}{end}"
    after = "".join(lines[number] for number in sorted(lines))
    return Edit(file=file, before=data, after=bom + after.encode(encoding, errors))


def projects_of(data: bytes) -> set[str]:
    """Return the normalised names that a requirements file requires itself."""
    text = _text(data)
    return {item.project for item in _requirements(text, _PHYSICAL.findall(text))}


def names_by_list(data: Mapping[str, object], table: KeyPath) -> dict[KeyPath, list[str]]:
    """Return the names in each list of requirements of a TOML file, and in the list at a path, by their paths."""
    found: dict[KeyPath, list[str]] = {}
    for path in (*_items(get(data, table), table), *_places(data)):
        found.setdefault(path[:-1], []).append(_project_of_item(_at(data, path)))
    return found


def is_requirements(text: str) -> bool:
    """Return whether every line of a text is a requirement or an option, with at least one line."""
    lines = list(logical_lines(text))
    return bool(lines) and all(line.text.startswith("-") or _project_of_line(line.text) for line in lines)


def included(text: str) -> Iterator[tuple[str, str]]:
    """Yield ``-r`` or ``-c`` with the file of each such line."""
    for line in logical_lines(text):
        if match := _INCLUDE.match(line.text):
            yield ("-r" if match["kind"] in ("-r", "--requirement") else "-c"), match["file"].strip("\"'")


@dataclass(frozen=True, slots=True, kw_only=True)
class _FoundLines:
    project: str
    first: int
    last: int
    """Includes the ``# via`` lines below."""
    requirement: str
    """Without options and comment."""
    text: str
    is_hashed: bool
    via: frozenset[str] | None
    """Requirers named in the file; None if it names none."""

    def line(self, file: str) -> RequirementLine:
        return RequirementLine(file=file, line=self.first, project=self.project, text=self.text)


def _requirements(text: str, physical: list[str]) -> Iterator[_FoundLines]:
    for line in logical_lines(text):
        if line.text.startswith("-") or not (project := _project_of_line(line.text)):
            continue
        below = list(_below(physical[line.last :]))
        names = _via([*physical[line.number - 1 : line.last], *below])
        yield _FoundLines(
            project=project,
            first=line.number,
            last=line.last + (len(below) if names is not None else 0),
            requirement=_OPTION.split(line.text, maxsplit=1)[0].strip(),
            text=physical[line.number - 1].strip(),
            is_hashed=_HASHED.search(line.text) is not None,
            via=names,
        )


def _project_of_line(text: str) -> str:
    bare = _OPTION.split(text, maxsplit=1)[0]
    try:
        return canonicalize_name(_parsed(bare).name)
    except (ValueError, RecursionError, ProfileError):
        return ""


def _below(lines: list[str]) -> Iterator[str]:
    """Yield the indented comments directly below a requirement if they begin like a compiler's."""
    for number, line in enumerate(lines):
        if not _ASIDE.match(line) or (number == 0 and not _VIA.search(line)):
            return
        yield line


def _via(lines: list[str]) -> frozenset[str] | None:
    """Return the requirers in a compiler's comments; None without such comments."""
    names: list[str] | None = None
    for line in lines:
        if match := _VIA.search(line):
            names = [*(names or ()), *match["names"].split(",")]
        elif names is not None and (aside := _ASIDE.match(line)):
            names += [aside["text"]]
    if names is None:
        return None
    return frozenset(
        canonicalize_name(name.strip()) for name in names if name.strip() and " " not in name.strip()
    )


def _kept_projects(
    asked: list[_FoundLines], pinned: Collection[str], unrequired: Collection[str]
) -> dict[str, str]:
    """Return the projects that must stay, each with the reason: one that stays may require another."""
    leaving = {item.project for item in asked}
    while True:
        kept = set(pinned) - leaving
        staying = {item.project: reason for item in asked if (reason := _reason(item, kept, unrequired))}
        if not leaving & set(staying):
            return staying
        leaving -= set(staying)


def _reason(item: _FoundLines, pinned: Collection[str], unrequired: Collection[str]) -> str:
    if item.via is not None:
        requirers = sorted(item.via & set(pinned) - {item.project})
        return f"required by {', '.join(requirers)} according to this file" if requirers else ""
    if item.is_hashed and item.project not in unrequired:
        return "the pins are hashed and name no requirers: compile the file again"
    return ""


def requirement_places(root: Path, named: Iterable[str] = ()) -> tuple[RequirementSource, ...]:
    """Return the project's requirements files with their includes, and its pyproject.toml.

    Searches ``requirements*.txt`` and ``*.in`` in the root, the folder ``requirements``, and the named files. Omits
    irregular and too large files.

    Raises:
        ProfileError: PRF030 when a named file does not exist.
    """
    found: dict[Path, RequirementSource] = {}
    for name in named:
        if not (root / name).is_file():
            hint = "correct the name, or create the file"
            raise ProfileError("PRF030", "file not found", where=name, hint=hint)
        _follow(root / name, root, "", found)
    for path in (*_usual(root), root / _PYPROJECT):
        _follow(path, root, "", found)
    return tuple(sorted(found.values(), key=lambda place: place.file))


def followed(root: Path, name: str) -> tuple[RequirementSource, ...]:
    """Return a requirements file and its includes; empty if it does not exist."""
    found: dict[Path, RequirementSource] = {}
    _follow(root / name, root, "", found)
    return tuple(found.values())


def cut(place: RequirementSource, projects: Collection[str], unrequired: Collection[str]) -> Edit:
    """Remove some projects' requirements from a file; if it is not editable, keep all and give the reason.

    Args:
        place: the file.
        projects: normalised names.
        unrequired: the projects known to be required by no package.
    """
    if place.file == _PYPROJECT:
        return remove_from_pyproject(place.data, place.file, projects)
    found = remove_from_requirements(place.data, place.file, projects, unrequired)
    if not place.reason:
        return found
    stays = (replace(line, reason=place.reason) for line in (*found.removed, *found.kept))
    return Edit(file=place.file, before=place.data, after=place.data, kept=tuple(sorted(stays)))


def _usual(root: Path) -> Iterator[Path]:
    for folder in (root, root / _FOLDER):
        for path in sorted(folder.glob("*")):
            name = path.relative_to(root).as_posix()
            if path.suffix not in (".txt", ".in") or path.name == "MANIFEST.in":
                continue
            is_asking = kind_of(name) == "requirements" and not _CONSTRAINTS.fullmatch(path.name)
            if is_asking or (path.suffix == ".in" and is_requirements(_text(_bytes(path)))):
                yield path


def _follow(path: Path, root: Path, reason: str, found: dict[Path, RequirementSource]) -> None:
    """Add a file and its includes; a file included by ``-r`` anywhere is not only a constraint."""
    path = Path(os.path.normpath(path))
    if path in found and not (found[path].reason == _LIMITS and not reason):
        return
    data = _bytes(path)
    if not data:
        return
    outside = "" if path.resolve().is_relative_to(root.resolve()) else _OUTSIDE
    name = Path(os.path.relpath(path.absolute(), root.absolute())).as_posix()
    found[path] = RequirementSource(file=name, data=data, reason=outside or reason)
    if path.name != _PYPROJECT:
        for kind, inner in included(_text(data)):
            _follow(path.parent / inner, root, _LIMITS if kind == "-c" else reason, found)


def _bytes(path: Path) -> bytes:
    """Return a file's bytes; empty if unreadable or larger than such a file can be."""
    try:
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            return b""
        return path.read_bytes()
    except (OSError, ValueError):
        return b""


def _text(data: bytes) -> str:
    return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "replace")
