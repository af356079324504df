"""Room: what an install puts on disks, and what is free there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A place on a file system."""

    place: str
    device: int
    """Equal for places on one file system."""
    free_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one package brings; no figure is above the truth."""

    name: str
    packed_bytes: int
    unpacked_bytes: int
    is_cached: bool
    """Whether uv's cache holds it unpacked already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What an install needs, at least."""

    fetched: int
    """Packages that are not in uv's cache yet."""
    fetched_bytes: int
    cache_bytes: int
    """What uv's cache grows by."""
    target_bytes: int
    """What the environment takes beside it; nothing where files are shared with the cache."""
    free_after_bytes: int
    """Of the file system that is fuller then."""
