"""Finding and Report: what a check found."""

from __future__ import annotations

from dataclasses import dataclass

SEVERITIES = ("error", "warning", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One answer of a check."""

    code: str
    severity: str
    """One of SEVERITIES."""
    subject: str
    """What it is about: ``cu128/cp312-win_amd64``."""
    message: str
    hint: str = ""

    def to_json(self) -> dict[str, str]:
        """Return the finding as plain values."""
        return {
            "code": self.code,
            "severity": self.severity,
            "subject": self.subject,
            "message": self.message,
            "hint": self.hint,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that one check found."""

    findings: tuple[Finding, ...] = ()

    @property
    def has_errors(self) -> bool:
        """Whether the answer is no."""
        return bool(self.errors)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that make the answer no."""
        return tuple(finding for finding in self.findings if finding.severity == "error")
