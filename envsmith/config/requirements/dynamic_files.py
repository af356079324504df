"""Dependencies that pyproject.toml leaves to files: ``dynamic`` with setuptools or hatch-requirements-txt.

Source: setuptools' documentation, "Configuring setuptools using pyproject.toml files", and that of
hatch-requirements-txt, both from memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from packaging.utils import canonicalize_name

from envsmith.config.readers import Location
from envsmith.config.requirement import SourcedRequirement
from envsmith.config.requirements.tool_tables import ReadFiles, ToolTable, inside, texts

_HATCH_HOOK = ("hatch", "metadata", "hooks", "requirements_txt")


class DynamicFiles:
    """The requirements files with dynamic dependencies and extras."""

    def __init__(
        self,
        project: Mapping[str, object],
        tools: Mapping[str, object],
        location: Location,
        read_files: ReadFiles | None,
    ) -> None:
        """Find the files.

        Args:
            project: the table ``[project]``.
            tools: the table ``[tool]``.
            location: of that table; problems are added there.
            read_files: reads requirements files of the project.
        """
        dynamic = project.get("dynamic")
        self._dynamic = dynamic if isinstance(dynamic, list) else []
        self._read = read_files
        self.found = ToolTable()
        self._main: list[tuple[str, Location]] = []
        self._extras: dict[str, list[tuple[str, Location]]] = {}
        self._take_setuptools(tools, location)
        self._take_hatch(tools, location)

    @property
    def is_dynamic(self) -> bool:
        """Whether the dependencies of the project are dynamic."""
        return "dependencies" in self._dynamic

    @property
    def has_dependencies(self) -> bool:
        """Whether files contain them."""
        return self.is_dynamic and bool(self._main)

    @property
    def groups(self) -> Mapping[str, object]:
        """None: groups are never dynamic."""
        return {}

    @property
    def extras(self) -> Mapping[str, object]:
        """The dynamic extras by normalised name."""
        return self._extras if "optional-dependencies" in self._dynamic else {}

    def dependencies(self) -> Iterator[SourcedRequirement]:
        """Yield the dependencies that are always installed."""
        yield from self._read_all(self._main)

    def of_extra(self, name: str) -> Iterator[SourcedRequirement]:
        """Yield the dependencies of an extra."""
        yield from self._read_all(self._extras[name])

    of_group = of_extra

    def _read_all(self, files: list[tuple[str, Location]]) -> Iterator[SourcedRequirement]:
        for name, at in files:
            with at.problems.collecting():
                yield from self.found.add_file(self._read([name], at.where)) if self._read else ()

    def _take_setuptools(self, tools: Mapping[str, object], location: Location) -> None:
        at = location.at("setuptools").at("dynamic")
        table = inside(inside(tools, location, "setuptools"), location.at("setuptools"), "dynamic")
        self._main += self._files(table, at, "dependencies")
        extras = inside(table, at, "optional-dependencies")
        for name in extras:
            files = self._files(extras, at.at("optional-dependencies"), name)
            self._extras[str(canonicalize_name(name))] = list(files)

    @staticmethod
    def _files(table: Mapping[str, object], at: Location, key: str) -> Iterator[tuple[str, Location]]:
        yield from texts(inside(table, at, key), at.at(key), "file")

    def _take_hatch(self, tools: Mapping[str, object], location: Location) -> None:
        table, at = tools, location
        for key in _HATCH_HOOK:
            table, at = inside(table, at, key), at.at(key)
        self._main += texts(table, at, "files")
        extras = inside(table, at, "optional-dependencies")
        for name in extras:
            files = texts(extras, at.at("optional-dependencies"), name)
            self._extras[str(canonicalize_name(name))] = list(files)
