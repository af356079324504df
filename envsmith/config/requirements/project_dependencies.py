"""Requirements in pyproject.toml, with extras and dependency groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Protocol

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from envsmith.config import readers
from envsmith.config.direct_references import read_direct
from envsmith.config.positions import TomlDocument
from envsmith.config.readers import Location, Problems
from envsmith.config.requirement import (
    RequiresPython,
    SourcedRequirement,
    labels,
    read_requires_python,
)
from envsmith.config.requirements.dynamic_files import DynamicFiles
from envsmith.config.requirements.pdm_table import read_hatch_table, read_pdm_table
from envsmith.config.requirements.pixi_table import read_pixi_table
from envsmith.config.requirements.poetry_table import PoetryTable
from envsmith.config.requirements.requirements_parser import (
    RequirementsFile,
    hashes_of_wheel,
    note_of_wheel,
    pin_of_wheel,
)
from envsmith.config.requirements.setup_files import FilesBeside
from envsmith.config.requirements.tool_tables import Chosen, ToolTable, inside
from envsmith.config.requirements.uv_table import read_uv_table
from envsmith.errors import ProfileError
from envsmith.model.finding import Decision
from envsmith.model.naming import suggestion

_DEEPEST = 50
_TOOLS = ("uv", "poetry", "pdm", "hatch", "pixi")


ALL = "*"
"""Stands for every extra or group."""


def from_pyproject(
    text: str,
    place: str,
    extras: Iterable[str] = (),
    groups: Iterable[str] = (),
    uv_toml: str = "",
    files: FilesBeside | None = None,
) -> RequirementsFile | None:
    """Read a project's requirements from the text of its pyproject.toml.

    Args:
        text: the file's text.
        place: the file's name for messages.
        extras: names under ``[project.optional-dependencies]`` to add.
        groups: names under ``[dependency-groups]`` to add.
        uv_toml: text of the uv.toml beside it: uv reads its indexes and cutoff from there, if there is one.
        files: those that list dependencies which pyproject.toml does not.

    Returns:
        None if nothing lists dependencies, there is no ``[project]``, and neither extras nor groups are given.

    Raises:
        ProfileError: with all problems as ``parts``: malformed requirements, unknown extras or groups, cycles of
            groups, dependencies known only after a build.
    Source: pyproject.toml specification; PEP 735 for dependency groups (both read 2026-11-21).
    """
    document = TomlDocument.parse(text, place)
    problems = Problems()
    root = Location(text=document, problems=problems)
    parser = _PyprojectParser(root, document.data, (tuple(extras), tuple(groups)), files)
    if not parser.is_declared:
        return None
    found = ToolTable()
    with problems.collecting():
        found.requirements += parser.all()
    found.requires_python = parser.bound()
    with problems.collecting():
        labels(item for item in found.requirements if item.requirement.marker is None)
    parser.add_tools(found)
    if uv_toml:
        settings = TomlDocument.parse(uv_toml, "uv.toml")
        chosen = Chosen(names=(), extras=(), groups=())
        found.add(read_uv_table(settings.data, Location(text=settings, problems=problems), chosen))
    problems.raise_if_any()
    return found.as_file(place)


class _Source(Protocol):
    """A place other than ``[project]`` that lists dependencies."""

    found: ToolTable

    @property
    def has_dependencies(self) -> bool: ...
    @property
    def extras(self) -> Mapping[str, object]: ...
    @property
    def groups(self) -> Mapping[str, object]: ...
    def dependencies(self) -> Iterator[SourcedRequirement]: ...
    def of_extra(self, name: str) -> Iterator[SourcedRequirement]: ...
    def of_group(self, name: str) -> Iterator[SourcedRequirement]: ...


class _PyprojectParser:
    def __init__(
        self,
        root: Location,
        data: Mapping[str, object],
        wanted: tuple[tuple[str, ...], tuple[str, ...]],
        files: FilesBeside | None,
    ) -> None:
        self._root, self._data = root, data
        self._project = inside(data, root, "project")
        self._project_location = root.at("project")
        self._extras = self._by_name(self._project, self._project_location, "optional-dependencies")
        self._groups = self._by_name(data, root, "dependency-groups")
        tool, at = inside(data, root, "tool"), root.at("tool")
        self._tools = {name: (inside(tool, at, name), at.at(name)) for name in _TOOLS}
        self._earlier: dict[str, list[tuple[Location, object]]] = {}
        self._add_dev_dependencies()
        self._poetry = PoetryTable(*self._tools["poetry"], self._locked_extras)
        self._pixi = read_pixi_table(*self._tools["pixi"], str(self._project.get("name", "")))
        self._has_own = bool(self._project.get("dependencies"))
        self._dynamic = DynamicFiles(self._project, tool, at, files.read if files else None)
        self._sources: list[_Source] = [self._poetry, self._dynamic]
        is_listed = self._has_own or any(source.has_dependencies for source in self._sources)
        if not is_listed and files and (other := files.declare(root.problems)):
            self._sources.append(other)
        extras, groups = wanted
        others = [name for source in self._sources for name in source.extras]
        self._chosen_extras = [*self._extras, *others] if ALL in extras else extras
        others = [name for source in self._sources for name in source.groups]
        self._chosen_groups = [*self._groups, *self._earlier, *others] if ALL in groups else groups
        self.is_declared = bool(
            "project" in data
            or extras
            or groups
            or self._pixi.requirements
            or any(source.has_dependencies for source in self._sources)
        )
        self._seen: set[str] = set()
        self._depth = 0
        self._notes: list[Decision] = []

    def all(self) -> list[SourcedRequirement]:
        found = [*self._dependencies(), *self._pixi.requirements]
        for name in self._chosen_extras:
            found += self._extra(name, self._project_location.at("optional-dependencies"))
        for name in self._chosen_groups:
            found += self._group(name, self._root.at("dependency-groups"), ())
        return found

    def add_tools(self, found: ToolTable) -> None:
        """Add what the tables of tools say, for what is locked."""
        seen = [text.split(" ", 1) for text in self._seen]
        chosen = Chosen(
            names={item.name for item in found.requirements},
            extras={name for kind, name in seen if kind == "extra"},
            groups={name for kind, name in seen if kind == "group"},
        )
        found.notes += self._notes
        found.add(read_uv_table(*self._tools["uv"], chosen))
        found.add(read_pdm_table(*self._tools["pdm"], chosen))
        found.add(read_hatch_table(*self._tools["hatch"]))
        found.add(replace(self._pixi, requirements=[]))
        if self._has_own:
            self._poetry.enrich(chosen.names)
        for source in self._sources:
            found.add(source.found)

    def _add_dev_dependencies(self) -> None:
        """Add the groups that uv and PDM had before there was a standard; both are combined, as there."""
        key = "dev-dependencies"
        table, at = self._tools["uv"]
        if key in table:
            self._earlier["dev"] = [(at.at(key), table[key])]
        table, at = self._tools["pdm"]
        for name, value in inside(table, at, key).items():
            self._earlier.setdefault(canonicalize_name(name), []).append((at.at(key).at(name), value))

    def _locked_extras(self) -> set[str]:
        return {str(canonicalize_name(name)) for name in self._chosen_extras}

    def bound(self) -> RequiresPython | None:
        """Return the project's ``requires-python``; None if absent."""
        key = "requires-python"
        return (
            read_requires_python(self._project[key], self._project_location.at(key))
            if key in self._project
            else None
        )

    def _by_name(
        self, data: Mapping[str, object], location: Location, key: str
    ) -> dict[str, tuple[Location, object]]:
        found: dict[str, tuple[Location, object]] = {}
        for name, value in inside(data, location, key).items():
            place = location.at(key).at(name)
            if canonicalize_name(name) in found:
                place.problem("PRF027", f"{name!r} exists twice, spelled differently", "keep one of them")
            found[canonicalize_name(name)] = (place, value)
        return found

    def _dependencies(self) -> Iterator[SourcedRequirement]:
        location = self._project_location
        source = next((source for source in self._sources if source.has_dependencies), None)
        if source and not self._has_own:
            yield from source.dependencies()
            return
        if self._dynamic.is_dynamic:
            backend = inside(self._data, self._root, "build-system").get("build-backend", "setuptools")
            location.at("dynamic").problem(
                "PRF028",
                f"the dependencies are known only after a build by {backend}",
                "name a requirements file with -r",
            )
        yield from self._list(self._project.get("dependencies", []), location.at("dependencies"), ())

    def _extra(self, name: str, location: Location) -> Iterator[SourcedRequirement]:
        if f"extra {canonicalize_name(name)}" in self._seen:
            return
        self._seen.add(f"extra {canonicalize_name(name)}")
        key = canonicalize_name(name)
        sources = [source for source in self._sources if key in source.extras]
        for source in sources:
            yield from source.of_extra(key)
        if sources and key not in self._extras:
            return
        if entry := self._entry(name, location, self._extras, "extra"):
            yield from self._list(entry[1], entry[0], ())

    def _group(
        self, name: str, location: Location, ancestors: tuple[str, ...]
    ) -> Iterator[SourcedRequirement]:
        # Not by packaging.dependency_groups: it reports problems without places, and recurses without a limit.
        key = canonicalize_name(name)
        if key in ancestors:
            cycle = " → ".join([*ancestors[ancestors.index(key) :], key])
            location.problem(
                "PRF029", f"groups include each other in a cycle: {cycle}", "remove one of the includes"
            )
        elif f"group {key}" not in self._seen:
            sources = [source for source in self._sources if key in source.groups]
            for source in sources:
                yield from source.of_group(key)
            lists = [*([self._groups[key]] if key in self._groups else []), *self._earlier.get(key, [])]
            for place, value in lists:
                yield from self._list(value, place, (*ancestors, key))
            if not sources and not lists:
                self._entry(name, location, self._groups, "group")
            self._seen.add(f"group {key}")

    @staticmethod
    def _entry(
        name: str, location: Location, known: Mapping[str, tuple[Location, object]], what: str
    ) -> tuple[Location, object] | None:
        entry = known.get(canonicalize_name(name))
        if entry is None:
            location.problem("PRF027", f"{what} {name!r} not found", suggestion(name, known))
        return entry

    def _list(
        self, value: object, location: Location, ancestors: tuple[str, ...]
    ) -> Iterator[SourcedRequirement]:
        if not isinstance(value, list):
            location.problem(
                "PRF004", f"must be a list, not {readers.type_name(value)}", "put it in brackets: [...]"
            )
            return
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ProfileError(
                "PRF029",
                f"extras or groups include each other more than {_DEEPEST} deep",
                where=location.where,
                hint="write them flatter",
            )
        for number, item in enumerate(value):
            place = location.at(number)
            if ancestors and isinstance(item, Mapping):
                yield from self._included(item, place, ancestors)
            elif (text := readers.text(item, place)) is not None:
                yield from self._one(text, place)
        self._depth -= 1

    def _included(
        self, item: Mapping[str, object], location: Location, ancestors: tuple[str, ...]
    ) -> Iterator[SourcedRequirement]:
        name = item.get("include-group")
        if list(item) == ["include-group"] and isinstance(name, str):
            yield from self._group(name, location, ancestors)
        else:
            location.problem(
                "PRF027", "is not an item of a group", 'write a requirement, or {include-group = "test"}'
            )

    def _one(self, text: str, location: Location) -> Iterator[SourcedRequirement]:
        requirement, hashes, origin = None, hashes_of_wheel(text), location.where.partition(": ")[0]
        pin = pin_of_wheel(text)
        if pin:
            self._notes.append(note_of_wheel(pin, origin))
        with self._root.problems.collecting(location.where):
            requirement, own = read_direct(pin or text)
            hashes = hashes if pin else own
        if requirement is None:
            return
        if self._is_own(requirement):
            for name in sorted(requirement.extras):
                yield from self._extra(name, location)
        else:
            yield SourcedRequirement(requirement=requirement, origin=origin, hashes=hashes)

    def _is_own(self, requirement: Requirement) -> bool:
        """Return whether a requirement names the project itself, as extras do to include other extras."""
        name = self._project.get("name")
        return isinstance(name, str) and canonicalize_name(name) == canonicalize_name(requirement.name)
