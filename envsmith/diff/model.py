"""Difference: what changes between two locks of a profile, in the terms people decide by."""

from __future__ import annotations

from dataclasses import dataclass

from envsmith.lockfile.saved import SavedLock
from envsmith.model.finding import Decision

KINDS = ("up", "down", "build", "files", "added", "removed")
"""A newer or older version, another build of the same, other files of the same build; added, removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffSide:
    """One of the two things compared."""

    title: str
    """As people name it: ``cu128``, ``cu128 at main``."""
    locks: tuple[SavedLock, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchBuildSide:
    """The torch of one lock, and what it takes to run it."""

    torch: str
    """Its version; empty where nothing is locked."""
    backend: str
    """``CUDA 12.8``."""
    kernels: tuple[str, ...] | None = None
    """``sm_75``; None where they are not known."""
    driver: str = ""
    """Oldest driver that runs it; empty where it needs none, or it is not known."""

    def to_json(self) -> dict[str, str]:
        """Return the build as plain values, its kernels left out."""
        return {"torch": self.torch, "backend": self.backend, "driver": self.driver}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTargets:
    """Targets that were not locked before, and the torch they have."""

    build: TorchBuildSide
    targets: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Return them as plain values."""
        return {**self.build.to_json(), "targets": list(self.targets)}


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchChange:
    """Another torch, or one that runs on other machines."""

    before: TorchBuildSide
    after: TorchBuildSide
    targets: tuple[str, ...]

    @property
    def lost(self) -> tuple[str, ...]:
        """The kernels that are no longer there; none where one side is not known."""
        return self._without(self.before, self.after)

    @property
    def gained(self) -> tuple[str, ...]:
        """The kernels that were not there before; none where one side is not known."""
        return self._without(self.after, self.before)

    @staticmethod
    def _without(one: TorchBuildSide, other: TorchBuildSide) -> tuple[str, ...]:
        if one.kernels is None or other.kernels is None:
            return ()
        return tuple(kernel for kernel in one.kernels if kernel not in other.kernels)

    def to_json(self) -> dict[str, object]:
        """Return the change as plain values."""
        sides = {"before": self.before, "after": self.after}
        told = {side: build.to_json() for side, build in sides.items()}
        is_known = self.before.kernels is not None and self.after.kernels is not None
        return {
            **told,
            "kernels_lost": list(self.lost) if is_known else None,
            "kernels_gained": list(self.gained) if is_known else None,
            "targets": list(self.targets),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageChange:
    """One package that is not pinned as before."""

    name: str
    kind: str
    """One of KINDS."""
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
    """Packages that come under another licence, or newly under one that nothing came under before."""

    packages: tuple[str, ...]
    before: str
    """Empty where the packages are new."""
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
    """A decision that is taken now, or no longer."""

    decision: Decision
    is_new: bool
    targets: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Return the change as plain values."""
        return {"is_new": self.is_new, **self.decision.to_json(), "targets": list(self.targets)}


@dataclass(frozen=True, slots=True, kw_only=True)
class LockDiff:
    """All that changes between two sides."""

    before: str
    """Title of the one side."""
    after: str
    common: tuple[str, ...] = ()
    """The targets that both have; ``cp311-win_amd64 → cp312-win_amd64`` where one lock was compared with another's."""
    moved: tuple[str, ...] = ()
    """Those of them that are two."""
    added: tuple[str, ...] = ()
    new: tuple[NewTargets, ...] = ()
    """What is locked for the added."""
    removed: tuple[str, ...] = ()
    torch: tuple[TorchChange, ...] = ()
    packages: tuple[PackageChange, ...] = ()
    decisions: tuple[DecisionChange, ...] = ()
    licences: tuple[LicenceChange, ...] = ()
    """As far as the licences of both sides are known."""
    download_bytes: tuple[int, int] | None = None
    """Of all common targets together, before and after; None where no file's size is known."""
    download_without: tuple[str, ...] = ()
    """The packages that are left out of it: what changes of them is of no known size."""

    @property
    def is_empty(self) -> bool:
        """Whether both would install the same for the same reasons."""
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
