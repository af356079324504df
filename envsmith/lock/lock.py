"""Locking of profiles: plan, resolve the changed targets, admit, write."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from envsmith.activate.scripts import scripts_of
from envsmith.errors import EnvsmithError, LockError, ResolveError
from envsmith.lock import admission, file_conflicts, recorded_models, savings
from envsmith.lock.request import LockOptions, with_shared_versions
from envsmith.lock.resolve import ResolveTools, resolve_all
from envsmith.lock.savings import DownloadSavings
from envsmith.lockfile.manifest import FILENAME, FamilyPin, Manifest, TargetRecord
from envsmith.lockfile.pylock import Lock
from envsmith.lockfile.store import (
    decisions_of,
    file_names,
    lock_files,
    read_manifest,
    sha256_of,
    upgraded_names,
)
from envsmith.lockfile.whole import problems
from envsmith.model.finding import Decision
from envsmith.plan import routes
from envsmith.plan.model import LockRequest, ProfilePlan, Resolution, ResolutionPlan
from envsmith.plan.planner import plan_profile
from envsmith.plan.unmet_requirements import BREAKS
from envsmith.plan.wheel_hashes import RecordedHasher


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedTarget:
    """Result for one target."""

    slug: str
    entry: TargetRecord
    lock: Lock | None
    """None when the lock on disk is current."""
    seconds: float
    savings: tuple[DownloadSavings, ...] = ()
    """Not part of the lock: they depend on the sizes that servers report."""
    unchecked: tuple[str, ...] = ()
    """Packages whose wheels could not be read, so that their files were not compared. Not part of the lock."""
    possible_conflicts: tuple[str, ...] = ()
    """Pairs with an unchecked package and the same import folder."""
    replaced: tuple[LockError, ...] = ()
    """Problems of the lock on disk, for which it was not taken as current."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedProfile:
    """Result for one profile."""

    profile: str
    manifest: Manifest
    catalog_name: str
    decisions: tuple[Decision, ...]
    targets: tuple[LockedTarget, ...]
    written: tuple[str, ...]
    """Names of the changed files."""
    folder: Path

    @property
    def breakages(self) -> tuple[Decision, ...]:
        """The decisions that break a package of the lock: it imports a dropped project."""
        return tuple(item for item in self.decisions if item.code == BREAKS)


_Due = tuple[ResolutionPlan, tuple[LockError, ...]]
"""A plan to resolve, and the problems of the lock on disk."""
_T = TypeVar("_T")


def lock_profiles(
    requests: Sequence[LockRequest], options: LockOptions, tools: ResolveTools, *, pool: ThreadPoolExecutor
) -> Iterator[tuple[LockRequest, LockedProfile | EnvsmithError]]:
    """Lock profiles, each into its folder below ``options.folder``, and yield each with its result or error.

    Only targets whose plan or files changed are resolved. All profiles are planned before the first is waited for, so
    that no thread idles between two profiles. An error of one profile does not stop the others, and writes nothing
    of its own.

    Args:
        requests: profiles and requirements.
        options: cutoff, folder, and whether to write.
        tools: the resolver, readers and facts.
        pool: runs the resolutions.
    """
    names = {request.profile.name for request in requests}
    # A profile with the versions of another one waits for its lock.
    waiting = [request for request in requests if request.profile.versions_of in names]
    behind = {request.profile.name for request in waiting}
    begin = partial(_start, options=options, tools=tools, pool=pool)
    started = [
        (request, _attempt(request, partial(begin, request)))
        for request in requests
        if request not in waiting
    ]
    for request, finish in started:
        yield request, finish if isinstance(finish, EnvsmithError) else _attempt(request, finish)
    for request in sorted(waiting, key=lambda item: item.profile.versions_of in behind):
        yield request, _attempt(request, lambda request=request: begin(request)())  # type: ignore[misc]


def _attempt(request: LockRequest, step: Callable[[], _T]) -> _T | EnvsmithError:
    try:
        return step()
    except EnvsmithError as error:
        return error if error.where else error.at(f"profile {request.profile.name}")


