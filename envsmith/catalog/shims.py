"""Facts about shims: the versions they are for, and the projects in need of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from envsmith.catalog.facts import Fact
from envsmith.catalog.table_reader import Row, read_table
from envsmith.model.shim import check_shim

_SHIMS = Path(__file__).parent / "shims.toml"
_USERS = Path(__file__).parent / "shim_users.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShimFacts(Fact):
    """A shim and the versions it is for."""

    name: str
    project: str
    """Project it extends, in its usual spelling."""
    since: Version
    """First version of the project without the names it adds."""
    until: Version | None = None
    """First later version that has them again; None if none is known."""
    adds: str

    @property
    def range(self) -> str:
        """The versions of the project it is for: ``torchaudio 2.9 and later``."""
        end = f" to before {self.until}" if self.until else " and later"
        return f"{self.project} {self.since}{end}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShimUser(Fact):
    """A project that needs a shim up to some version."""

    shim: str
    project: str
    """In its usual spelling."""
    free_from: Version
    """First version that does not need it."""
    why: str


def read_shims(path: Path = _SHIMS) -> tuple[ShimFacts, ...]:
    """Read shims.toml.

    Raises:
        CatalogError: CAT022 when it is malformed.
    """
    return read_table(path, "shim", _shim, ("name",))


def read_users(path: Path = _USERS) -> tuple[ShimUser, ...]:
    """Read shim_users.toml.

    Raises:
        CatalogError: CAT022 when it is malformed.
    """
    return read_table(path, "user", _user, ("shim", "project"))


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
