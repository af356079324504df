"""Modules: under which names a project is imported, where they are not its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from packaging.utils import NormalizedName, canonicalize_name

from envsmith.catalog.facts import Fact
from envsmith.catalog.tables import Row, read_table
from envsmith.model.usage import SoughtModule

_TABLE = Path(__file__).parent / "modules.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectModules(Fact):
    """The modules of one project."""

    project: NormalizedName
    modules: tuple[str, ...]
    """As imported; dotted where several projects share a folder."""
    messages: tuple[str, ...] = ()
    """Beginnings of warnings that only this project gives."""


def read_modules(path: Path = _TABLE) -> tuple[ProjectModules, ...]:
    """Read the table.

    Raises:
        CatalogError: CAT022 when it is malformed.
    """
    return read_table(path, "module", _row)


def sought_of(project: str) -> tuple[SoughtModule, ...]:
    """Return the modules to look for where a project's use is asked.

    A project that the table does not have is taken to be imported under its name, dashes and dots as underscores
    or as dots, in the spelling given and in small letters.

    Args:
        project: its name as it was written, for case may tell.
    """
    row = _by_project().get(canonicalize_name(project))
    if row:
        return tuple(SoughtModule(module=module, messages=row.messages) for module in row.modules)
    plain = project.replace("-", "_").replace(".", "_")
    names = dict.fromkeys((plain, plain.lower()))
    if "." in project:
        names |= dict.fromkeys((project, project.lower()))
    return tuple(SoughtModule(module=name) for name in names)


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
