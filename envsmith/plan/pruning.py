"""Pruning: a package is dropped if no file of the project uses it and no package requires it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from envsmith.config.profile import Profile
from envsmith.config.requirement import SourcedRequirement
from envsmith.model.finding import Decision
from envsmith.plan.model import Resolution, ResolutionPlan

if TYPE_CHECKING:
    from envsmith.model.usage import Usage

UNUSED, NEEDED = "RES114", "RES115"
"""Codes of decisions: a package is dropped, a prunable package stays."""
_SHOWN_PLACES = 3
_REASONS = {
    "used": "used",
    "conditional": "used if installed",
    "beside": "used outside the source folders",
    "tests": "used in tests",
    "string": "named in a string, possibly a use",
    "own": "the project has a module of the same name",
    "unproven": "named in files that could not be read",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneVerdict:
    """Answer of a project's files on one package."""

    project: str
    """Normalised name."""
    answer: str
    reason: str
    """The answer in words, to follow the project's name."""
    evidence: tuple[str, ...]
    """The first few places."""

    @property
    def is_unneeded(self) -> bool:
        """Whether no file of the project uses it."""
        return self.answer == "unused"


def judge(project: str, modules: Collection[str], usage: Usage) -> PruneVerdict:
    """Judge whether a project's files use a package.

    Args:
        project: normalised name.
        modules: its import names.
        usage: uses of these modules.
    """
    answer = usage.answer(modules)
    if answer == "unused":
        reason = f"not used ({usage.files_read} {'file' if usage.files_read == 1 else 'files'} scanned)"
        return PruneVerdict(
            project=project, answer=answer, reason=reason, evidence=(f"files read: {usage.files_read}",)
        )
    unread = [f"{item.file}: {item.reason}" for item in usage.unread_for(modules)]
    uses = [f"{use.place} ({use.kind}: {use.module})" for use in usage.of(modules)]
    evidence = unread if answer == "unproven" else uses
    more = len(evidence) - _SHOWN_PLACES
    return PruneVerdict(
        project=project,
        answer=answer,
        reason=_REASONS[answer],
        evidence=(*evidence[:_SHOWN_PLACES], *((f"and {more} more",) if more > 0 else ())),
    )


def candidates(profile: Profile, requirements: Iterable[SourcedRequirement]) -> tuple[str, ...]:
    """Return the required projects that may be dropped: ``family.X = "auto"`` and the names in ``prune``."""
    prune = profile.later.get("prune", ())
    names = {name for name, policy in profile.family.items() if policy == "auto"}
    names |= {name for name in prune if isinstance(name, str)} if isinstance(prune, tuple) else set()
    names -= {name for name, policy in profile.family.items() if policy == "drop"}
    return tuple(sorted({item.name for item in requirements} & names))


def propose(verdict: PruneVerdict) -> Decision:
    """Return the decision on a package before the resolution; `settle` completes it."""
    if verdict.is_unneeded:
        return Decision(
            subject=verdict.project,
            kind="dropped",
            code=UNUSED,
            message=f"{verdict.project} dropped: {verdict.reason}",
            evidence=(*verdict.evidence, "uses: 0"),
        )
    return Decision(
        subject=verdict.project,
        kind="noted",
        code=NEEDED,
        message=f"{verdict.project} stays: {verdict.reason}",
        evidence=verdict.evidence,
    )


def settle(plan: ResolutionPlan, resolution: Resolution) -> ResolutionPlan:
    """Complete the decisions with the resolution: a package required by others stays."""
    if not any(item.code == UNUSED for item in plan.decisions):
        return plan
    names = {str(package.name) for package in resolution.packages}
    decisions = (
        _settled(item, names, plan, resolution) if item.code == UNUSED else item for item in plan.decisions
    )
    return replace(plan, decisions=tuple(decisions))


def is_unrequired(decision: Decision) -> bool:
    """Return whether a decision shows that no package requires its subject; an exclude does not show it."""
    return decision.code == UNUSED


def _settled(
    item: Decision, names: Collection[str], plan: ResolutionPlan, resolution: Resolution
) -> Decision:
    if item.subject not in names:
        return replace(
            item,
            message=f"{item.message}, and no package requires it",
            evidence=(*item.evidence, "required by: 0 packages"),
        )
    requirers = resolution.requirers.get(item.subject, ())
    return Decision(
        subject=item.subject,
        kind="noted",
        code=NEEDED,
        message=f"{item.subject} stays: required by {', '.join(requirers) or 'another package'}",
        evidence=(*item.evidence, *(_chain(name, plan, resolution) for name in requirers)),
    )


def _chain(name: str, plan: ResolutionPlan, resolution: Resolution) -> str:
    """Return the requirers of a package up to a direct requirement: ``timm ← ultralytics, required at req.in:3``."""
    origins = {item.name: item.origin for item in plan.all_requirements()}
    chain = [name]
    while chain[-1] not in origins:
        others = [other for other in resolution.requirers.get(chain[-1], ()) if other not in chain]
        if not others:
            return " ← ".join(chain)
        chain.append(next((other for other in others if other in origins), others[0]))
    return f"{' ← '.join(chain)}, required at {origins[chain[-1]]}"


def withdraw(
    requirements: Iterable[SourcedRequirement], unneeded: Collection[str]
) -> tuple[tuple[SourcedRequirement, ...], tuple[SourcedRequirement, ...]]:
    """Turn the requirements on unused packages into constraints.

    If another package requires one of them, the resolver still adds it, within the bounds of the former requirement.

    Args:
        requirements: direct requirements.
        unneeded: normalised names.

    Returns:
        The remaining requirements, and the constraints.
    """
    kept: list[SourcedRequirement] = []
    limiting: list[SourcedRequirement] = []
    for item in requirements:
        (limiting if item.name in unneeded else kept).append(item)
    bounds = (item for item in limiting if item.requirement.specifier)
    return tuple(kept), tuple(replace(item, requirement=_bound(item)) for item in bounds)


def _bound(item: SourcedRequirement) -> Requirement:
    requirement = Requirement(str(item.requirement))
    requirement.extras = set()  # a constraint has none
    return requirement
