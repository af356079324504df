"""Actions: what GitHub workflows are put together from, each pinned to a commit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from envsmith.catalog.facts import Fact
from envsmith.catalog.tables import Row, read_table

_TABLE = Path(__file__).parent / "actions.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action(Fact):
    """One release of an action."""

    name: str
    """``actions/checkout``."""
    release: str
    commit: str

    @property
    def pinned(self) -> str:
        """What stands behind ``uses:``; the comment is for people, and for tools that bring pins up to date."""
        return f"{self.name}@{self.commit} # {self.release}"


def read_actions(path: Path = _TABLE) -> tuple[Action, ...]:
    """Read the table.

    Raises:
        CatalogError: CAT022 when it is malformed.
    """
    return read_table(path, "actions", _row)


def _row(row: Row) -> Action:
    return Action(
        name=row.text("name"),
        release=row.text("release"),
        commit=row.read("commit", _commit),
        **row.origin(),
    )


def _commit(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{40}", text):
        raise ValueError("expected a commit's 40 hexadecimal digits")
    return text
