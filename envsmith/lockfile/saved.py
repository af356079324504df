"""A saved lock: pins and manifest entries of one target, current or from an earlier revision."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from packaging.version import Version

from envsmith.catalog.sizes import size_of
from envsmith.lockfile.pins import Pin, Pins
from envsmith.model.finding import Decision
from envsmith.model.listing import index_name
from envsmith.model.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedLock:
    """Pins of one target with the facts of the manifest."""

    profile: str
    target: Target
    pins: Pins
    channel: str = "stable"
    family: Mapping[str, str] = field(default_factory=dict)
    """project → filename of its wheel, for the projects of the torch family."""
    from_pypi: tuple[str, ...] = ()
    """Names of those of them that come from PyPI, sorted."""
    requested: tuple[str, ...] = ()
    """Names of the direct requirements, sorted."""
    decisions: tuple[Decision, ...] = ()
    cutoff_utc: str = ""
    """Newest upload time in the lock: ``2026-11-20T09:00:00Z``."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "family", MappingProxyType(dict(sorted(self.family.items()))))
        object.__setattr__(self, "from_pypi", tuple(sorted(self.from_pypi)))
        object.__setattr__(self, "requested", tuple(sorted(set(self.requested))))

    @property
    def name(self) -> str:
        """``cu128/cp312-win_amd64``."""
        return f"{self.profile}/{self.target.slug}"

    @property
    def torch(self) -> Version | None:
        """The pinned torch, or None."""
        found = self.pins.version("torch")
        return Version(found) if found else None

    @property
    def index(self) -> str:
        """Name of PyTorch's index for its channel and backend: ``cu128``, ``nightly/cu130``."""
        return index_name(self.channel, self.target.backend)

    @property
    def from_index(self) -> tuple[str, ...]:
        """Names of the packages from PyTorch's index."""
        return tuple(name for name in self.family if name not in self.from_pypi)

    def digest(self) -> str:
        """Return the sha256 (hex) of target, names, versions and hashes.

        Line ends, comments, addresses and the profile's name do not change it.
        """
        pins = (f"{pin.name}=={pin.version} {' '.join(sorted(pin.fixed))}" for pin in self.pins.packages)
        return hashlib.sha256("\n".join((self.target.slug, *pins)).encode()).hexdigest()

    @property
    def download_bytes(self) -> int | None:
        """Size of all its files in bytes; None if one is unknown."""
        sizes = [pin.size_bytes for pin in self.pins.packages]
        return None if None in sizes else sum(size or 0 for size in sizes)


def packed_bytes(lock: SavedLock, pin: Pin) -> int | None:
    """Return the size in bytes of a locked file, from the pylock or the catalog; None if it is unknown."""
    if pin.size_bytes is not None or pin.name not in lock.family:
        return pin.size_bytes
    return size_of(lock.family[pin.name], "pypi" if pin.name in lock.from_pypi else "pytorch")
