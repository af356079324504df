"""Shims: since when somebody needs one, and from which version on nobody does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from envsmith.catalog.facts import Fact
from envsmith.catalog.tables import Row, read_table
from envsmith.model.shim import check_shim

_SHIMS = Path(__file__).parent / "shims.toml"
_USERS = Path(__file__).parent / "shim_users.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShimFacts(Fact):
    """One shim."""

    name: str
    project: str
    """What it is for, as people write it."""
    since: Version
    """The first version of the project that lacks what it adds."""
    until: Version | None = None
    """The first that has it again; None where none is known."""
    adds: str

    @property
    def range(self) -> str:
        """The versions of the project that lack it: ``torchaudio 2.9 and later``."""
        end = f" to before {self.until}" if self.until else " and later"
        return f"{self.project} {self.since}{end}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShimUser(Fact):
    """A project that needs a shim up to some version."""

    shim: str
    project: str
    """As people write it."""
    free_from: Version
    """The first version that does not need it."""
    why: str


def read_shims(path: Path = _SHIMS) -> tuple[ShimFacts, ...]:
    """Read the table of shims.

    Raises:
        CatalogError: CAT022 when it is malformed.
    """
    return read_table(path, "shim", _shim)


def read_users(path: Path = _USERS) -> tuple[ShimUser, ...]:
    """Read the table of those who need them.

    Raises:
        CatalogError: CAT022 when it is malformed.
    """
    return read_table(path, "user", _user)


def _shim(row: Row) -> ShimFacts:
    return ShimFacts(
        name=row.read("name", check_shim),
        project=row.text("project"),
        since=row.read("since", Version),
        until=row.maybe("until", Version),
        adds=row.text("adds"),
        **row.origin(),
    )


def _user(row: Row) -> ShimUser:
    return ShimUser(
        shim=row.read("shim", check_shim),
        project=row.text("project"),
        free_from=row.read("free_from", Version),
        why=row.text("why"),
        **row.origin(),
    )
