"""Supply: what an installer is given: the packages, as text that uv reads, and where their files come from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """The packages of one lock and the way to their files."""

    text: str
    """A pylock, or hashed requirements."""
    is_pylock: bool
    sources: tuple[str, ...] = ()
    """Names of packages that come as source and are built here."""
    wheelhouse: str = ""
    """Folder or address that holds every file; nothing else is asked then. Hashed requirements only."""
    profile: str = ""
    """Whose packages they are, for hints; empty where that is not known."""
