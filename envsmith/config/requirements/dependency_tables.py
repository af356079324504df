"""Tables of dependencies by name, as Poetry, Pipenv and pixi write them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from packaging.utils import InvalidName, canonicalize_name

from envsmith.config import readers
from envsmith.config.direct_references import read_direct
from envsmith.config.readers import Location
from envsmith.config.requirement import SourcedRequirement
from envsmith.config.requirements.poetry_versions import (
    all_of,
    to_platform_marker,
    to_python_marker,
    to_specifier,
)
from envsmith.config.requirements.requirements_parser import hashes_of_wheel, note_of_wheel, pin_of_wheel
from envsmith.config.requirements.tool_tables import (
    ELSEWHERE,
    ToolTable,
    add_source,
    at_source,
    is_elsewhere,
    line_of,
    notes_on_keys,
    read_marker,
    sourced,
    texts,
)
from envsmith.model.finding import Decision

_READ = frozenset({"version", "extras", "markers", "python", "platform", "optional", "source", "index"})
# Marker variables that Pipenv admits as keys of their own.
_MARKER_KEYS = ("os_name", "sys_platform", "platform_machine", "platform_system", "python_version")
_WITHOUT_EFFECT = frozenset({"develop", "editable", "branch", "tag", "rev", "subdirectory"})
_PRE = "locks take a pre-release only where a requirement names one"
_PRE_RELEASES = ("allow-prereleases", "allows-prereleases")
# A comparison with `extra`, and markers that hold everywhere or nowhere.
_EXTRA = re.compile(r"""\bextra\s*(==|!=)\s*(['"])([^'"]*)\2""")
_EXTRA_NAME = re.compile(r"\bextra\b")
_TRUE, _FALSE = "python_version >= '3'", "python_version < '3'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """One entry of a table: a version, or a table of keys."""

    name: str
    """Normalised."""
    fields: Mapping[str, object]
    at: Location

    @property
    def is_optional(self) -> bool:
        """Whether it is installed with an extra only."""
        return self.fields.get("optional") is True


def read_dependencies(table: object, location: Location) -> Iterator[Dependency]:
    """Yield the entries of a table, each item of a list of constraints by itself."""
    for written, value in (readers.table(table, location) or {}).items():
        at = location.at(written)
        try:
            name = str(canonicalize_name(written, validate=True))
        except InvalidName:
            at.problem("PRF020", f"invalid name {written[:40]!r}", "use letters, digits, and . _ - inside")
            continue
        for number, item in enumerate(value if isinstance(value, list) else [value]):
            place = at.at(number) if isinstance(value, list) else at
            found = {"version": item} if isinstance(item, str) else readers.table(item, place)
            if found is not None:
                yield Dependency(name=name, fields=found, at=place)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedSources:
    """The indexes that a file names, for the dependencies that refer to them."""

    urls: Mapping[str, str] = field(default_factory=dict)
    """Name → address; empty for PyPI."""
    hint: str = ""
    """How an index gets a name."""

    def take(self, name: str, source: object, marker: str, at: Location, found: ToolTable) -> None:
        """Take a package from the index that its entry names."""
        url = self.urls.get(str(source).lower())
        if url is None:
            at.problem("PRF052", f"{name} comes from {source!r}, and no index has that name", self.hint)
        elif url:
            add_source(found, name, url, marker, at)


def convert(
    item: Dependency, sources: NamedSources, found: ToolTable, extras: Collection[str] = ()
) -> Iterator[SourcedRequirement]:
    """Yield the requirement (PEP 508) of an entry, and take its index; nothing after recording a problem.

    Args:
        item: the entry.
        sources: indexes by name.
        found: gets the index and the notes.
        extras: those that are locked, for markers that name ``extra``.
    """
    found.notes += _notes(item)
    url = item.fields.get("url", item.fields.get("file"))
    is_wheel = isinstance(url, str) and url.startswith("http") and url.partition("#")[0].endswith(".whl")
    with item.at.problems.collecting(item.at.where):
        version = item.fields.get("version", "*")
        specifier = to_specifier(version) if isinstance(version, str) else None
        marker = _marker(item, extras)
        if specifier is None:
            item.at.problem("PRF004", "version must be a text", 'write it as "^1.2"')
        if specifier is None or marker is None:
            return
        if source := item.fields.get("source", item.fields.get("index")):
            sources.take(item.name, source, marker, item.at, found)
        names = ",".join(text for text, _ in texts(item.fields, item.at, "extras"))
        extras_text = f"[{names}]" if names else ""
        if not is_wheel and is_elsewhere(item.fields):
            found_at = at_source(item.name, item.fields, item.at, extras=extras_text, marker=marker)
            yield from (found_at,) if found_at else ()
            return
        text = f"{item.name}{extras_text}{f' @ {url}' if is_wheel else specifier}"
        text = f"{text} ; {marker}" if marker else text
        if is_wheel:
            yield _of_wheel(text, item.at, found)
        else:
            yield from sourced(text, item.at)


def _of_wheel(text: str, at: Location, found: ToolTable) -> SourcedRequirement:
    """Return the requirement on the wheel at a URL; one of PyTorch's is a pin, with a note."""
    pin, origin = pin_of_wheel(text), line_of(at)
    if pin:
        found.notes.append(note_of_wheel(pin, origin))
    requirement, hashes = read_direct(pin or text)
    hashes = hashes_of_wheel(text) if pin else hashes
    return SourcedRequirement(requirement=requirement, origin=origin, hashes=hashes)


def _notes(item: Dependency) -> Iterator[Decision]:
    reasons = dict.fromkeys(_PRE_RELEASES, _PRE)
    # A list of versions with `python` and so on has the other keys too; those of Pipenv are markers.
    known = {*_READ, *_WITHOUT_EFFECT, *_PRE_RELEASES, *_MARKER_KEYS}
    yield from notes_on_keys(item.fields, item.at, known | ELSEWHERE.keys(), reasons)


def _marker(item: Dependency, extras: Collection[str]) -> str | None:
    """Return the marker of an entry; None after recording a problem."""
    written = item.fields.get("markers")
    text = read_marker(_without_extras(str(written), extras) if written else None, item.at.at("markers"))
    if text is None:
        return None
    if _EXTRA_NAME.search(text):
        item.at.at("markers").problem("PRF005", f"invalid marker {written!r}", "write \"extra == 'gpu'\"")
        return None
    parts = [text]
    for key, to_marker in (("python", to_python_marker), ("platform", to_platform_marker)):
        parts += [to_marker(value) for value, _ in texts(item.fields, item.at, key)]
    for key in _MARKER_KEYS:
        parts += [f"{key} {value}" for value, _ in texts(item.fields, item.at, key)]
    return all_of(parts)


def _without_extras(marker: str, extras: Collection[str]) -> str:
    """Return a marker with true or false instead of its comparisons with ``extra``."""

    def decided(match: re.Match[str]) -> str:
        is_locked = str(canonicalize_name(match[3])) in extras
        return _TRUE if is_locked == (match[1] == "==") else _FALSE

    return _EXTRA.sub(decided, marker)
