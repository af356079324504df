"""A name that nothing has yet: as it is, else numbered."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from itertools import count


def free_name(stem: str, is_taken: Callable[[str], bool], *, joint: str = "-", end: str = "") -> str:
    """Return a name, numbered from 2 on where it is taken: ``a.reg``, ``a-2.reg``.

    Args:
        stem: what it begins with.
        is_taken: says whether something has a name already.
        joint: stands before the number.
        end: stands after it.
    """
    if not is_taken(f"{stem}{end}"):
        return f"{stem}{end}"
    return next(name for number in count(2) if not is_taken(name := f"{stem}{joint}{number}{end}"))


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return the hint for an unknown word: the nearest known one, and all of them."""
    known = sorted(name if name.isprintable() else repr(name) for name in known)
    near = get_close_matches(word, known, n=1)
    listed = ", ".join(known) or "none"
    return f"did you mean {near[0]}? known: {listed}" if near else f"known: {listed}"
