"""Bill: what one lock is made of, file by file: what an SBOM says."""

from __future__ import annotations

from dataclasses import dataclass

from envsmith.model.license import Licence


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingredient:
    """One file."""

    name: str
    version: str
    filename: str
    sha256: str
    url: str
    """Where it comes from."""
    index: str = ""
    """Address of the index that served it; empty for PyPI."""
    licence: Licence | None = None
    """None where nobody knows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """One lock."""

    name: str
    """``cu128/cp312-win_amd64``."""
    digest: str
    """Of what it installs."""
    made_utc: str
    """The lock's cutoff: equal locks give equal documents."""
    facts: tuple[tuple[str, str], ...] = ()
    """What else there is to say of it: backend, Python, platform."""
    ingredients: tuple[Ingredient, ...] = ()
