"""Resolve: ask the resolver, let the rules add what they see in its answer, until none has anything to add."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from envsmith.catalog import Catalog
from envsmith.errors import ResolveError
from envsmith.model.progress import Progress
from envsmith.plan import conflicts, dropped, extension_constraints, pairings, pruning
from envsmith.plan import routes as routing
from envsmith.plan.model import Amendment, Resolution, ResolutionPlan
from envsmith.plan.plan import Listings
from envsmith.plan.ports import (
    Files,
    Hasher,
    ImportTime,
    Resolver,
    Routes,
    SdistMetadataReader,
    WheelContentsReader,
    WheelRequiresReader,
)

MOST_ROUNDS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveTools:
    """The ports and facts a lock needs."""

    catalog: Catalog
    listings: Listings
    resolver: Resolver
    sdists: SdistMetadataReader
    hasher: Hasher
    contents: WheelContentsReader
    requires: WheelRequiresReader
    imports: ImportTime
    weighs_builds: bool = False
    """Whether to tell also what the build of torch saves against PyPI's: that takes one more resolution."""
    files: Files
    templates: Callable[[str], str]
    """Returns the text of a template by its file's name."""
    progress: Progress
    routes: Routes | None = None
    """None where the network may not be used."""


def resolve(plan: ResolutionPlan, tools: ResolveTools) -> tuple[ResolutionPlan, Resolution]:
    """Resolve a plan until no rule has anything to add, and return it with its amendments and the last answer.

    Raises:
        ResolveError: RES051 when the rules contradict each other; RES050 when there is no solution.
        LockError: LCK020 or LCK023 when a package was compiled against another torch or backend.
        ToolError: when the resolver or the network fails.
    """
    for _ in range(MOST_ROUNDS):
        plan, resolution = _answered(plan, tools)
        if unread := pairings.unread(plan, resolution):
            read = tuple(
                tools.sdists.metadata(
                    name=name, version=version, url=sdist.url or "", sha256=sdist.hashes["sha256"]
                )
                for name, version, sdist in unread
            )
            plan = plan.amended(pairings.amendment(read))
            if any(item.requires_dist for item in read):
                continue
        amendment = pairings.amend(plan, resolution, tools.catalog) or conflicts.amendment(
            plan, resolution, catalog=tools.catalog, requires=tools.requires
        )
        if amendment is None:
            extension_constraints.check(resolution, tools.catalog)
            routing.check(plan, resolution, tools.catalog)
            return _settled(plan, resolution, tools), resolution
        plan = plan.amended(amendment)
    raise ResolveError(
        "RES051",
        f"no agreement after {MOST_ROUNDS} resolutions",
        where=str(plan.target),
        details=tuple((item.subject, item.message) for item in plan.all_decisions()[-4:]),
        hint="the rules named above contradict each other for these requirements: pin one of the packages",
    )


def _answered(plan: ResolutionPlan, tools: ResolveTools) -> tuple[ResolutionPlan, Resolution]:
    """Resolve a plan; where there is no solution, without what the rules brought in unasked."""
    try:
        return plan, _answer(plan, tools)
    except ResolveError as error:
        earlier = conflicts.retreat(plan) if error.code == "RES050" else None
        if earlier is None:
            raise
        return _answered(earlier, tools)


def _answer(plan: ResolutionPlan, tools: ResolveTools) -> Resolution:
    try:
        return tools.resolver.resolve(plan)
    except ResolveError as error:
        raise extension_constraints.explain(error, plan, tools.catalog)  # noqa: B904 - the same error, with what is known


def _settled(plan: ResolutionPlan, resolution: Resolution, tools: ResolveTools) -> ResolutionPlan:
    """Complete a plan with what can only be said of the last answer."""
    plan = pruning.settle(plan, resolution).amended(
        Amendment(
            decisions=(
                *pairings.notice(plan, resolution),
                *conflicts.notice(plan, resolution, tools.catalog),
            )
        )
    )
    left = dropped.settle(
        plan, resolution, requires=tools.requires, contents=tools.contents, imports=tools.imports
    )
    return plan.amended(left) if left else plan
