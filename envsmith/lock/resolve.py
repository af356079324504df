"""Resolution of a profile's plans: resolve them, let the rules amend them, repeat until no rule amends one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import unquote

from envsmith.catalog import Catalog
from envsmith.errors import EnvsmithError, NoSolutionError, ResolveError
from envsmith.lockfile.whole import NO_RULES, LockRules
from envsmith.model.finding import Decision
from envsmith.model.progress import Progress
from envsmith.plan import (
    conflicts,
    extension_constraints,
    pairings,
    pruning,
    routes,
    unmet_requirements,
)
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
from envsmith.uv import joint

_LONGEST_REASON = 200
"""Characters of the reason for a yank: any publisher may write any."""
MAX_ROUNDS = 8
"""Real locks take two or three; more means that two rules undo each other."""
_THREADS = 8
"""The resolver decides how many of them run."""


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


_State = dict[str, ResolutionPlan]
"""Slug → the plan of a target, with its amendments so far."""
_Answers = dict[str, Resolution | EnvsmithError]


def resolve_all(
    plans: Sequence[ResolutionPlan], tools: ResolveTools
) -> dict[str, tuple[ResolutionPlan, Resolution] | EnvsmithError]:
    """Resolve the plans of a profile together until no rule amends one of them.

    With common versions, each round prefers those of the one before.

    Returns:
        Slug → the amended plan with the last resolution, or the error: NoSolutionError RES050 without a solution,
        ResolveError RES051 when the rules contradict each other, LockError LCK020 or LCK023 when a package was
        compiled against another torch or backend, ToolError when the resolver or the network fails.
    """
    state: _State = {plan.target.slug: plan for plan in plans}
    answers: _Answers = {}
    failed: dict[str, EnvsmithError] = {}
    amended = set(state)
    for _ in range(MAX_ROUNDS):
        answers |= _answers([plan for slug, plan in state.items() if slug not in failed], amended, tools)
        amended = set()
        for slug in state.keys() - failed.keys():
            try:
                state[slug], is_open = _amended(state[slug], answers[slug], tools)
            except EnvsmithError as error:
                failed[slug] = error
            else:
                amended |= {slug} if is_open else set()
        if not amended:
            break
        for slug, answer in answers.items():
            if isinstance(answer, Resolution) and state[slug].versions == "common":
                state[slug] = replace(state[slug], preferences=answer.versions())
    failed |= {slug: _unstable(state[slug]) for slug in amended}
    return {slug: failed.get(slug) or _settled(plan, answers[slug], tools) for slug, plan in state.items()}


def _answers(plans: Sequence[ResolutionPlan], amended: Collection[str], tools: ResolveTools) -> _Answers:
    """Resolve the groups with an amended plan at once, and plan by plan those without a common solution."""
    due = [group for group in joint.groups(plans) if any(plan.target.slug in amended for plan in group)]
    with ThreadPoolExecutor(_THREADS) as pool:
        together = list(pool.map(partial(_together, tools=tools), due))
        alone = [plan for group, found in zip(due, together, strict=True) if not found for plan in group]
        return dict(pool.map(partial(_answer, tools=tools), alone)) | {
            plan.target.slug: answer
            for group, found in zip(due, together, strict=True)
            for plan, answer in zip(group, found, strict=False)
        }


def _together(group: Sequence[ResolutionPlan], tools: ResolveTools) -> Sequence[Resolution]:
    """Return the answers of a group, or none when its plans are to be resolved one by one."""
    # A run for one target reads the metadata of that target's own wheels.
    return (tools.resolver.resolve_together(group) or ()) if len(group) > 1 else ()


def _answer(plan: ResolutionPlan, tools: ResolveTools) -> tuple[str, Resolution | EnvsmithError]:
    try:
        return plan.target.slug, tools.resolver.resolve(plan)
    except EnvsmithError as error:
        return plan.target.slug, error


def _amended(
    plan: ResolutionPlan, answer: Resolution | EnvsmithError, tools: ResolveTools
) -> tuple[ResolutionPlan, bool]:
    """Return the plan, amended by the first rule that its answer breaks, and whether to resolve it again.

    Without a solution, the last package that a rule added is taken out.

    Raises:
        EnvsmithError: when there is no solution without it either, or a rule fails.
    """
    if isinstance(answer, EnvsmithError):
        is_refused = isinstance(answer, NoSolutionError)
        if is_refused and (earlier := conflicts.without_last_added(plan)):
            return earlier, True
        if isinstance(answer, NoSolutionError):
            extension_constraints.explain(answer, plan, tools.catalog)
        raise answer
    if unread := pairings.unread(plan, answer):
        read = tuple(
            tools.sdists.metadata(
                name=name, version=version, url=sdist.url or "", sha256=sdist.hashes["sha256"]
            )
            for name, version, sdist in unread
        )
        plan = plan.amended(pairings.amendment(read))
        if any(item.requires_dist for item in read):
            return plan, True
    amendment = pairings.amend(plan, answer, tools.catalog) or conflicts.amend(
        plan, answer, catalog=tools.catalog, requires=tools.requires
    )
    return (plan.amended(amendment), True) if amendment else (plan, False)


def _unstable(plan: ResolutionPlan) -> ResolveError:
    return ResolveError(
        "RES051",
        f"no stable resolution after {MAX_ROUNDS} rounds",
        where=str(plan.target),
        details=tuple((item.subject, item.message) for item in plan.all_decisions()[-4:]),
        hint="the rules above contradict each other for these requirements: pin one of the packages",
    )


def _settled(
    plan: ResolutionPlan, answer: Resolution | EnvsmithError, tools: ResolveTools
) -> tuple[ResolutionPlan, Resolution] | EnvsmithError:
    """Check an answer that no rule amends, and complete its plan; return the error of a failed check."""
    if isinstance(answer, EnvsmithError):
        return answer
    try:
        extension_constraints.check(answer, tools.catalog)
        routes.check(plan, answer, tools.catalog)
        return _completed(plan, answer, tools), answer
    except EnvsmithError as error:
        return error


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
