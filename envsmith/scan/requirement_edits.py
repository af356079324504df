"""Takes requirements out of a pyproject.toml, its formatting and comments kept."""

from __future__ import annotations

import codecs
import re
import tomllib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from copy import deepcopy
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from envsmith.config.positions import Path, TomlText
from envsmith.config.requirements_txt import pin_of_wheel
from envsmith.errors import ProfileError
from envsmith.files.edit import Edit, Line

_START = re.compile(r"\[ *")
_END = re.compile(r"[, ]*\]$")
_COMMENT = re.compile(r"#.*")


def cut_pyproject(data: bytes, file: str, projects: Collection[str]) -> Edit:
    """Take items out of ``dependencies``, ``optional-dependencies`` and ``dependency-groups``.

    With an item goes the comment on its line. Where the file would then not say what it should, as by a form that
    tomlkit writes otherwise, the items stay.

    Args:
        data: the file's bytes.
        file: its name, relative to the project's root.
        projects: normalised names.
    """
    bom = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    try:
        text = data[len(bom) :].decode()
        document = TomlText.parse(text, file)
    except (UnicodeDecodeError, ProfileError):
        return Edit(file=file, before=data, after=data)
    paths = [path for path in _places(document.data) if _project(_at(document.data, path)) in projects]
    lines = tuple(_line(document, path, file) for path in paths)
    if not paths:
        return Edit(file=file, before=data, after=data)
    after = _without(text, paths)
    if not (_says(after, document.data, paths) and _comments(text, document, paths) <= _comments(after)):
        stays = tuple(_stays(line) for line in lines)
        return Edit(file=file, before=data, after=data, stays=stays)
    return Edit(file=file, before=data, after=bom + after.encode(), gone=lines)


def _places(data: Mapping[str, object]) -> Iterator[Path]:
    """Yield the paths of all lists of requirements' items."""
    project = data.get("project")
    if isinstance(project, Mapping):
        yield from _items(project.get("dependencies"), ("project", "dependencies"))
        yield from _tables(project.get("optional-dependencies"), ("project", "optional-dependencies"))
    yield from _tables(data.get("dependency-groups"), ("dependency-groups",))


def _tables(node: object, path: Path) -> Iterator[Path]:
    for name, items in node.items() if isinstance(node, Mapping) else ():
        yield from _items(items, (*path, name))


def _items(node: object, path: Path) -> Iterator[Path]:
    if isinstance(node, list):
        yield from ((*path, number) for number in range(len(node)))


def _at(node: Any, path: Path) -> Any:  # noqa: ANN401 - TOML holds anything
    for part in path:
        node = node[part]
    return node


def _project(item: object) -> str:
    if not isinstance(item, str):
        return ""
    try:
        return canonicalize_name(Requirement(pin_of_wheel(item) or item).name)
    except (ValueError, RecursionError):
        return ""


def _line(document: TomlText, path: Path, file: str) -> Line:
    text = str(_at(document.data, path))
    return Line(file=file, line=document.lines.get(path, 1), project=_project(text), text=text)


def _stays(line: Line) -> Line:
    reason = "the list is written in a way that cannot be edited without changing more"
    return Line(file=line.file, line=line.line, project=line.project, text=line.text, reason=reason)


def _without(text: str, paths: list[Path]) -> str:
    import tomlkit

    document = tomlkit.parse(text)
    lists = {path[:-1]: _at(document, path[:-1]).as_string() for path in paths}
    for path in reversed(paths):
        del _at(document, path[:-1])[path[-1]]
    after = tomlkit.dumps(document)
    for path, before in lists.items():
        written = _at(document, path).as_string()
        if "\n" not in before and after.count(written) == 1:
            after = after.replace(written, _closed(written, before))
    return after


def _closed(written: str, before: str) -> str:
    """Open and close a list on one line as it was before: tomlkit moves spaces and commas there."""
    inner = written[1:-1].strip(", ")
    start, end = _START.match(before), _END.search(before)
    return f"{start[0]}{inner}{end[0]}" if inner and start and end else "[]"


def _says(text: str, data: Mapping[str, object], paths: list[Path]) -> bool:
    """Say whether a text holds the same values but for the items taken out."""
    wanted = deepcopy(dict(data))
    for path in reversed(paths):
        del _at(wanted, path[:-1])[path[-1]]
    try:
        return tomllib.loads(text) == wanted
    except ValueError:
        return False


def _comments(text: str, document: TomlText | None = None, paths: Collection[Path] = ()) -> Counter[str]:
    """Count a text's comments, but for those on lines that nothing but the given items stands on."""
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
