"""Decision: a recorded choice, with its evidence."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = ("dropped", "substituted", "capped", "amended", "refused", "noted")


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
