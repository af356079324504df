"""Finding and Report: what a check found.

Decision: a recorded choice, with its evidence.

Unsatisfied: a requirement that a lock leaves unanswered on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name

SEVERITIES = ("error", "warning", "note")
KINDS = ("dropped", "substituted", "capped", "amended", "refused", "noted")


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


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Decision:
    """Something dropped, substituted, capped, amended, refused or noted, and why."""

    subject: str
    """What it is about: a project name, a requirement, a backend."""
    kind: str
    """One of KINDS."""
    message: str
    """What was decided, in one sentence people can read without the rest."""
    evidence: tuple[str, ...] = ()
    """Facts it rests on, each with its source."""
    code: str = ""
    """Code of the note in docs/reference/findings.md, where it has one."""

    def to_json(self) -> dict[str, object]:
        """Return the decision as plain values, empty parts left out."""
        values: dict[str, object] = {"subject": self.subject, "kind": self.kind, "message": self.message}
        if self.evidence:
            values["evidence"] = list(self.evidence)
        if self.code:
            values["code"] = self.code
        return values


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class UnmetRequirement:
    """What one locked package requires and the lock does not hold: what `pip check` will miss there."""

    requirer: NormalizedName
    requirement: str
    """As its metadata says it: ``torchvision>=0.16``."""

    @property
    def project(self) -> NormalizedName:
        """The project that is required."""
        return canonicalize_name(Requirement(self.requirement).name)

    def __str__(self) -> str:
        """Write it as it stands in a lock: ``timm: torchvision>=0.16``."""
        return f"{self.requirer}: {self.requirement}"

    @classmethod
    def parse(cls, text: str) -> UnmetRequirement:
        """Read what `str` wrote.

        Raises:
            ValueError: when it is something else.
        """
        requirer, _, requirement = text.partition(": ")
        try:
            name = canonicalize_name(requirer, validate=True)
            return cls(requirer=name, requirement=str(Requirement(requirement)))
        except InvalidRequirement as error:
            raise ValueError(f"{text[:200]!r}: expected such as 'timm: torchvision>=0.16'") from error
