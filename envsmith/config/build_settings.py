"""Settings for source distributions: how they are built, and what they require where their files do not say it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

from packaging.utils import canonicalize_name

from envsmith.config import readers
from envsmith.config.readers import Key, Location, Reader
from envsmith.config.requirement import read_requirement
from envsmith.model.listing import VersionMetadata

ANY = "*"
"""Stands for every source distribution."""
ANY_SOURCE = ":all:"
"""Stands for every project under ``allow-sdist``, as for pip and uv."""
PROGRAMS = ("nvcc", "c++")
_REQUIREMENTS = readers.listed(readers.parsed(lambda text: str(read_requirement(text))))


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSettings:
    """How a project's source distribution is built."""

    project: str
    """Normalised, or ANY."""
    requires: tuple[str, ...] = ()
    """Requirements of the build besides those of its own pyproject.toml; the torch family has its locked versions."""
    constraints: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    isolated: bool = True
    """False if the build sees all wheels of the lock."""
    needs: tuple[str, ...] = ()
    """Programs of the machine without which the build fails: of PROGRAMS."""

    def joined(self, other: BuildSettings) -> BuildSettings:
        """Return both together; single values of the other one win."""
        return BuildSettings(
            project=other.project,
            requires=tuple(dict.fromkeys((*self.requires, *other.requires))),
            constraints=tuple(dict.fromkeys((*self.constraints, *other.constraints))),
            env={**self.env, **other.env},
            isolated=self.isolated and other.isolated,
            needs=tuple(dict.fromkeys((*self.needs, *other.needs))),
        )

    def __str__(self) -> str:
        words = [self.project, *self.requires, *(f"constraint {text}" for text in self.constraints)]
        words += [f"{name}={value}" for name, value in sorted(self.env.items())]
        return "; ".join([*words, *([] if self.isolated else ["not isolated"]), *self.needs])


def settings_for(project: str, settings: Iterable[BuildSettings]) -> BuildSettings | None:
    """Return the settings for a project: those for all and its own ones together; None if there are none."""
    found = [item for item in settings if item.project in (ANY, project)]
    return (
        reduce(BuildSettings.joined, sorted(found, key=lambda item: item.project != ANY)) if found else None
    )


def fields(env: Reader[dict[str, str]]) -> Mapping[str, Key]:
    """Return the keys of the settings for one project.

    Args:
        env: reads variables.
    """
    return {
        "requires": Key(
            _REQUIREMENTS,
            "Requirements of the build; torch has its locked version.",
            examples=("torch",),
        ),
        "constraints": Key(_REQUIREMENTS, "Limits of what the build requires.", examples=("setuptools<81",)),
        "env": Key(env, "Environment variables of the build, such as MAX_JOBS."),
        "isolated": Key(readers.flag, "Whether the build sees only what it requires [default: true]."),
        "needs": Key(
            readers.listed(readers.choice(*PROGRAMS)), "Programs without which the build is refused."
        ),
    }


def read_settings(
    value: object, location: Location, keys: Mapping[str, Key], read_project: Reader[str]
) -> dict[str, BuildSettings]:
    """Read the table ``build``: project, or ANY, → its settings."""
    found: dict[str, BuildSettings] = {}
    for name, item in (readers.table(value, location) or {}).items():
        inside = location.at(name)
        project = name if name == ANY else read_project(name, inside)
        values: dict[str, Any] = readers.fields(item, inside, keys)
        if project:
            found[project] = BuildSettings(project=project, **values)
    return found


def _described(value: object, location: Location) -> VersionMetadata | None:
    found: dict[str, Any] = readers.fields(value, location, _DESCRIBED)
    if isinstance(value, Mapping) and "name" not in value:
        location.problem("PRF014", "name is missing", 'add name = "PROJECT"')
    if "name" not in found:
        return None
    return VersionMetadata(
        name=str(canonicalize_name(found["name"])),
        version=found.get("version", ""),
        requires_dist=found.get("requires-dist", ()),
        requires_python=found.get("requires-python"),
    )


_DESCRIBED: Mapping[str, Key] = {
    "name": Key(readers.text, "Project."),
    "version": Key(readers.text, "Its version [default: every version]."),
    "requires-dist": Key(_REQUIREMENTS, "Its requirements.", examples=("torch",)),
    "requires-python": Key(readers.text, "The Pythons it is for."),
    "provides-extra": Key(readers.listed(readers.text), "Its extras."),
}
DESCRIBED = readers.listed(Reader(_described, readers.fields_schema(_DESCRIBED, required=["name"])))
"""Reads what source distributions require whose files do not say it."""


def description(name: str, version: str, described: Iterable[VersionMetadata]) -> VersionMetadata | None:
    """Return the described metadata of a version, or None."""
    found = next((item for item in described if item.name == name and item.version in ("", version)), None)
    return replace(found, version=version) if found else None
