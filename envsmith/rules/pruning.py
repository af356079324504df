"""Whether a package may go: dropped only where nothing uses it and nothing requires it, else kept and said why."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from packaging.requirements import Requirement

from envsmith.model.asked import Asked
from envsmith.model.decision import Decision
from envsmith.model.usage import Usage, Use

_MOST_PLACES = 3
_WORDS = {
    "used": "it is used",
    "conditional": "it is used where it is there",
    "beside": "code beside the sources uses it",
    "tests": "the tests use it",
    "string": "a text names it, and that may be a use",
    "own": "the project has a module of that name, so that it is not known which one is meant",
    "unproven": "files that name it cannot be read",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a project's files say of one package."""

    project: str
    """Normalised name."""
    answer: str
    """One of usage.ANSWERS."""
    reason: str
    """The answer as a sentence without its subject."""
    evidence: tuple[str, ...]
    """The places it rests on, the first few."""

    @property
    def is_unneeded(self) -> bool:
        """True where the files prove that the project itself does not need it."""
        return self.answer == "unused"


def judge(project: str, modules: Collection[str], usage: Usage) -> Verdict:
    """Say what a project's files say of one package.

    Args:
        project: its normalised name.
        modules: the names it is imported under.
        usage: what the files say of these modules.
    """
    answer = usage.answer(modules)
    if answer == "unused":
        reason = f"no use in {usage.files_read} {'file' if usage.files_read == 1 else 'files'}"
        return Verdict(
            project=project, answer=answer, reason=reason, evidence=(f"files read: {usage.files_read}",)
        )
    unread = [f"{item.file}: {item.reason}" for item in usage.unread_for(modules)]
    told = unread if answer == "unproven" else [_told(use) for use in usage.of(modules)]
    return Verdict(project=project, answer=answer, reason=_WORDS[answer], evidence=_first(told))


def decide(verdict: Verdict, requirers: Mapping[str, tuple[Use, ...]]) -> Decision:
    """Drop a package, or keep it and say why.

    Args:
        verdict: what the project's files say.
        requirers: each locked package that requires it, with the uses that bring that package in.
    """
    if verdict.is_unneeded and not requirers:
        return Decision(
            subject=verdict.project,
            kind="dropped",
            code="RES114",
            message=f"{verdict.project} dropped: {verdict.reason}, and no package requires it",
            evidence=(*verdict.evidence, "uses: 0", "required by: 0 packages"),
        )
    reasons = [] if verdict.is_unneeded else [verdict.reason]
    if requirers:
        reasons.append(f"required by {', '.join(sorted(requirers))}")
    brought = [
        f"{name} is used in {_told(use)}" for name, uses in sorted(requirers.items()) for use in uses[:1]
    ]
    evidence = (*(() if verdict.is_unneeded else verdict.evidence), *brought)
    return Decision(
        subject=verdict.project,
        kind="noted",
        code="RES115",
        message=f"{verdict.project} stays: {'; '.join(reasons)}",
        evidence=evidence,
    )


def withdraw(
    requirements: Iterable[Asked], unneeded: Collection[str]
) -> tuple[tuple[Asked, ...], tuple[Asked, ...]]:
    """Stop asking for packages that the project does not need.

    Where another package requires one of them the resolver brings it in all the same, bound as it was asked for: so
    nothing that is needed can go missing.

    Args:
        requirements: what is asked for.
        unneeded: normalised names.

    Returns:
        What is still asked for, and what now only limits.
    """
    kept: list[Asked] = []
    limiting: list[Asked] = []
    for item in requirements:
        (limiting if item.name in unneeded else kept).append(item)
    bounds = (item for item in limiting if item.requirement.specifier)
    return tuple(kept), tuple(Asked(requirement=_bound(item), origin=item.origin) for item in bounds)


def _bound(item: Asked) -> Requirement:
    requirement = Requirement(str(item.requirement))
    requirement.extras = set()  # a constraint has none
    return requirement


def _told(use: Use) -> str:
    return f"{use.place} ({use.kind}: {use.module})"


def _first(told: list[str]) -> tuple[str, ...]:
    more = len(told) - _MOST_PLACES
    return (*told[:_MOST_PLACES], f"and {more} more") if more > 0 else tuple(told)
