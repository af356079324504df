"""Saving: what need not be downloaded, wheel by wheel, in bytes that somebody has counted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Weight:
    """The size of one wheel, as far as it is known."""

    project: str
    filename: str
    size_bytes: int | None
    """None where nobody tells it."""
    is_near: bool = False
    """True where it is that of PyPI's wheel of the same build, which is nearly as large."""

    def to_json(self) -> dict[str, object]:
        """Return it as plain values."""
        return {
            "project": self.project,
            "filename": self.filename,
            "size_bytes": self.size_bytes,
            "is_near": self.is_near,
        }


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Saving:
    """What one choice saves: the wheels that come only without it, less those that come only with it."""

    choice: str
    """What was chosen, in words: ``dropping torchvision``."""
    spared: tuple[Weight, ...]
    """Sorted by project."""
    instead: tuple[Weight, ...] = ()

    @property
    def known_bytes(self) -> int:
        """The bytes saved by the wheels whose size is known."""
        return sum(item.size_bytes or 0 for item in self.spared) - sum(
            item.size_bytes or 0 for item in self.instead
        )

    @property
    def unknown(self) -> tuple[str, ...]:
        """The projects whose size nobody tells."""
        return tuple(item.project for item in (*self.spared, *self.instead) if item.size_bytes is None)

    @property
    def is_near(self) -> bool:
        """True where a size is only nearly right."""
        return any(item.is_near for item in (*self.spared, *self.instead))

    def to_json(self) -> dict[str, object]:
        """Return it as plain values."""
        return {
            "choice": self.choice,
            "known_bytes": self.known_bytes,
            "unknown": list(self.unknown),
            "spared": [item.to_json() for item in self.spared],
            "instead": [item.to_json() for item in self.instead],
        }
