"""Condition: what an environment's files tell beyond each distribution by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from packaging.utils import canonicalize_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Files that several distributions have different ones of."""

    owners: tuple[str, ...]
    """Normalised names, sorted."""
    count: int
    paths: tuple[str, ...]
    """Some of them, relative to ``site-packages``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncompleteDistribution:
    """What an install or removal left that broke off."""

    folder: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallOrigin:
    """Where a distribution was installed from that came from no index."""

    kind: str
    """``archive``, ``folder`` or ``vcs``."""
    url: str
    sha256: str = ""
    """Of an archive, where it is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """A module that is found before the one that is installed."""

    module: str
    owner: str
    """The distribution whose module it hides; empty where it is Python's own."""
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StrayFile:
    """Code among the packages that no RECORD names."""

    path: str
    """A file, or a whole folder, relative to ``site-packages``."""
    owners: tuple[str, ...] = ()
    """Normalised names of the distributions that it may be of, if their RECORD was cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignDistribution:
    """A program of an environment that starts another place's Python."""

    program: str
    owner: str
    """Normalised name of the distribution whose program it is."""
    python: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledState:
    """An environment's files, seen together."""

    overlaps: tuple[Overlap, ...] = ()
    halves: tuple[IncompleteDistribution, ...] = ()
    origins: Mapping[str, InstallOrigin] = field(default_factory=dict)
    builds: Mapping[str, str] = field(default_factory=dict)
    """Torch-family project → the version its own files say, label included: ``2.15.0+cu132``."""
    requires: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Distribution → its ``Requires-Dist``."""
    shadows: tuple[Shadow, ...] = ()
    strays: tuple[StrayFile, ...] = ()
    elsewhere: tuple[ForeignDistribution, ...] = ()
    own: tuple[str, ...] = ()
    """Normalised names of what was installed from the project's own folder."""

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> InstalledState:
        """Read what `runtime/condition.py` says.

        Raises:
            KeyError: when something is missing.
            TypeError: when it is of another kind.
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
                ForeignDistribution(**{**item, "owner": canonicalize_name(item["owner"])})
                for item in values["elsewhere"]
            ),
            own=tuple(map(canonicalize_name, values["own"])),
        )
