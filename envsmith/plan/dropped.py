"""What a drop against metadata leaves behind: requirements without an answer, and imports that will fail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name

from envsmith.model.decision import Decision
from envsmith.model.target import Target
from envsmith.model.unsatisfied import Unsatisfied
from envsmith.model.usage import Use
from envsmith.plan.model import Plan

BREAKS, LACKS = "RES130", "RES131"
_MOST_PLACES = 3


def unsatisfied(plan: Plan, requires: Mapping[NormalizedName, Sequence[str]]) -> tuple[Unsatisfied, ...]:
    """Return what the locked packages require on this target of the projects that the plan excludes.

    Args:
        plan: says what is excluded, and which extras are asked for.
        requires: normalised name of each locked package → its ``Requires-Dist``, as METADATA says it.
    """
    excluded = {canonicalize_name(name) for name in plan.all_excludes()}
    extras: dict[NormalizedName, set[str]] = {}
    for item in plan.all_requirements():
        extras.setdefault(canonicalize_name(item.name), set()).update(item.requirement.extras)
    found: set[Unsatisfied] = set()
    size = -1
    # What is required with an extra switches requirements on elsewhere: go on until nothing new is switched on.
    while size != (size := sum(map(len, extras.values()))):
        for name, texts in requires.items():
            for requirement in _applying(texts, extras.get(canonicalize_name(name), set()), plan.target):
                wanted = canonicalize_name(requirement.name)
                extras.setdefault(wanted, set()).update(requirement.extras)
                if wanted in excluded and wanted != name:
                    requirement.marker = None
                    found.add(Unsatisfied(requirer=canonicalize_name(name), requirement=str(requirement)))
    return tuple(sorted(found))


def _applying(texts: Sequence[str], extras: set[str], target: Target) -> Iterator[Requirement]:
    for text in texts:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue  # the resolver has judged it already; what it cannot read it cannot have answered
        if any(target.satisfies(requirement.marker, extra) for extra in ("", *extras)):
            yield requirement


def judge(item: Unsatisfied, version: str, uses: Sequence[Use]) -> Decision:
    """Say what becomes of a package whose requirement was dropped.

    Args:
        item: who requires what.
        version: the requirer's pinned version.
        uses: where its own modules import what was dropped as soon as they are imported themselves.
    """
    project = item.project
    if uses:
        places = [f"{use.place} ({use.kind}: {use.module})" for use in uses]
        more = [f"and {len(places) - _MOST_PLACES} more"] if len(places) > _MOST_PLACES else []
        return Decision(
            subject=project,
            kind="noted",
            code=BREAKS,
            message=f"{item.requirer} {version} imports {project} as soon as it is imported, and {project} is dropped",
            evidence=(f"{item.requirer} requires {item.requirement}", *places[:_MOST_PLACES], *more),
        )
    return Decision(
        subject=project,
        kind="noted",
        code=LACKS,
        message=f"{item.requirer} {version} requires {item.requirement}, which is dropped;"
        " none of its modules imports it at import time",
        evidence=(f"{item.requirer} requires {item.requirement}",),
    )
