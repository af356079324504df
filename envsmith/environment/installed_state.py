"""State of an environment's files across distributions: overlaps, leftovers, shadowed modules, origins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from packaging.utils import canonicalize_name

from envsmith.environment.model import InstallOrigin


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Files that several distributions install with different content."""

    owners: tuple[str, ...]
    """Normalised names, sorted."""
    count: int
    paths: tuple[str, ...]
    """The first of them, relative to ``site-packages``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncompleteDistribution:
    """A folder left by an interrupted install or removal."""

    folder: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """A module that is imported instead of an installed one."""

    module: str
    owner: str
    """The distribution of the hidden module; empty for the standard library."""
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StrayFile:
    """Code in ``site-packages`` that is in no RECORD."""

    path: str
    """A file or folder, relative to ``site-packages``."""
    owners: tuple[str, ...] = ()
    """Normalised names of distributions with an incomplete RECORD that it may belong to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignProgram:
    """A program of an environment that starts the Python of another one."""

    program: str
    owner: str
    """Normalised name of its distribution."""
    python: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledState:
    """State of all files of an environment."""

    overlaps: tuple[Overlap, ...] = ()
    halves: tuple[IncompleteDistribution, ...] = ()
    origins: Mapping[str, InstallOrigin] = field(default_factory=dict)
    builds: Mapping[str, str] = field(default_factory=dict)
    """Torch-family project → version in its files, with local version label: ``2.15.0+cu132``."""
    requires: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Distribution → its ``Requires-Dist``."""
    shadows: tuple[Shadow, ...] = ()
    strays: tuple[StrayFile, ...] = ()
    elsewhere: tuple[ForeignProgram, ...] = ()
    own: tuple[str, ...] = ()
    """Normalised names of distributions installed from the project's own folder."""

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> InstalledState:
        """Read the values that `environment/installed_files.py` returns.

        Raises:
            KeyError: when a key is missing.
            TypeError: when a value has another type.
        """
        return cls(
            overlaps=tuple(
                Overlap(owners=tuple(item["owners"]), count=item["count"], paths=tuple(item["paths"]))
                for item in values["overlaps"]
            ),
            halves=tuple(IncompleteDistribution(**item) for item in values["halves"]),
            origins={
                canonicalize_name(name): InstallOrigin(**item) for name, item in values["origins"].items()
            },
            builds=dict(values["builds"]),
            requires={canonicalize_name(name): tuple(item) for name, item in values["requires"].items()},
            shadows=tuple(Shadow(**item) for item in values["shadows"]),
            strays=tuple(
                StrayFile(path=item["path"], owners=tuple(map(canonicalize_name, item["owners"])))
                for item in values["strays"]
            ),
            elsewhere=tuple(
                ForeignProgram(**{**item, "owner": canonicalize_name(item["owner"])})
                for item in values["elsewhere"]
            ),
            own=tuple(map(canonicalize_name, values["own"])),
        )
