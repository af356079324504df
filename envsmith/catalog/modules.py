"""Import names of projects, if they differ from the project's name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from packaging.utils import NormalizedName, canonicalize_name

from envsmith.catalog.facts import Fact
from envsmith.catalog.table_reader import Row, read_table
from envsmith.model.usage import SearchedModule

_TABLE = Path(__file__).parent / "modules.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectModules(Fact):
    """The import names of one project."""

    project: NormalizedName
    modules: tuple[str, ...]
    """Dotted if several projects share a folder."""
    messages: tuple[str, ...] = ()
    """Beginnings of warnings that only this project prints."""


def read_modules(path: Path = _TABLE) -> tuple[ProjectModules, ...]:
    """Read modules.toml.

    Raises:
        CatalogError: CAT022 when it is malformed.
    """
    return read_table(path, "module", _row, ("project",))


def import_names(project: str) -> tuple[SearchedModule, ...]:
    """Return the modules whose import is a use of a project.

    The default for projects that are not in the table is their name, as written and in lower case, with dashes and
    dots as underscores or as dots.

    Args:
        project: its name as written; upper case can matter.
    """
    row = _by_project().get(canonicalize_name(project))
    if row:
        return tuple(SearchedModule(module=module, messages=row.messages) for module in row.modules)
    plain = project.replace("-", "_").replace(".", "_")
    names = dict.fromkeys((plain, plain.lower()))
    if "." in project:
        names |= dict.fromkeys((project, project.lower()))
    return tuple(SearchedModule(module=name) for name in names)


@cache
def _by_project() -> dict[str, ProjectModules]:
    return {row.project: row for row in read_modules()}


def _row(row: Row) -> ProjectModules:
    return ProjectModules(
        project=row.read("project", lambda text: canonicalize_name(text, validate=True)),
        modules=row.each("modules", str),
        messages=row.each("messages", str) if row.has("messages") else (),
        **row.origin(),
    )
