"""Cure: what is to be done to an environment so that nothing is wrong with it any more."""

from __future__ import annotations

from dataclasses import dataclass

from envsmith.model.finding import Finding

REBUILD, ASIDE, REMOVE, INSTALL = "rebuild", "set aside", "remove", "install"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One kind of action on several things."""

    kind: str
    """REBUILD, ASIDE, REMOVE or INSTALL."""
    subjects: tuple[str, ...]
    """Profile; folders in ``site-packages``; projects; or pins: ``torch==2.13.0+cpu``."""
    is_hashed: bool = False
    """Whether what is installed must have the hashes of the lock."""

    def argv(self, prefix: str) -> tuple[str, ...]:
        """Return the words of the command that does the same; it cannot name the hashes that are asked for, too."""
        if self.kind == REBUILD:
            return ("envsmith", "install", *self.subjects, "--deep")
        if self.kind == ASIDE:
            return ("mv", *self.subjects, f"{prefix}/{SET_ASIDE}/")
        if self.kind == REMOVE:
            return ("uv", "pip", "uninstall", "--python", prefix, *self.subjects)
        return ("uv", "pip", "install", "--python", prefix, "--no-deps", "--reinstall", *self.subjects)

    def to_json(self, prefix: str) -> dict[str, object]:
        """Return it as plain values."""
        words = {"subjects": list(self.subjects), "argv": list(self.argv(prefix))}
        return {"kind": self.kind, **words, "hashed": self.is_hashed}


SET_ASIDE = "set-aside"
"""Folder in an environment where is kept what was in the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cure:
    """The steps, in order, and what they leave."""

    steps: tuple[Step, ...] = ()
    left: tuple[Finding, ...] = ()
    """What is wrong and not cured by them."""
