"""The tables of other tools in a project: their common content, notes on keys without effect, and refusals."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from packaging.markers import InvalidMarker, Marker

from envsmith.config import readers
from envsmith.config.build_settings import BuildSettings
from envsmith.config.direct_references import on_source, with_sources
from envsmith.config.package_source import PackageSource
from envsmith.config.readers import Location
from envsmith.config.requirement import RequiresPython, SourcedRequirement, read_requirement
from envsmith.config.requirements.requirements_parser import (
    IndexSource,
    PyTorchLine,
    RequirementsFile,
    is_default_index,
)
from envsmith.errors import ProfileError, redact
from envsmith.model.finding import Decision
from envsmith.model.listing import VersionMetadata
from envsmith.model.package_index import PackageIndex

NOT_FOLLOWED = "PRF106"
"""Code of the note about a key that locks do not follow."""
ELSEWHERE = {
    "workspace": "a member of the workspace",
    "path": "the folder or file {value!r}",
    "file": "the file {value!r}",
    "git": "the repository {value!r}",
    "hg": "the repository {value!r}",
    "svn": "the repository {value!r}",
    "ref": "another project, by its reference {value!r}",
    "url": "the address {value!r}",
}
"""Keys of a package that comes from a place other than an index."""
_REVISIONS = ("rev", "ref", "tag", "branch")
_HOW_ELSEWHERE = (
    "locks take packages from an index by name, and PyPI's package of that name may be a stranger's"
)


@dataclass(kw_only=True)
class ToolTable:
    """Content of a tool's table, such as ``[tool.uv]``, about the packages of a project."""

    requirements: list[SourcedRequirement] = field(default_factory=list)
    constraints: list[SourcedRequirement] = field(default_factory=list)
    overrides: list[SourcedRequirement] = field(default_factory=list)
    excludes: list[str] = field(default_factory=list)
    pytorch_lines: list[PyTorchLine] = field(default_factory=list)
    index_sources: list[IndexSource] = field(default_factory=list)
    direct: list[SourcedRequirement] = field(default_factory=list)
    """Requirements on the files that sources name, with the markers of the sources."""
    indexes: list[PackageIndex] = field(default_factory=list)
    environments: list[Marker] = field(default_factory=list)
    described: list[VersionMetadata] = field(default_factory=list)
    builds: list[BuildSettings] = field(default_factory=list)
    notes: list[Decision] = field(default_factory=list)
    as_of: str = ""
    requires_python: RequiresPython | None = None

    def add(self, other: ToolTable) -> None:
        """Add another table; its single values are taken where this one has none."""
        for item in fields(self):
            own, more = getattr(self, item.name), getattr(other, item.name)
            setattr(self, item.name, own + more if isinstance(own, list) else own or more)

    def add_file(self, file: RequirementsFile) -> tuple[SourcedRequirement, ...]:
        """Add all but the requirements of a file, and return these."""
        values: dict[str, Any] = {item.name: getattr(file, item.name, []) for item in fields(self)}
        values |= {key: list(value) for key, value in values.items() if isinstance(value, tuple)}
        self.add(ToolTable(**{**values, "requirements": []}))
        return file.requirements

    def as_file(self, place: str) -> RequirementsFile:
        """Return the same as the content of a file.

        Args:
            place: the file's name for messages.
        """
        found: dict[str, Any] = {item.name: getattr(self, item.name) for item in fields(self)}
        found["requirements"] = list(with_sources(self.requirements, found.pop("direct")))
        found |= {key: tuple(value) for key, value in found.items() if isinstance(value, list)}
        return RequirementsFile(place=place, **found)


ReadFiles = Callable[[Sequence[str], str], RequirementsFile]
"""Reads requirements files of the project, which another file at a place names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What of a project is locked."""

    names: Collection[str]
    """Its direct requirements, normalised."""
    extras: Collection[str]
    groups: Collection[str]
    """Both normalised."""


def notes_on_keys(
    table: Mapping[str, object], location: Location, known: Collection[str], reasons: Mapping[str, str]
) -> Iterator[Decision]:
    """Yield a note for each key that locks do not follow.

    Args:
        table: the keys.
        location: of the table.
        known: keys with a meaning here; any other one is noted.
        reasons: of the known keys that are noted, why, unless they have an empty value.
    """
    for key, reason in reasons.items():
        if table.get(key) not in (None, [], {}, False):
            yield not_followed(location.at(key), reason)
    for key in sorted(table.keys() - known):
        yield not_followed(location.at(key), "its meaning is not known")


def not_followed(location: Location, reason: str) -> Decision:
    """Return the note on a key that locks do not follow, with its line (PRF106)."""
    place = location.where
    key = ".".join(str(part) for part in location.path)
    return Decision(
        subject=key,
        kind="noted",
        message=f"{line_of(location)}: {key} is not followed: {reason}",
        evidence=(place,),
        code=NOT_FOLLOWED,
    )