def _start(
    request: LockRequest, options: LockOptions, tools: ResolveTools, pool: ThreadPoolExecutor
) -> Callable[[], LockedProfile]:
    """Plan a profile, submit its resolutions, and return the function that waits for them and writes."""
    name = request.profile.name
    folder = options.folder / name
    found = tools.files.read_files(folder)
    manifest = read_manifest(found, str(folder / FILENAME))
    upgrades = upgraded_names(options.upgrade_packages, found, name)
    again = None if options.upgrade else frozenset(upgrades)
    pages = routes.read(request.profile, manifest, tools.routes, again=again)
    if other := request.profile.versions_of:
        place = options.folder / other
        request = with_shared_versions(request, place, tools.files.read_files(place))
    planned = plan_profile(
        replace(request, pages=pages),
        options.cutoffs(manifest, upgrades),
        catalog=tools.catalog,
        listings=tools.listings,
        hasher=RecordedHasher(manifest, tools.hasher),
    )
    current: list[LockedTarget] = []
    due: list[_Due] = []
    for plan in planned.plans:
        slug = plan.target.slug
        is_unchanged = manifest and is_current(plan, manifest, found)
        replaced = problems(slug, manifest, found, folder, tools.rules) if manifest and is_unchanged else ()
        if manifest and is_unchanged and not replaced:
            current.append(LockedTarget(slug=slug, entry=manifest.targets[slug], lock=None, seconds=0.0))
        else:
            due.append((plan, replaced))
    resolving = pool.submit(_lock_targets, due, planned.catalog_name, tools)
    return partial(_finish, planned, current, resolving, manifest, options, tools)


def _finish(
    planned: ProfilePlan,
    current: Sequence[LockedTarget],
    resolving: Future[list[LockedTarget | EnvsmithError]],
    manifest: Manifest | None,
    options: LockOptions,
    tools: ResolveTools,
) -> LockedProfile:
    """Wait for the targets of a profile, and write its files unless one failed."""
    name = planned.request.profile.name
    found = {target.slug: target for target in (*current, *_locked(resolving.result()))}
    targets = tuple(found[plan.target.slug] for plan in planned.plans)
    scripts = scripts_of(planned.plans, tools.templates)
    fresh = _manifest(planned, targets, scripts, manifest)
    files: dict[str, bytes] = {}
    for lock in filter(None, (target.lock for target in targets)):
        files |= lock_files(lock)
    files |= {FILENAME: fresh.to_toml().encode(), **scripts}
    unused = file_names(manifest) - file_names(fresh)
    folder = options.folder / name
    return LockedProfile(
        profile=name,
        manifest=fresh,
        catalog_name=planned.catalog_name,
        decisions=_decisions(planned, targets),
        targets=targets,
        written=() if options.dry_run else tools.files.write_files(folder, files, remove=unused),
        folder=folder,
    )


def _lock_targets(
    due: Sequence[_Due], catalog_name: str, tools: ResolveTools
) -> list[LockedTarget | EnvsmithError]:
    """Resolve plans together, and return the lock or the error of each."""
    begin = time.monotonic()
    for plan, _ in due:
        tools.progress.started(_subject(plan), "resolving")
    answers = resolve_all([plan for plan, _ in due], tools)
    admitted = {plan.target.slug: _admitted(answers[plan.target.slug], catalog_name) for plan, _ in due}
    # Targets share most wheels: read each one once, and all at the same time.
    tools.contents.contents(
        package.wheels[0]
        for item in admitted.values()
        if not isinstance(item, EnvsmithError)
        for package in item[2].pylock.packages
        if package.wheels
    )
    found: list[LockedTarget | EnvsmithError] = []
    for plan, replaced in due:
        try:
            item = _checked(plan, admitted[plan.target.slug], tools)
        except EnvsmithError as error:
            found.append(error.at(_subject(plan)))
            tools.progress.ended(_subject(plan), time.monotonic() - begin, "failed")
        else:
            seconds = time.monotonic() - begin
            found.append(replace(item, seconds=seconds, replaced=replaced))
            tools.progress.ended(_subject(plan), seconds, f"{item.entry.packages} packages")
    return found


def _subject(plan: ResolutionPlan) -> str:
    return f"{plan.profile}/{plan.target.slug}"


def _admitted(
    answer: tuple[ResolutionPlan, Resolution] | EnvsmithError, catalog_name: str
) -> tuple[ResolutionPlan, Resolution, Lock] | EnvsmithError:
    try:
        return (
            answer if isinstance(answer, EnvsmithError) else (*answer, admission.admit(*answer, catalog_name))
        )
    except EnvsmithError as error:
        return error


