"""Execution of the doctor's checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from envsmith.doctor.doctor_facts import DoctorFacts
from envsmith.errors import EnvsmithError
from envsmith.model.finding import Finding, Report


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorCheck:
    """A named check."""

    name: str
    summary: str
    run: Callable[[DoctorFacts], Iterable[Finding]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorReport:
    """The result of the doctor's checks."""

    report: Report
    completed: tuple[str, ...]
    """Names of the completed checks."""
    skipped: tuple[tuple[str, str], ...]
    """Name and reason of the checks that could not run."""

    def reasons(self) -> list[tuple[str, str]]:
        """Return the names of skipped checks for each reason."""
        return by_reason(self.skipped)


def by_reason(skipped: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Group skipped checks by reason."""
    groups: dict[str, list[str]] = {}
    for name, reason in skipped:
        groups.setdefault(reason, []).append(name)
    return [(", ".join(names), reason) for reason, names in groups.items()]


def diagnose(facts: DoctorFacts, checks: Sequence[DoctorCheck]) -> DoctorReport:
    """Run checks in order; skip those that raise an EnvsmithError."""
    findings: dict[Finding, None] = {}
    completed, skipped = [], []
    for check in checks:
        try:
            findings |= dict.fromkeys(check.run(facts))
        except EnvsmithError as error:
            skipped.append((check.name, error.message))
        else:
            completed.append(check.name)
    return DoctorReport(
        report=Report(findings=tuple(findings)), completed=tuple(completed), skipped=tuple(skipped)
    )
