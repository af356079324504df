"""Surroundings: what an environment depends on beside the machine: room on the disk, the way to an index."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Free bytes where a folder lies, or will lie."""

    folder: str
    free_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How an address answered."""

    url: str
    proxies: tuple[tuple[str, str], ...] = ()
    """Variables that name one, and what they say, logins left out."""
    error: str = ""
    """Empty where it answered."""
    ahead_s: float | None = None
    """How far this machine's clock is ahead of the server's; None where it did not say."""