def line_of(location: Location) -> str:
    """Return file and line of a place: ``pyproject.toml:7``."""
    return location.where.partition(": ")[0]


def inside(table: Mapping[str, object], location: Location, key: str) -> Mapping[str, object]:
    """Return the table under a key; empty without the key, or after recording a problem."""
    return (readers.table(table[key], location.at(key)) if key in table else None) or {}


def texts(table: Mapping[str, object], location: Location, key: str) -> Iterator[tuple[str, Location]]:
    """Yield the texts of a list, or the only one, each with its place."""
    items = table.get(key, [])
    if not isinstance(items, list):
        items = [items]
    for number, item in enumerate(items):
        place = location.at(key).at(number)
        if (text := readers.text(item, place)) is not None:
            yield text, place


def requirement_list(
    table: Mapping[str, object], location: Location, key: str
) -> Iterator[SourcedRequirement]:
    """Yield the requirements (PEP 508) of a list."""
    for text, place in texts(table, location, key):
        yield from sourced(text, place)


def sourced(text: str, place: Location) -> Iterator[SourcedRequirement]:
    """Yield the requirement of a text; nothing after recording a problem."""
    with place.problems.collecting(place.where):
        yield SourcedRequirement(requirement=read_requirement(text), origin=line_of(place))


def read_marker(value: object, at: Location) -> str | None:
    """Return the text of a marker, empty without one; None after recording a problem."""
    if value is None:
        return ""
    try:
        return str(Marker(str(value)))
    except InvalidMarker:
        at.problem("PRF005", f"invalid marker {value!r}", "write \"sys_platform == 'linux'\"")
        return None


def is_elsewhere(fields: Mapping[str, object]) -> bool:
    """Return whether a package comes from a place other than an index."""
    return any(fields.get(key) for key in ELSEWHERE)


def at_source(
    name: str, fields: Mapping[str, object], at: Location, *, extras: str = "", marker: str = ""
) -> SourcedRequirement | None:
    """Return the requirement on a package at the place that its entry names; None after recording a problem."""
    with at.problems.collecting(at.where):
        revision = next((str(fields[key]) for key in _REVISIONS if fields.get(key)), "")
        subdirectory = str(fields.get("subdirectory", ""))
        place = fields.get("path") or fields.get("url") or fields.get("file")
        if url := fields.get("git"):
            source = PackageSource.of_git(_text(url), revision, subdirectory)
        elif fields.get("workspace"):
            source = PackageSource(kind="workspace", place=name, is_editable=True)
        elif place:
            source = PackageSource.parse(_text(place))
            source = replace(source, subdirectory=subdirectory or source.subdirectory)
        else:
            refuse_elsewhere(name, fields, at)
            return None
        flags = [fields[key] for key in ("editable", "develop") if isinstance(fields.get(key), bool)]
        if source.kind in ("folder", "workspace"):
            source = replace(
                source,
                is_editable=bool(flags[0]) if flags else source.is_editable,
                is_virtual=fields.get("package") is False,
            )
        requirement = on_source(name, source, extras=extras, marker=marker)
        return SourcedRequirement(requirement=requirement, origin=line_of(at))
    return None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ProfileError(
            "PRF004", f"must be a text, not {readers.type_name(value)}", hint="put it in quotes"
        )
    return value


def refuse_elsewhere(name: str, fields: Mapping[str, object], at: Location) -> bool:
    """Return whether a package comes from a place other than an index, after refusing it."""
    key = next((key for key in ELSEWHERE if fields.get(key)), "")
    if key:
        what = ELSEWHERE[key].format(value=redact(str(fields[key])))
        at.problem("PRF052", f"{name} comes from {what}", _HOW_ELSEWHERE)
    return bool(key)


def add_index(
    found: ToolTable, url: str, location: Location, name: str = "", *, is_default: bool = False
) -> None:
    """Add an index for all packages; PyPI changes nothing, and PyTorch's names a backend."""
    if line := PyTorchLine.parse(kind="index", url=url, origin=line_of(location)):
        found.pytorch_lines.append(line)
    elif not is_default_index(url):
        with location.problems.collecting(location.where):
            found.indexes.append(PackageIndex.checked(url, name, is_default=is_default))


def add_source(found: ToolTable, name: str, url: str, marker: str, location: Location) -> None:
    """Add the index of a single package; PyTorch's names a backend where the marker holds."""
    origin = line_of(location)
    if line := PyTorchLine.parse(kind="index", url=url, origin=origin, marker=marker, project=name):
        found.pytorch_lines.append(line)
    elif not is_default_index(url):
        with location.problems.collecting(location.where):
            PackageIndex.checked(url)
            found.index_sources.append(IndexSource(name=name, url=url, marker=marker, origin=origin))