def _checked(
    plan: ResolutionPlan,
    admitted: tuple[ResolutionPlan, Resolution, Lock] | EnvsmithError,
    tools: ResolveTools,
) -> LockedTarget:
    if isinstance(admitted, EnvsmithError):
        raise admitted
    final, resolution, lock = admitted
    lock, contents = file_conflicts.check(lock, tools)
    return LockedTarget(
        slug=plan.target.slug,
        entry=entry_of(lock, plan),
        lock=lock,
        seconds=0.0,
        savings=_savings(final, resolution, tools),
        unchecked=file_conflicts.unchecked(lock, contents),
        possible_conflicts=file_conflicts.possible_conflicts(lock, contents),
    )


def _savings(
    plan: ResolutionPlan, resolution: Resolution, tools: ResolveTools
) -> tuple[DownloadSavings, ...]:
    found = [savings.by_drops(plan, resolution, tools)]
    if tools.compares_builds:
        found.append(savings.by_build(plan, resolution, tools))
    return tuple(item for item in found if item)


def _locked(found: Iterable[LockedTarget | EnvsmithError]) -> list[LockedTarget]:
    """Return all targets; raise the error of the one that failed, or RES002 with the errors of several."""
    targets: list[LockedTarget] = []
    failed: list[EnvsmithError] = []
    for item in found:
        if isinstance(item, EnvsmithError):
            failed.append(item)
        else:
            targets.append(item)
    if len(failed) == 1:
        raise failed[0]
    if failed:
        is_answer = all(isinstance(error, (ResolveError, LockError)) for error in failed)
        kind = ResolveError if is_answer else next(type(error) for error in failed if error.exit_code == 2)
        raise kind("RES002", f"{len(failed)} targets could not be locked", parts=tuple(failed))
    return targets


def _manifest(
    planned: ProfilePlan,
    targets: tuple[LockedTarget, ...],
    scripts: Mapping[str, bytes],
    before: Manifest | None,
) -> Manifest:
    request = planned.request
    return Manifest(
        profile=request.profile.name,
        cutoff_utc=planned.cutoffs.cutoff_utc,
        moved=planned.cutoffs.moved,
        remembered=request.remembered,
        routes=routes.recorded(request.pages, planned.plans),
        targets={target.slug: target.entry for target in targets},
        scripts={name: sha256_of(content) for name, content in scripts.items()},
        models=recorded_models.record_models(request.profile, before, request.hash_model),
    )


def _decisions(planned: ProfilePlan, targets: tuple[LockedTarget, ...]) -> tuple[Decision, ...]:
    """Return the decisions of the profile and of its targets, each once."""
    found = [*planned.decisions]
    for target in targets:
        found += target.lock.decisions if target.lock else decisions_of(target.entry)
    return tuple(dict.fromkeys(found))


def is_current(plan: ResolutionPlan, manifest: Manifest, found: Mapping[str, bytes]) -> bool:
    """Return whether the lock on disk was made from this plan and its files are unchanged."""
    entry = manifest.targets.get(plan.target.slug)
    if entry is None or entry.plan != plan.digest() or entry.inputs != plan.inputs():
        return False
    return all(name in found and sha256_of(found[name]) == sha256 for name, sha256 in entry.files.items())


def entry_of(lock: Lock, plan: ResolutionPlan) -> TargetRecord:
    """Return the manifest's record of a lock."""
    packages = {package.name: package for package in lock.pylock.packages}
    family = {}
    for name in lock.family:
        wheel = (packages[name].wheels or ())[0]  # type: ignore[index]
        family[name] = FamilyPin(
            version=lock.version(name), filename=wheel.filename, sha256=wheel.hashes["sha256"]
        )
    return TargetRecord(
        plan=lock.plan_digest,
        inputs=plan.inputs(),
        catalog=str(lock.pylock.tool["envsmith"]["catalog"]) if lock.pylock.tool else "",
        family=family,
        packages=len(packages),
        files={name: sha256_of(content) for name, content in lock_files(lock).items()},
        decisions=tuple(decision.to_json() for decision in lock.decisions),
        unsatisfied=tuple(str(item) for item in lock.unsatisfied),
    )
