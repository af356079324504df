"""CI jobs, each with a lock and its runner."""

from __future__ import annotations

from dataclasses import dataclass

from envsmith.config.pyproject_settings import machine_of, needs_gpu
from envsmith.lockfile.saved import SavedLock


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """Disk space of an installed lock, as far as known."""

    known_bytes: int
    """Unpacked size where known, else the wheel's size: a lower bound."""
    unknown: tuple[str, ...] = ()
    """Packages of unknown size, sorted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A lock and the runner that tests it."""

    lock: SavedLock
    path: str
    """The lock's requirements, relative to the project, with slashes."""
    runner: tuple[str, ...] = ()
    """The runner's labels; empty without a CI service."""
    disk: Footprint | None = None
    """None if not computed."""
    stands_for: str = ""
    """Name of the GPU lock that this CPU lock replaces; empty otherwise."""

    @property
    def name(self) -> str:
        """``cu128/cp312-win_amd64``."""
        return self.lock.name

    @property
    def cache_key(self) -> str:
        """The cache key of the installed lock: equal for equal locks on every system."""
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
