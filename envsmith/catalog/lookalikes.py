"""Names that resemble those of the torch family: misspellings, and placeholders on PyPI."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from packaging.utils import NormalizedName, canonicalize_name

from envsmith.catalog.facts import Fact
from envsmith.catalog.table_reader import Row

_KINDS = ("placeholder", "other")
_LONG = 8
"""Letters from which on a name with one typing error is still recognized; shorter ones resemble too many words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookalike(Fact):
    """A project of PyPI with a name like one of the torch family."""

    project: NormalizedName
    meant: str
    """The project that a placeholder names; empty for a project of its own."""
    note: str


def read_lookalike(row: Row) -> Lookalike:
    """Read a row of lookalikes.toml."""
    kind = row.read("kind", _kind)
    return Lookalike(
        project=row.read("project", canonicalize_name),
        meant=row.text("meant") if kind == "placeholder" else "",
        note=row.text("note"),
        **row.origin(),
    )


def _kind(text: str) -> str:
    if text not in _KINDS:
        raise ValueError(f"invalid kind {text!r}, expected {' or '.join(_KINDS)}")
    return text


@cache
def find_meant(name: str, family: tuple[str, ...]) -> str:
    """Return the project that a name is a misspelling of; empty if it is none.

    It has the same letters as a project (``torch-vision``, ``pytorch-vision``), or one typing error if it is long
    (``torchvison``, ``torchaudoi``).

    Args:
        name: normalised.
        family: names of the torch family.
    """
    if name in family:
        return ""
    letters = _letters(name)
    for project in family:
        own = _letters(project)
        if letters == own or letters.replace("pytorch", "torch") == own:
            return project
    long = (project for project in family if len(_letters(project)) >= _LONG)
    return next((project for project in long if _is_one_edit(letters, _letters(project))), "")


def _letters(name: str) -> str:
    return canonicalize_name(name).replace("-", "")


def _is_one_edit(first: str, second: str) -> bool:
    """Return whether a letter replaced, added or missing, or two letters swapped, make one text the other."""
    start = next((i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), None)
    if start is None:
        return abs(len(first) - len(second)) == 1
    a, b = first[start:], second[start:]
    return a[1:] == b[1:] or a == b[1:] or a[1:] == b or (a[1::-1] == b[:2] and a[2:] == b[2:])
