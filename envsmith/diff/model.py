"""Differences between two sets of locks of a profile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from envsmith.lockfile.saved import SavedLock
from envsmith.model.finding import Decision

ChangeKind = Literal["up", "down", "build", "files", "added", "removed"]
"""A newer or older version, another build of the same version, other files of the same build; added, removed."""
KINDS: tuple[ChangeKind, ...] = get_args(ChangeKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffSide:
    """One side of a comparison."""

    title: str
    """``cu128``, ``cu128 at main``."""
    locks: tuple[SavedLock, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchBuildSide:
    """The torch build of one lock and its requirements."""

    torch: str
    """Its version; empty without torch."""
    backend: str
    """``CUDA 12.8``."""
    kernels: tuple[str, ...] | None = None
    """``sm_75``; None if unknown."""
    driver: str = ""
    """Oldest supported driver; empty if none is needed or it is unknown."""

    def to_json(self) -> dict[str, str]:
        """Return the build as plain values, without its kernels."""
        return {"torch": self.torch, "backend": self.backend, "driver": self.driver}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTargets:
    """Newly locked targets with the same torch build."""

    build: TorchBuildSide
    targets: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Return them as plain values."""
        return {**self.build.to_json(), "targets": list(self.targets)}


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchChange:
    """A different torch, or one with different requirements."""

    before: TorchBuildSide
    after: TorchBuildSide
    targets: tuple[str, ...]

    @property
    def lost(self) -> tuple[str, ...]:
        """The removed kernels; none if one side is unknown."""
        return self._missing_kernels(self.before, self.after)

    @property
    def gained(self) -> tuple[str, ...]:
        """The added kernels; none if one side is unknown."""
        return self._missing_kernels(self.after, self.before)

    @staticmethod
    def _missing_kernels(one: TorchBuildSide, other: TorchBuildSide) -> tuple[str, ...]:
        if one.kernels is None or other.kernels is None:
            return ()
        return tuple(kernel for kernel in one.kernels if kernel not in other.kernels)

    def to_json(self) -> dict[str, object]:
        """Return the change as plain values."""
        sides = {"before": self.before, "after": self.after}
        is_known = self.before.kernels is not None and self.after.kernels is not None
        return {
            **{side: build.to_json() for side, build in sides.items()},
            "kernels_lost": list(self.lost) if is_known else None,
            "kernels_gained": list(self.gained) if is_known else None,
            "targets": list(self.targets),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageChange:
    """One package whose pin changed."""

    name: str
    kind: ChangeKind
    before: str = ""
    after: str = ""
    targets: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the change as plain values."""
        return {
            "name": self.name,
            "kind": self.kind,
            "before": self.before,
            "after": self.after,
            "targets": list(self.targets),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceChange:
    """Packages with a changed licence, or new packages with a licence that no package had before."""

    packages: tuple[str, ...]
    before: str
    """Empty if the packages are new."""
    after: str
    targets: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the change as plain values."""
        return {
            "packages": list(self.packages),
            "before": self.before or None,
            "after": self.after,
            "targets": list(self.targets),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionChange:
    """A decision that was added or removed."""

    decision: Decision
    is_new: bool
    targets: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Return the change as plain values."""
        return {"is_new": self.is_new, **self.decision.to_json(), "targets": list(self.targets)}


@dataclass(frozen=True, slots=True, kw_only=True)
class LockDiff:
    """All changes between two sides."""

    before: str
    """Title of the older side."""
    after: str
    common: tuple[str, ...] = ()
    """The targets on both sides; ``cp311-win_amd64 → cp312-win_amd64`` if locks of two targets were compared."""
    moved: tuple[str, ...] = ()
    """The pairs of different targets in `common`."""
    added: tuple[str, ...] = ()
    new: tuple[NewTargets, ...] = ()
    """The torch builds of the added targets."""
    removed: tuple[str, ...] = ()
    torch: tuple[TorchChange, ...] = ()
    packages: tuple[PackageChange, ...] = ()
    decisions: tuple[DecisionChange, ...] = ()
    licences: tuple[LicenceChange, ...] = ()
    """Only packages whose licence is known on both sides."""
    download_bytes: tuple[int, int] | None = None
    """Total of all common targets, before and after; None if no size is known."""
    download_without: tuple[str, ...] = ()
    """Changed packages of unknown size, omitted from `download_bytes`."""

    @property
    def is_empty(self) -> bool:
        """Whether both sides install the same files for the same reasons."""
        changes = (self.moved, self.added, self.removed, self.torch, self.packages, self.decisions)
        return not any(changes)

    def to_json(self) -> dict[str, object]:
        """Return the difference as plain values."""
        known = self.download_bytes
        return {
            "before": self.before,
            "after": self.after,
            "targets": {
                "common": list(self.common),
                "added": list(self.added),
                "removed": list(self.removed),
            },
            "new": [item.to_json() for item in self.new],
            "torch": [item.to_json() for item in self.torch],
            "packages": [item.to_json() for item in self.packages],
            "decisions": [item.to_json() for item in self.decisions],
            "licences": [item.to_json() for item in self.licences],
            "download_bytes": {"before": known[0], "after": known[1]} if known else None,
            "download_without": list(self.download_without),
        }
