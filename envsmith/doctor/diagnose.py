"""Diagnose: run named checks, each from the facts it needs to what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from envsmith.activate.model import TakenVariable
from envsmith.catalog import Catalog
from envsmith.environment.installed_state import InstalledState
from envsmith.environment.model import Environment
from envsmith.errors import EnvsmithError
from envsmith.host.model import Host
from envsmith.host.system import Connectivity, DiskSpace, GpuAccess, VisualCpp
from envsmith.model.backend import Backend
from envsmith.model.finding import Finding, Report
from envsmith.select.rules import BackendVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledTorch:
    """The installed torch, and what is known of it on this machine."""

    version: str
    verdict: BackendVerdict
    """Of its own build."""
    best: BackendVerdict | None
    """What works best here; None where nothing does."""


class DoctorFacts(Protocol):
    """What checks look at; each is found out when it is first asked for, and may raise an EnvsmithError."""

    @property
    def catalog(self) -> Catalog:
        """What is known of builds."""
        ...

    @property
    def host(self) -> Host:
        """This machine."""
        ...

    @property
    def environment(self) -> Environment | None:
        """What is installed; None where there is no environment."""
        ...

    @property
    def condition(self) -> InstalledState:
        """What the environment's files tell together."""
        ...

    @property
    def torch(self) -> InstalledTorch | None:
        """The installed torch; None where there is none, or nothing says what it was built for."""
        ...

    @property
    def locked(self) -> Backend | None:
        """The backend the environment's lock asks for; None where there is no lock."""
        ...

    @property
    def stale(self) -> tuple[Finding, ...]:
        """Why the environment's lock is not what is asked for today."""
        ...

    @property
    def scopes(self) -> dict[str, tuple[TakenVariable, ...]]:
        """Scope of PATH → what no session should have in it."""
        ...

    @property
    def taken(self) -> tuple[TakenVariable, ...]:
        """What a session in the environment would be rid of."""
        ...

    @property
    def unneeded(self) -> dict[str, str]:
        """Project → why the project's files do not need it."""
        ...

    @property
    def given(self) -> GpuAccess:
        """What this machine has of GPUs from another system, and for which programs."""
        ...

    @property
    def visual_cpp(self) -> VisualCpp | None:
        """Microsoft's C++ library; None off Windows."""
        ...

    @property
    def room(self) -> DiskSpace:
        """Free bytes where uv's cache lies."""
        ...

    @property
    def reach(self) -> Connectivity:
        """How PyTorch's index answers."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorCheck:
    """One named check."""

    name: str
    summary: str
    run: Callable[[DoctorFacts], Iterable[Finding]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorReport:
    """What checks found."""

    report: Report
    made: tuple[str, ...]
    """Names of the checks that were made."""
    unmade: tuple[tuple[str, str], ...]
    """Name and reason of those that could not be."""

    def reasons(self) -> list[tuple[str, str]]:
        """Return the names of those that could not be, and why, each reason once."""
        return by_reason(self.unmade)


def by_reason(unmade: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Put checks together that could not be made for one reason."""
    groups: dict[str, list[str]] = {}
    for name, reason in unmade:
        groups.setdefault(reason, []).append(name)
    return [(", ".join(names), reason) for reason, names in groups.items()]


def diagnose(facts: DoctorFacts, checks: Sequence[DoctorCheck]) -> DoctorReport:
    """Make checks one after the other; one that cannot be made keeps no other from being made."""
    findings: dict[Finding, None] = {}
    made, unmade = [], []
    for check in checks:
        try:
            findings |= dict.fromkeys(check.run(facts))
        except EnvsmithError as error:
            unmade.append((check.name, error.message))
        else:
            made.append(check.name)
    return DoctorReport(report=Report(findings=tuple(findings)), made=tuple(made), unmade=tuple(unmade))
