"""Facts about CI services: GitHub actions pinned to commits, and hosted runners with their labels."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from envsmith.catalog.facts import Fact
from envsmith.catalog.table_reader import Row, read_table
from envsmith.config.pyproject_settings import SERVICES, Runners, check_key

_ACTIONS = Path(__file__).parent / "actions.toml"
_RUNNERS = Path(__file__).parent / "runners.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action(Fact):
    """One release of an action."""

    name: str
    """``actions/checkout``."""
    release: str
    commit: str

    @property
    def pinned(self) -> str:
        """Value of ``uses:``; the comment is for people, and for tools that update pins."""
        return f"{self.name}@{self.commit} # {self.release}"


def read_actions(path: Path = _ACTIONS) -> tuple[Action, ...]:
    """Read actions.toml.

    Raises:
        CatalogError: CAT022 when it is malformed.
    """
    return read_table(path, "actions", _action, ("name",))


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRunners(Fact):
    """The hosted runners of one CI service."""

    service: str
    runners: Runners
    most_jobs: int | None = None
    """Limit of jobs in one matrix; None if no limit is documented."""


def read_runners(path: Path = _RUNNERS) -> tuple[ServiceRunners, ...]:
    """Read runners.toml.

    Raises:
        CatalogError: CAT022 when it is malformed.
    """
    return read_table(path, "runners", _service_runners, ("service",))


def runners_of(service: str) -> ServiceRunners:
    """Return the hosted runners of a service."""
    return next(row for row in read_runners() if row.service == service)


def _action(row: Row) -> Action:
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


def _service_runners(row: Row) -> ServiceRunners:
    return ServiceRunners(
        service=row.read("service", _service),
        runners=Runners(labels=dict(row.each("labels", _label))),
        most_jobs=row.number("most-jobs"),
        **row.origin(),
    )


def _service(text: str) -> str:
    if text not in SERVICES:
        raise ValueError(f"unknown service: allowed are {', '.join(SERVICES)}")
    return text


def _label(text: str) -> tuple[str, tuple[str, ...]]:
    key, *labels = text.split()
    if not labels:
        raise ValueError("expected MACHINE LABEL...")
    return check_key(key), tuple(labels)
