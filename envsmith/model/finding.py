"""Findings of a check, recorded decisions, and requirements a lock leaves unmet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name

from envsmith.errors import redact

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""Worst first."""
DecisionKind = Literal["dropped", "substituted", "capped", "amended", "refused", "noted"]


def _redact(item: object, *names: str) -> None:
    for name in names:
        object.__setattr__(item, name, redact(getattr(item, name)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One result of a check."""

    code: str
    severity: Severity
    subject: str
    """Its target, package, file or part of the machine: ``cu128/cp312-win_amd64``."""
    message: str
    hint: str = ""

    def __post_init__(self) -> None:
        """Redact the texts: they may repeat a URL with credentials."""
        _redact(self, "subject", "message", "hint")

    def to_json(self) -> dict[str, str]:
        """Return the finding as JSON values."""
        return {
            "code": self.code,
            "severity": self.severity,
            "subject": self.subject,
            "message": self.message,
            "hint": self.hint,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All findings of one check."""

    findings: tuple[Finding, ...] = ()

    @property
    def has_errors(self) -> bool:
        """Whether the check failed."""
        return bool(self.errors)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Findings of severity error."""
        return tuple(finding for finding in self.findings if finding.severity == "error")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Decision:
    """A choice made while planning or resolving, with its reason."""

    subject: str
    """A project name, a requirement or a backend."""
    kind: DecisionKind
    message: str
    """One sentence, complete in itself."""
    evidence: tuple[str, ...] = ()
    """Facts behind it, each with its source."""
    code: str = ""
    """Code in docs/reference/findings.md, if it has one."""

    def __post_init__(self) -> None:
        """Redact the texts, which are written to locks."""
        _redact(self, "subject", "message")
        object.__setattr__(self, "evidence", tuple(map(redact, self.evidence)))

    def to_json(self) -> dict[str, object]:
        """Return the decision as JSON values, without empty ones."""
        values: dict[str, object] = {"subject": self.subject, "kind": self.kind, "message": self.message}
        if self.evidence:
            values["evidence"] = list(self.evidence)
        if self.code:
            values["code"] = self.code
        return values


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class UnmetRequirement:
    """A requirement of a locked package that the lock leaves out on purpose; `pip check` reports it as missing."""

    requirer: NormalizedName
    requirement: str
    """As in the metadata: ``torchvision>=0.16``."""

    @property
    def project(self) -> NormalizedName:
        """The required project."""
        return canonicalize_name(Requirement(self.requirement).name)

    def __str__(self) -> str:
        """Return the form used in locks: ``timm: torchvision>=0.16``."""
        return f"{self.requirer}: {self.requirement}"

    @classmethod
    def parse(cls, text: str) -> UnmetRequirement:
        """Parse the form that `str` writes.

        Raises:
            ValueError: for any other text.
        """
        requirer, _, requirement = text.partition(": ")
        try:
            name = canonicalize_name(requirer, validate=True)
            return cls(requirer=name, requirement=str(Requirement(requirement)))
        except InvalidRequirement as error:
            raise ValueError(f"{text[:200]!r}: expected such as 'timm: torchvision>=0.16'") from error
