"""Resolution of a profile's plans: resolve them, let the rules amend them, repeat until no rule amends one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from urllib.parse import unquote

from envsmith.catalog import Catalog
from envsmith.config.build_settings import description
from envsmith.errors import EnvsmithError, NoSolutionError, ResolveError
from envsmith.index.direct_references.provide import Provider
from envsmith.lock import missing_wheels, platforms
from envsmith.lockfile.whole import NO_RULES, LockRules
from envsmith.model.finding import Decision
from envsmith.model.progress import Progress
from envsmith.plan import (
    candidates,
    conflicts,
    extension_constraints,
    pairings,
    pruning,
    routes,
    unmet_requirements,
)
from envsmith.plan.model import Amendment, Resolution, ResolutionPlan, TorchIndexSlice
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
    provider: Provider = field(default_factory=lambda: Provider(project=Path()))


_State = Mapping[str, ResolutionPlan]
_NONE: Mapping[str, tuple[ResolutionPlan, str]] = MappingProxyType({})
"""Slug → the plan of a target, with its amendments so far."""
_Answers = dict[str, Resolution | EnvsmithError]


def resolve_all(
    plans: Sequence[ResolutionPlan],
    tools: ResolveTools,
    kept: Mapping[str, tuple[ResolutionPlan, str]] = _NONE,
) -> dict[str, tuple[ResolutionPlan, Resolution] | EnvsmithError]:
    """Resolve the plans of a profile together until no rule amends one of them.

    With common versions, each round prefers those of the one before.

    Args:
        plans: to resolve.
        tools: the resolver, readers and facts.
        kept: slug → plan of a target that keeps its lock, and its version of torch: what is common holds for it too.

    Returns:
        Slug → the amended plan with the last resolution, or the error: NoSolutionError RES050 without a solution,
        ResolveError RES051 when the rules contradict each other, LockError LCK020 or LCK023 when a package was
        compiled against another torch or backend, ToolError when the resolver or the network fails.
    """
    state = {plan.target.slug: plan for plan in plans}
    answers: _Answers = {}
    failed: dict[str, EnvsmithError] = {}
    amended = set(state)
    for _ in range(MAX_ROUNDS):
        open_ = {slug: plan for slug, plan in state.items() if slug not in failed}
        answers |= _answers(tuple(open_.values()), _narrowed(open_, kept), amended, tools)
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
    failed |= _explained(state, failed, tools)
    found = {slug: answer for slug, answer in answers.items() if isinstance(answer, Resolution)}
    narrowed = _narrowed(state, kept)
    torch = {slug: answer.versions().get("torch", "") for slug, answer in found.items()}
    resolved = {slug: (plan, torch[slug]) for slug, plan in state.items() if slug in found}
    decisions = candidates.notice(
        (plan, narrowed[slug], version)
        for slug, (plan, version) in sorted({**kept, **resolved}.items())
        if plan.versions == "common"
    )
    return {
        slug: failed.get(slug) or _settled(plan, narrowed[slug], found[slug], decisions, tools)
        for slug, plan in state.items()
    }


def _explained(
    state: _State, failed: Mapping[str, EnvsmithError], tools: ResolveTools
) -> dict[str, EnvsmithError]:
    """Return the errors that name all packages without a wheel, for the targets without a solution."""
    unsolved = {slug: error for slug, error in failed.items() if isinstance(error, NoSolutionError)}
    with ThreadPoolExecutor(_THREADS) as pool:
        runs = {slug: pool.submit(_explain, state[slug], error, tools) for slug, error in unsolved.items()}
        return {slug: run.result() for slug, run in runs.items()}


def _explain(plan: ResolutionPlan, error: NoSolutionError, tools: ResolveTools) -> EnvsmithError:
    found = missing_wheels.explain(
        plan, error, resolver=tools.resolver, sdists=tools.sdists, catalog=tools.catalog
    )
    if isinstance(found, ResolveError) and found.later_platforms and plan.target.platform.is_open:
        found.later_platforms = (platforms.lowest_floor(plan, found.later_platforms, tools.resolver),)
    return found


def _narrowed(state: _State, kept: Mapping[str, tuple[ResolutionPlan, str]]) -> _State:
    plans = (*state.values(), *(plan for plan, _ in kept.values()))
    is_common = bool(plans) and plans[0].versions == "common"
    return {plan.target.slug: plan for plan in (candidates.narrow(plans) if is_common else plans)}


def _answers(
    plans: Sequence[ResolutionPlan], narrowed: _State, amended: Collection[str], tools: ResolveTools
) -> _Answers:
    """Resolve the groups that have an amended plan.

    With common versions the later groups prefer those of the first.
    """
    due = [group for group in joint.groups(plans) if any(plan.target.slug in amended for plan in group)]
    answers: _Answers = {}
    with ThreadPoolExecutor(_THREADS) as pool:
        while due:
            # The first group alone; its versions are those that the others prefer.
            is_first = plans[0].versions == "common" and not answers
            now, due = (due[:1], due[1:]) if is_first else (due, [])
            kept = _common_versions(answers.values())
            together = pool.map(partial(_together, narrowed=narrowed, kept=kept, tools=tools), now)
            for group, found in zip(now, together, strict=True):
                answers |= found
                due += [(plan,) for plan in group if not found]
    return answers


def _common_versions(answers: Iterable[Resolution | EnvsmithError]) -> dict[str, str]:
    """Return project → version of the projects that have the same one in all resolutions."""
    found: dict[str, set[str]] = {}
    for answer in answers:
        for name, version in answer.versions().items() if isinstance(answer, Resolution) else ():
            found.setdefault(name, set()).add(version)
    return {name: next(iter(versions)) for name, versions in found.items() if len(versions) == 1}


def _together(
    group: Sequence[ResolutionPlan],
    narrowed: Mapping[str, ResolutionPlan],
    kept: Mapping[str, str],
    tools: ResolveTools,
) -> _Answers:
    """Return the answers of a group, first with the versions that all targets have; none without a common one."""
    plans = [replace(plan, preferences=_of_slice({**kept, **plan.preferences}, plan.slice)) for plan in group]
    common = [replace(plan, slice=narrowed[plan.target.slug].slice) for plan in plans]
    if len(group) == 1:
        # A run for one target reads the metadata of that target's own wheels, and explains a failure.
        answer = _answer(common[0], tools)
        is_final = common[0].slice == plans[0].slice or not isinstance(answer, NoSolutionError)
        return {group[0].target.slug: answer if is_final else _answer(plans[0], tools)}
    found = tools.resolver.resolve_together(common)
    if found is None and common != plans:
        found = tools.resolver.resolve_together(plans)
    return {plan.target.slug: item for plan, item in zip(group, found or (), strict=False)}


def _of_slice(versions: Mapping[str, str], slice_: TorchIndexSlice) -> dict[str, str]:
    """Return versions to prefer, those of another backend with the label of the slice's wheels."""
    labelled = {
        (name, wheel.version.public): str(wheel.version)
        for name, wheels in slice_.projects.items()
        for wheel in wheels
    }
    return {
        name: labelled.get((name, version.partition("+")[0]), version) for name, version in versions.items()
    }


