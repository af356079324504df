"""PythonBound: the Pythons that a project says it runs on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from envsmith.config import toml_field
from envsmith.config.toml_field import Spot
from envsmith.model.target import Python

_MOST_PATCHES = 100
"""More than any feature version of CPython has seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonBound:
    """What ``requires-python`` says, and where."""

    specifier: SpecifierSet
    where: str

    def outside(self, pythons: Iterable[Python]) -> tuple[Python, ...]:
        """Return the Pythons none of whose releases the project runs on, sorted."""
        return tuple(sorted(python for python in set(pythons) if not self._admits(python)))

    def _admits(self, python: Python) -> bool:
        return any(self.specifier.contains(f"{python}.{patch}") for patch in range(_MOST_PATCHES))


def read_bound(value: object, spot: Spot) -> PythonBound | None:
    """Read ``requires-python``; None after noting what is wrong with it."""
    text = toml_field.text(value, spot)
    if text is None:
        return None
    try:
        return PythonBound(specifier=SpecifierSet(text), where=spot.where.partition(": ")[0])
    except InvalidSpecifier:
        spot.problem("PRF005", f"{text!r} is no range of versions", 'write it as ">=3.11,<3.14"')
        return None
