"""Settings for the builds of source distributions: the key ``build`` of a profile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from envsmith.config import readers
from envsmith.config.readers import Key, Location, Reader
from envsmith.config.requirement import read_requirement

ANY = "*"
"""Stands for every source distribution."""
PROGRAMS = ("nvcc", "c++")


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
    requirements = readers.listed(readers.parsed(lambda text: str(read_requirement(text))))
    return {
        "requires": Key(
            requirements,
            "Requirements of the build; torch has its locked version.",
            examples=("torch",),
        ),
        "constraints": Key(requirements, "Limits of what the build requires.", examples=("setuptools<81",)),
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
