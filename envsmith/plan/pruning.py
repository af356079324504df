"""Whether a package may go: dropped only where nothing uses it and nothing requires it, else kept and said why."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from packaging.requirements import Requirement

from envsmith.config.profile import Profile
from envsmith.config.requirement import SourcedRequirement
from envsmith.model.finding import Decision
from envsmith.model.usage import Usage, Use
from envsmith.plan.model import Resolution, ResolutionPlan

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
class PruneVerdict:
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


def judge(project: str, modules: Collection[str], usage: Usage) -> PruneVerdict:
    """Say what a project's files say of one package.

    Args:
        project: its normalised name.
        modules: the names it is imported under.
        usage: what the files say of these modules.
    """
    answer = usage.answer(modules)
    if answer == "unused":
        reason = f"no use in {usage.files_read} {'file' if usage.files_read == 1 else 'files'}"
        return PruneVerdict(
            project=project, answer=answer, reason=reason, evidence=(f"files read: {usage.files_read}",)
        )
    unread = [f"{item.file}: {item.reason}" for item in usage.unread_for(modules)]
    told = unread if answer == "unproven" else [_told(use) for use in usage.of(modules)]
    return PruneVerdict(project=project, answer=answer, reason=_WORDS[answer], evidence=_first(told))


def candidates(profile: Profile, requirements: Iterable[SourcedRequirement]) -> tuple[str, ...]:
    """Return what is asked for and may go where nothing needs it: ``family.X = "auto"``, and what ``prune`` names."""
    prune = profile.later.get("prune", ())
    names = {name for name, policy in profile.family.items() if policy == "auto"}
    names |= {name for name in prune if isinstance(name, str)} if isinstance(prune, tuple) else set()
    names -= {name for name, policy in profile.family.items() if policy == "drop"}
    return tuple(sorted({item.name for item in requirements} & names))


def propose(verdict: PruneVerdict) -> Decision:
    """Say whether a package is still asked for; `settle` completes this where it is not."""
    if verdict.is_unneeded:
        return Decision(
            subject=verdict.project,
            kind="dropped",
            code="RES114",
            message=f"{verdict.project} dropped: {verdict.reason}",
            evidence=(*verdict.evidence, "uses: 0"),
        )
    return Decision(
        subject=verdict.project,
        kind="noted",
        code="RES115",
        message=f"{verdict.project} stays: {verdict.reason}",
        evidence=verdict.evidence,
    )


def settle(plan: ResolutionPlan, resolution: Resolution) -> ResolutionPlan:
    """Complete what was proposed with what the resolver found: a package that others require is there all the same."""
    if not any(item.code == "RES114" for item in plan.decisions):
        return plan
    names = {str(package.name) for package in resolution.packages}
    decisions = (
        _settled(item, names, plan, resolution) if item.code == "RES114" else item for item in plan.decisions
    )
    return replace(plan, decisions=tuple(decisions))


def is_unrequired(decision: Decision) -> bool:
    """Say whether a lock's decision proves that no package requires its subject: an exclude proves nothing."""
    return decision.code == "RES114"


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
        code="RES115",
        message=f"{item.subject} stays: required by {', '.join(requirers) or 'another package'}",
        evidence=(*item.evidence, *(_way(name, plan, resolution) for name in requirers)),
    )


def _way(name: str, plan: ResolutionPlan, resolution: Resolution) -> str:
    """Say what brings a package in: ``timm: required by ultralytics, asked for at requirements.in:3``."""
    asked = {item.name: item.origin for item in plan.all_requirements()}
    way = [name]
    while way[-1] not in asked:
        others = [other for other in resolution.requirers.get(way[-1], ()) if other not in way]
        if not others:
            return " ← ".join(way)
        way.append(next((other for other in others if other in asked), others[0]))
    return f"{' ← '.join(way)}, asked for at {asked[way[-1]]}"


def withdraw(
    requirements: Iterable[SourcedRequirement], unneeded: Collection[str]
) -> tuple[tuple[SourcedRequirement, ...], tuple[SourcedRequirement, ...]]:
    """Stop asking for packages that the project does not need.

    Where another package requires one of them the resolver brings it in all the same, bound as it was asked for: so
    nothing that is needed can go missing.

    Args:
        requirements: what is asked for.
        unneeded: normalised names.

    Returns:
        What is still asked for, and what now only limits.
    """
    kept: list[SourcedRequirement] = []
    limiting: list[SourcedRequirement] = []
    for item in requirements:
        (limiting if item.name in unneeded else kept).append(item)
    bounds = (item for item in limiting if item.requirement.specifier)
    return tuple(kept), tuple(
        SourcedRequirement(requirement=_bound(item), origin=item.origin) for item in bounds
    )


def _bound(item: SourcedRequirement) -> Requirement:
    requirement = Requirement(str(item.requirement))
    requirement.extras = set()  # a constraint has none
    return requirement


def _told(use: Use) -> str:
    return f"{use.place} ({use.kind}: {use.module})"


def _first(told: list[str]) -> tuple[str, ...]:
    more = len(told) - _MOST_PLACES
    return (*told[:_MOST_PLACES], f"and {more} more") if more > 0 else tuple(told)
