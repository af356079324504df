"""Job: one job of a CI matrix."""

from __future__ import annotations

from dataclasses import dataclass

from envsmith.config.settings import machine_of, needs_gpu
from envsmith.lockfile.saved import SavedLock


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """What an install takes of a disk, as far as it is known."""

    known_bytes: int
    """Unpacked where that is known, else packed: it takes no less."""
    unknown: tuple[str, ...] = ()
    """The packages of which nothing is known, sorted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One lock, and the machine to try it on."""

    lock: SavedLock
    path: str
    """The lock's requirements, relative to the project, with slashes."""
    runner: tuple[str, ...] = ()
    """The labels of the machine; empty where no CI service is meant."""
    disk: Footprint | None = None
    """None where nobody has looked."""
    stands_for: str = ""
    """The lock in whose place this one is tried, for want of a GPU."""

    @property
    def name(self) -> str:
        """``cu128/cp312-win_amd64``."""
        return self.lock.name

    @property
    def cache_key(self) -> str:
        """The key to keep the installed lock under: equal for equal locks, on whatever system it is made."""
        return f"envsmith-{self.lock.target.slug}-{self.lock.digest()[:16]}"

    @property
    def needs_gpu(self) -> bool:
        """Whether the lock is made for a GPU."""
        return needs_gpu(self.lock.target)

    def to_json(self) -> dict[str, object]:
        """Return the job as plain values."""
        target = self.lock.target
        return {
            "name": self.name,
            "profile": self.lock.profile,
            "target": target.slug,
            "python": str(target.python),
            "platform": str(target.platform),
            "machine": machine_of(target),
            "backend": str(target.backend),
            "torch": self.lock.pins.version("torch"),
            "gpu": self.needs_gpu,
            "lock": self.path,
            "cache_key": self.cache_key,
            "download_bytes": self.lock.download_bytes,
            "disk_bytes": self.disk.known_bytes if self.disk else None,
            "disk_unknown": " ".join(self.disk.unknown) if self.disk else None,
            "stands_for": self.stands_for,
        }
