"""Names: unused ones, and suggestions for misspelt ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from itertools import count


def unique_name(stem: str, is_taken: Callable[[str], bool], *, joint: str = "-", end: str = "") -> str:
    """Return a name that is not taken, with a number from 2 on if necessary: ``a.reg``, ``a-2.reg``.

    Args:
        stem: first part of the name.
        is_taken: tells whether a name is in use.
        joint: text before the number.
        end: last part of the name.
    """
    if not is_taken(f"{stem}{end}"):
        return f"{stem}{end}"
    return next(name for number in count(2) if not is_taken(name := f"{stem}{joint}{number}{end}"))


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return a hint for an unknown word: the closest known one, and the list of all."""
    known = sorted(name if name.isprintable() else repr(name) for name in known)
    near = get_close_matches(word, known, n=1)
    listed = ", ".join(known) or "none"
    return f"did you mean {near[0]}? known: {listed}" if near else f"known: {listed}"
