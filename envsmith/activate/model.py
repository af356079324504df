"""Activation: what a session in an environment has that it did not have before, and what it is rid of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from envsmith.model.backend import Backend

LIBRARY_PATHS = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""Lists of folders that the dynamic linker searches before all others."""
UNSET = ("PYTHONPATH", "PYTHONHOME", "CONDA_PREFIX")
"""Variables that lead Python, pip or uv to another environment's files."""
GUARDS = ("PIP_CONSTRAINT", "UV_CONSTRAINT")
"""Variables that name a file of constraints to pip and to uv."""
CHANGED = "_ENVSMITH_CHANGED"
"""Variable in which an activation script keeps the names of what it changed."""
MARK = "envsmith-profile"
"""In an environment: a folder with one file, named as its profile: a shell can tell without reading anything."""
CONSTRAINTS = "envsmith-constraints.txt"
"""In an environment: its torch family, so that a later `pip install` cannot replace it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """What a profile says of a session in its environment."""

    profile: str
    env: Mapping[str, str] = field(default_factory=dict)
    cuda_major: int | None = None
    """Major version of the CUDA toolkit that the lock's builds use; None where they use none."""

    def without_own(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return the variables of which the profile itself does not say what they are."""
        return tuple(name for name in names if name not in self.env)

    @classmethod
    def of(cls, profile: str, *, backend: Backend, env: Mapping[str, str]) -> Activation:
        """Put together what a lock, or a profile, says of a session."""
        return cls(
            profile=profile, env=env, cuda_major=backend.version[0] if backend.family == "cuda" else None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentPaths:
    """Where an environment lies, as far as activating it needs to know."""

    prefix: str
    bin: str
    """The folder of its programs."""
    constraints: str = ""
    """Its constraints file; empty where it has none."""
    is_windows: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedVariable:
    """Something that is out of the session, and why."""

    variable: str
    entry: str | None
    """None where the whole variable is unset."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The changes that activation makes."""

    values: Mapping[str, str]
    """Variables to set."""
    unset: tuple[str, ...] = ()
    taken: tuple[RemovedVariable, ...] = ()

    def over(self, variables: Mapping[str, str]) -> dict[str, str]:
        """Return all variables with the changes made."""
        kept = {name: value for name, value in variables.items() if name not in self.unset}
        return kept | dict(self.values)
