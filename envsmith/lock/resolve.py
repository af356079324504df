"""Resolution of a plan: resolve, let the rules amend the plan, repeat until no rule amends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from envsmith.catalog import Catalog
from envsmith.errors import NoSolutionError, ResolveError
from envsmith.lockfile.whole import NO_RULES, LockRules
from envsmith.model.finding import Decision
from envsmith.model.progress import Progress
from envsmith.plan import conflicts, extension_constraints, pairings, pruning, routes, unmet_requirements
from envsmith.plan.model import Amendment, Resolution, ResolutionPlan
from envsmith.plan.ports import (
    Files,
    Hasher,
    ImportTimeUses,
    Listings,
    Resolver,
    Routes,
    SdistMetadataReader,
    WheelContentsReader,
    WheelRequiresReader,
)

_LONGEST_REASON = 200
"""Characters of the reason for a yank: any publisher may write any."""
MAX_ROUNDS = 8
"""Real locks take two or three; more means that two rules undo each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveTools:
    """Resolver, readers and facts for locking."""

    catalog: Catalog
    listings: Listings
    resolver: Resolver
    sdists: SdistMetadataReader
    hasher: Hasher
    contents: WheelContentsReader
    requires: WheelRequiresReader
    imports: ImportTimeUses
    compares_builds: bool = False
    """Whether to compare the download size with that of PyPI's torch: it takes one more resolution."""
    files: Files
    templates: Callable[[str], str]
    """Filename → text of a template."""
    progress: Progress
    routes: Routes | None = None
    """None without network."""
    rules: LockRules = NO_RULES


def resolve(plan: ResolutionPlan, tools: ResolveTools) -> tuple[ResolutionPlan, Resolution]:
    """Resolve a plan until no rule amends it; return the amended plan and the last resolution.

    Raises:
        NoSolutionError: RES050 when there is no solution.
        ResolveError: RES051 when the rules contradict each other.
        LockError: LCK020 or LCK023 when a package was compiled against another torch or backend.
        ToolError: when the resolver or the network fails.
    """
    for _ in range(MAX_ROUNDS):
        plan, resolution = _resolved(plan, tools)
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
        amendment = pairings.amend(plan, resolution, tools.catalog) or conflicts.amend(
            plan, resolution, catalog=tools.catalog, requires=tools.requires
        )
        if amendment is None:
            extension_constraints.check(resolution, tools.catalog)
            routes.check(plan, resolution, tools.catalog)
            return _completed(plan, resolution, tools), resolution
        plan = plan.amended(amendment)
    raise ResolveError(
        "RES051",
        f"no stable resolution after {MAX_ROUNDS} rounds",
        where=str(plan.target),
        details=tuple((item.subject, item.message) for item in plan.all_decisions()[-4:]),
        hint="the rules above contradict each other for these requirements: pin one of the packages",
    )


def _resolved(plan: ResolutionPlan, tools: ResolveTools) -> tuple[ResolutionPlan, Resolution]:
    """Resolve a plan; without a solution, retry without the last package that a rule added."""
    try:
        return plan, tools.resolver.resolve(plan)
    except NoSolutionError as error:
        earlier = conflicts.without_last_added(plan)
        if earlier is None:
            extension_constraints.explain(error, plan, tools.catalog)
            raise
    return _resolved(earlier, tools)


def _completed(plan: ResolutionPlan, resolution: Resolution, tools: ResolveTools) -> ResolutionPlan:
    """Add the decisions that depend on the last resolution."""
    plan = pruning.settle(plan, resolution).amended(
        Amendment(
            decisions=(
                *pairings.notice(plan, resolution),
                *conflicts.notice(plan, resolution, tools.catalog),
                *_yanked(plan, resolution),
            )
        )
    )
    missing = unmet_requirements.settle(
        plan, resolution, requires=tools.requires, contents=tools.contents, imports=tools.imports
    )
    return plan.amended(missing) if missing else plan


def _yanked(plan: ResolutionPlan, resolution: Resolution) -> Iterator[Decision]:
    """Yield a note for each locked version that its index withdrew; exact pins select it nevertheless."""
    wheels = {wheel.filename: wheel for wheels in plan.slice.projects.values() for wheel in wheels}
    for package in resolution.packages:
        files = [wheels.get(unquote(wheel.filename)) for wheel in package.wheels or ()]
        found = [item.yanked for item in files if item and item.yanked is not None]
        reason = found[0] if found else resolution.yanked.get(package.name)
        if reason is None:
            continue
        words = " ".join("".join(char if char.isprintable() else " " for char in reason).split())
        yield Decision(
            subject=package.name,
            kind="noted",
            message=f"{package.name} {package.version} is yanked: {words[:_LONGEST_REASON] or 'no reason given'}",
            evidence=tuple(item.origin for item in plan.constraints_on(package.name)),
            code="RES117",
        )
