"""What changed between the plan a lock was made of and the plan of today."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


def changed(
    old: Mapping[str, str | list[str]], new: Mapping[str, str | list[str]]
) -> Iterator[tuple[str, str]]:
    """Yield what changed between two plans' inputs: the word for it, and ``old → new``."""
    for key in sorted({*old, *new}):
        before, after = old.get(key, ""), new.get(key, "")
        # A key may be left out where there is nothing to say: an empty list says the same.
        before, after = (
            (before or [], after or []) if list in (type(before), type(after)) else (before, after)
        )
        if isinstance(before, list) and isinstance(after, list):
            gone, come = sorted(set(before) - set(after)), sorted(set(after) - set(before))
            for index in range(max(len(gone), len(come))):
                left = gone[index] if index < len(gone) else "(none)"
                right = come[index] if index < len(come) else "(none)"
                yield key, f"{left} → {right}"
        elif before != after:
            yield key, f"{before or '(none)'} → {after or '(none)'}"
