"""Values of activation: a profile's settings, an environment's paths, and the changes to a session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from envsmith.model.backend import Backend

LIBRARY_PATHS = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""Search paths of the dynamic linker that precede all others."""
UNSET = ("PYTHONPATH", "PYTHONHOME", "CONDA_PREFIX")
"""Variables that lead Python, pip or uv to files of another environment."""
GUARDS = ("PIP_CONSTRAINT", "UV_CONSTRAINT")
"""Variables with the path of a constraints file for pip and uv."""
CHANGED = "_ENVSMITH_CHANGED"
"""Variable with the names of all variables that an activation script changed."""
MARK = "envsmith-profile"
"""Folder in an environment with one file, named like the profile: shells test it without reading a file."""
RELATIVE = "is relative to the current folder"
DUPLICATE = "is a duplicate"
"""Reasons to remove an entry of a list of folders that need not belong to another environment."""
CONSTRAINTS = "envsmith-constraints.txt"
"""Constraints file in an environment with its torch family, so that `pip install` cannot replace it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """A profile's settings for a session."""

    profile: str
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables that the profile sets."""
    cuda_major: int | None = None
    """Major version of the CUDA toolkit of the lock's builds; None without CUDA."""

    def not_in_profile(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return the variables that the profile does not set itself."""
        return tuple(name for name in names if name not in self.env)

    @classmethod
    def of(cls, profile: str, *backends: Backend, env: Mapping[str, str]) -> Activation:
        """Build the activation of locks or a profile; with several versions of CUDA none is preferred."""
        majors = {backend.version[0] for backend in backends if backend.family == "cuda"}
        return cls(profile=profile, env=env, cuda_major=majors.pop() if len(majors) == 1 else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentPaths:
    """Paths of an environment that activation needs."""

    prefix: str
    bin: str
    """Folder of its programs."""
    constraints: str = ""
    """Its constraints file; empty without one."""
    is_windows: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedVariable:
    """A variable, or an entry of one, that activation removes."""

    variable: str
    entry: str | None
    """None if the whole variable is unset."""
    reason: str
    """Why, as a clause after "it"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The changes of an activation to a session's variables."""

    values: Mapping[str, str]
    """Variables to set."""
    unset: tuple[str, ...] = ()
    removed: tuple[RemovedVariable, ...] = ()

    def over(self, variables: Mapping[str, str]) -> dict[str, str]:
        """Return variables with the changes applied."""
        kept = {name: value for name, value in variables.items() if name not in self.unset}
        return kept | dict(self.values)