def _answer(plan: ResolutionPlan, tools: ResolveTools) -> Resolution | EnvsmithError:
    try:
        return tools.resolver.resolve(plan)
    except EnvsmithError as error:
        return error


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
            description(name, version, plan.described)
            or tools.sdists.metadata(
                name=name,
                version=version,
                url=sdist.url or "",
                sha256=sdist.hashes["sha256"],
                may_build=name in plan.allow_build,
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
    plan: ResolutionPlan,
    narrowed: ResolutionPlan,
    resolution: Resolution,
    decisions: tuple[Decision, ...],
    tools: ResolveTools,
) -> tuple[ResolutionPlan, Resolution] | EnvsmithError:
    """Check an answer that no rule amends, and complete its plan; return the error of a failed check."""
    try:
        extension_constraints.check(resolution, tools.catalog)
        routes.check(plan, resolution, tools.catalog)
        notes = (*pairings.notice(narrowed, resolution), *decisions)
        return _completed(plan, resolution, notes, tools), resolution
    except EnvsmithError as error:
        return error


def _completed(
    plan: ResolutionPlan, resolution: Resolution, notes: tuple[Decision, ...], tools: ResolveTools
) -> ResolutionPlan:
    """Add the decisions that depend on the last resolution."""
    plan = pruning.settle(plan, resolution).amended(
        Amendment(
            decisions=(
                *notes,
                *conflicts.notice(plan, resolution, tools.catalog),
                *yanked(plan, resolution),
                *platforms.notice(plan, resolution),
            )
        )
    )
    missing = unmet_requirements.settle(
        plan, resolution, requires=tools.requires, contents=tools.contents, imports=tools.imports
    )
    return plan.amended(missing) if missing else plan


def yanked(plan: ResolutionPlan, resolution: Resolution) -> Iterator[Decision]:
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
            message=f"{package.name} {package.version} is yanked: {words[: routes.MOST_REASON] or 'no reason given'}",
            evidence=tuple(item.origin for item in plan.constraints_on(package.name)),
            code="RES117",
        )
