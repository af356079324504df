"""``[tool.poetry]`` of a project, converted: dependencies, extras, groups and indexes.

Source: the schemas of poetry-core 2.5.0 and Poetry 2.5.1 for the keys, and Poetry's factory for the default index (seen
2026-11-30); for the rest Poetry's documentation, from memory.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace

from packaging.markers import Marker
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from envsmith.config import readers
from envsmith.config.readers import Location
from envsmith.config.requirement import RequiresPython, SourcedRequirement
from envsmith.config.requirements.dependency_tables import (
    Dependency,
    NamedSources,
    convert,
    read_dependencies,
)
from envsmith.config.requirements.poetry_versions import to_python_marker, to_ranges
from envsmith.config.requirements.requirements_parser import PyTorchLine, is_default_index
from envsmith.config.requirements.tool_tables import (
    ToolTable,
    add_index,
    inside,
    line_of,
    not_followed,
    notes_on_keys,
    texts,
)
from envsmith.errors import redact
from envsmith.model.naming import suggestion

_FOLLOWED = frozenset({"dependencies", "dev-dependencies", "group", "extras", "source"})
_NOT_FOLLOWED = {
    "requires-plugins": "plugins of Poetry are not run",
    "build-constraints": "locking builds nothing",
}
_WITHOUT_EFFECT = frozenset(
    """
    name version description package-mode license authors maintainers readme homepage repository documentation keywords
    classifiers packages include exclude scripts plugins urls build requires-poetry
    """.split()  # noqa: SIM905
)
KNOWN_KEYS = _FOLLOWED | _NOT_FOLLOWED.keys() | _WITHOUT_EFFECT
"""Keys of the table with a meaning here; any other one is named in a note."""
_SOURCE_KEYS = frozenset({"name", "url", "priority", "default", "secondary", "links", "indexed"})
_GROUP_KEYS = frozenset({"dependencies", "optional", "include-groups"})
_OTHER_INDEX = 'write `priority = "explicit"`, and `source = "{}"` at its packages'
_DEV = "dev"


class PoetryTable:
    """Reader of ``[tool.poetry]``; `found` grows while dependencies, extras and groups are asked for."""

    def __init__(
        self, table: Mapping[str, object], location: Location, extras: Callable[[], Collection[str]]
    ) -> None:
        """Read the keys of the table.

        Args:
            table: the keys.
            location: of the table; problems are added there.
            extras: returns those that are locked, normalised.
        """
        self._location = location
        self._main = list(self._dependencies(table, location))
        self._locked_extras = extras
        self._seen: set[str] = set()
        self.found = ToolTable()
        self.extras = dict(_by_name(inside(table, location, "extras"), location.at("extras")))
        """Normalised names; values are the names of dependencies."""
        self.groups = dict(_by_name(inside(table, location, "group"), location.at("group")))
        """Normalised names; values are the tables."""
        if "dev-dependencies" in table:  # the earlier way to write the group
            self.groups.setdefault(
                _DEV, (location, {"dependencies": inside(table, location, "dev-dependencies")})
            )
        self.found.notes += notes_on_keys(table, location, KNOWN_KEYS, _NOT_FOLLOWED)
        self._sources = self._read_sources(table)

    @property
    def has_dependencies(self) -> bool:
        """Whether the table lists dependencies of the project itself."""
        return bool(self._main)

    def dependencies(self) -> Iterator[SourcedRequirement]:
        """Yield the dependencies that are always installed, and take the Pythons of the project."""
        for item in self._main:
            if item.name == "python":
                self._take_python(item)
            elif not item.is_optional:
                yield from self._convert(item)

    def of_extra(self, name: str) -> Iterator[SourcedRequirement]:
        """Yield the optional dependencies of an extra."""
        names = [
            (str(canonicalize_name(text)), at)
            for text, at in texts({"": self.extras[name][1]}, self.extras[name][0], "")
        ]
        for wanted, at in names:
            items = [item for item in self._main if item.name == wanted]
            if not items:
                known = [item.name for item in self._main]
                at.problem(
                    "PRF027",
                    f"extra {name!r} names {wanted}, but no dependency has that name",
                    suggestion(wanted, known),
                )
            for item in items:
                if item.is_optional and wanted not in self._seen:
                    yield from self._convert(item)
            self._seen.add(wanted)

    def of_group(self, name: str) -> Iterator[SourcedRequirement]:
        """Yield the dependencies of a group and of those that it includes."""
        if f"group {name}" in self._seen:
            return
        self._seen.add(f"group {name}")
        location, value = self.groups[name]
        table = readers.table(value, location) or {}
        self.found.notes += notes_on_keys(table, location, _GROUP_KEYS, {})
        for item in self._dependencies(table, location):
            yield from self._convert(item)
        for text, at in texts(table, location, "include-groups"):
            included = str(canonicalize_name(text))
            if included in self.groups:
                yield from self.of_group(included)
            else:
                at.problem("PRF027", f"group {text!r} not found", suggestion(text, self.groups))

    def enrich(self, names: Collection[str]) -> None:
        """Take versions and indexes of dependencies that ``[project]`` lists: Poetry adds them to those of the project.

        Args:
            names: of the requirements that are locked, normalised.
        """
        for item in self._main:
            if item.name == "python":
                self._take_python(item)
            elif item.name in names:
                for found in self._convert(item):
                    (self.found.direct if found.requirement.url else self.found.constraints).append(found)
            elif not item.is_optional:
                reason = "[project] has dependencies without it"
                self.found.notes.append(not_followed(item.at, reason))

    def _convert(self, item: Dependency) -> Iterator[SourcedRequirement]:
        return convert(item, self._sources, self.found, self._locked_extras())

    @staticmethod
    def _dependencies(table: Mapping[str, object], location: Location) -> Iterator[Dependency]:
        key = "dependencies"
        return read_dependencies(table.get(key, {}), location.at(key))

    def _take_python(self, item: Dependency) -> None:
        """Take ``python`` as ``requires-python``; a union is a list of markers, one of which must hold."""
        version = item.fields.get("version")
        with item.at.problems.collecting(item.at.where):
            ranges = to_ranges(version) if isinstance(version, str) else [()]
            if len(ranges) > 1:
                self.found.environments.append(Marker(to_python_marker(str(version))))
            else:
                specifier = SpecifierSet(",".join(operator + text for operator, text in ranges[0]))
                self.found.requires_python = RequiresPython(specifier=specifier, where=line_of(item.at))

    def _read_sources(self, table: Mapping[str, object]) -> NamedSources:
        """Return the indexes by name; those for all packages are taken or refused."""
        urls = {"pypi": ""}
        is_pypi_named = False
        items = table.get("source", [])
        for number, item in enumerate(items if isinstance(items, list) else [items]):
            at = self._location.at("source").at(number)
            fields = readers.table(item, at) or {}
            name = readers.text(fields.get("name"), at.at("name")) or ""
            is_pypi = name.lower() == "pypi"
            is_pypi_named |= is_pypi
            self.found.notes += notes_on_keys(fields, at, _SOURCE_KEYS, {})
            url = "" if is_pypi and "url" not in fields else readers.text(fields.get("url"), at.at("url"))
            if url is None:
                continue
            urls[name.lower()] = url
            if is_pypi and fields.get("priority") == "explicit":
                self.found.notes.append(not_followed(at.at("priority"), "PyPI serves every package"))
            if url and fields.get("priority") != "explicit":
                self._read_index(fields, url, name, at)
        # With an index of its own for all packages, Poetry asks PyPI only if it is named.
        if self.found.indexes and not is_pypi_named:
            self.found.indexes[-1] = replace(self.found.indexes[-1], is_default=True)
        return NamedSources(urls=urls, hint="name it under [[tool.poetry.source]]")

    def _read_index(self, fields: Mapping[str, object], url: str, name: str, at: Location) -> None:
        is_last = fields.get("priority") == "supplemental" or fields.get("secondary") is True
        is_known = is_default_index(url) or PyTorchLine.parse(kind="index", url=url, origin="") is not None
        if is_last and not is_known:
            text = (
                f"{redact(url)!r} would serve what PyPI lacks: an index is asked before PyPI, or not at all"
            )
            at.problem("PRF026", text, _OTHER_INDEX.format(name))
        else:
            add_index(self.found, url, at, name)


def _by_name(
    table: Mapping[str, object], location: Location
) -> Iterator[tuple[str, tuple[Location, object]]]:
    for name, value in table.items():
        yield str(canonicalize_name(name)), (location.at(name), value)
