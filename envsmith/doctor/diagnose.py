"""Diagnose: run named checks, each from the facts it needs to what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from envsmith.doctor.doctor_facts import DoctorFacts
from envsmith.errors import EnvsmithError
from envsmith.model.finding import Finding, Report


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
