"""Lock: plan, resolve what changed, admit, write."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from envsmith.activate.scripts import scripts_of
from envsmith.errors import EnvsmithError, LockError, ResolveError
from envsmith.lock import admission, staleness
from envsmith.lock import savings as saving
from envsmith.lock.file_conflicts import ConflictCheck, compare
from envsmith.lock.resolve import ResolveTools, resolve
from envsmith.lock.savings import DownloadSavings
from envsmith.lockfile.manifest import FILENAME, FamilyPin, Manifest, TargetRecord
from envsmith.lockfile.pylock import Lock
from envsmith.lockfile.store import decisions_of, lock_files, movable, names_of, read_manifest, sha256_of
from envsmith.model.finding import Decision
from envsmith.plan import routes
from envsmith.plan.dropped import BREAKS
from envsmith.plan.hashes import RecordedHasher
from envsmith.plan.model import Resolution, ResolutionPlan
from envsmith.plan.plan import CutoffOptions, Cutoffs, LockRequest, ProfilePlan, plan_profile
from envsmith.plan.routes import recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedTarget:
    """One target's result."""

    slug: str
    entry: TargetRecord
    lock: Lock | None
    """None where the lock on disk still holds."""
    seconds: float
    savings: tuple[DownloadSavings, ...] = ()
    """What was told of bytes while it was locked; no part of the lock, for a server may tell them or not."""
    compared: ConflictCheck = field(default_factory=ConflictCheck)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedProfile:
    """One profile's result."""

    profile: str
    manifest: Manifest
    catalog_name: str
    decisions: tuple[Decision, ...]
    targets: tuple[LockedTarget, ...]
    written: tuple[str, ...]
    """Names of the files that changed."""
    folder: Path

    @property
    def breakages(self) -> tuple[Decision, ...]:
        """The decisions after which something in the lock does not work: what the profile drops is needed."""
        return tuple(item for item in self.decisions if item.code == BREAKS)


@dataclass(frozen=True, slots=True, kw_only=True)
class _LockedTarget:
    """One target's resolution, judged."""

    lock: Lock
    seconds: float
    savings: tuple[DownloadSavings, ...]
    compared: ConflictCheck


@dataclass(frozen=True, slots=True, kw_only=True)
class _PendingProfile:
    """One profile's plans, with the resolutions that are under way."""

    wanted: LockRequest
    times: Cutoffs
    folder: Path
    manifest: Manifest | None
    planned: ProfilePlan
    running: tuple[tuple[ResolutionPlan, Future[_LockedTarget] | None], ...]
    """None in place of a resolution where the lock on disk still holds."""


def lock_profiles(
    wanted: Sequence[LockRequest],
    timing: CutoffOptions,
    folder: Path,
    tools: ResolveTools,
    *,
    pool: ThreadPoolExecutor,
    dry_run: bool = False,
) -> Iterator[tuple[LockRequest, LockedProfile | EnvsmithError]]:
    """Lock profiles, each into its folder below ``folder``, and yield each with its result or its error.

    All are planned before the first is waited for, so that no thread idles between two profiles. One that fails
    does not keep the others from their locks.
    """
    begun: list[tuple[LockRequest, _PendingProfile | EnvsmithError]] = []
    for one in wanted:
        try:
            begun.append((one, _begin(one, timing, folder / one.profile.name, tools, pool)))
        except EnvsmithError as error:
            begun.append((one, _placed(error, one)))
    for one, begin in begun:
        if isinstance(begin, EnvsmithError):
            yield one, begin
            continue
        try:
            done = _finish(begin, tools, dry_run=dry_run)
        except EnvsmithError as error:
            yield one, _placed(error, one)
        else:
            yield one, done


def _placed(error: EnvsmithError, one: LockRequest) -> EnvsmithError:
    return error if error.where else error.at(f"profile {one.profile.name}")


def lock_profile(
    wanted: LockRequest,
    timing: CutoffOptions,
    folder: Path,
    tools: ResolveTools,
    *,
    pool: ThreadPoolExecutor,
    dry_run: bool = False,
) -> LockedProfile:
    """Lock every target of a profile; only those whose plan or files changed are resolved again.

    Args:
        wanted: profile and requirements.
        timing: what was said of the cutoff.
        folder: where the locks lie, ``lockfiles/cu128``.
        tools: ports and facts.
        pool: runs the resolutions.
        dry_run: write nothing.

    Raises:
        EnvsmithError: the error of the one target that failed, or RES002 with one part each; nothing is written.
    """
    return _finish(_begin(wanted, timing, folder, tools, pool), tools, dry_run=dry_run)


def _begin(
    wanted: LockRequest, timing: CutoffOptions, folder: Path, tools: ResolveTools, pool: ThreadPoolExecutor
) -> _PendingProfile:
    found = tools.files.read_files(folder)
    manifest = read_manifest(found, str(folder / FILENAME))
    timing = replace(timing, move=movable(timing.move, found, wanted.profile.name))
    times = timing.settle(manifest)
    again = None if timing.upgrade else frozenset(timing.move)
    wanted = replace(wanted, pages=routes.read(wanted.profile, manifest, tools.routes, again=again))
    planned = plan_profile(
        wanted,
        times,
        catalog=tools.catalog,
        listings=tools.listings,
        hasher=RecordedHasher(manifest, tools.hasher),
    )
    running: list[tuple[ResolutionPlan, Future[_LockedTarget] | None]] = []
    for plan in planned.plans:
        kept = manifest is not None and is_current(plan, manifest, found)
        running.append((plan, None if kept else pool.submit(_lock_target, plan, planned.catalog_name, tools)))
    return _PendingProfile(
        wanted=wanted,
        times=times,
        folder=folder,
        manifest=manifest,
        planned=planned,
        running=tuple(running),
    )


def _finish(begun: _PendingProfile, tools: ResolveTools, *, dry_run: bool) -> LockedProfile:
    manifest, targets = begun.manifest, _gather(begun.running, begun.manifest)
    scripts = scripts_of(begun.planned.plans, tools.templates)
    fresh = _manifest(begun, targets, scripts)
    gone = names_of(manifest) - names_of(fresh)
    files = {**_files(fresh, targets), **scripts}
    written = () if dry_run else tools.files.write_files(begun.folder, files, remove=gone)
    return LockedProfile(
        profile=begun.wanted.profile.name,
        manifest=fresh,
        catalog_name=begun.planned.catalog_name,
        decisions=_shared(begun.planned, targets),
        targets=targets,
        written=written,
        folder=begun.folder,
    )


def _lock_target(plan: ResolutionPlan, catalog_name: str, tools: ResolveTools) -> _LockedTarget:
    subject = f"{plan.profile}/{plan.target.slug}"
    begun = time.monotonic()
    tools.progress.started(subject, "resolving")
    try:
        plan, resolution = resolve(plan, tools)
        lock = admission.admit(plan, resolution, catalog_name)
        lock, compared = compare(lock, tools)
        savings = _savings(plan, resolution, tools)
    except EnvsmithError as error:
        tools.progress.ended(subject, time.monotonic() - begun, "failed")
        raise error.at(subject)  # noqa: B904 - the same error, with its place
    seconds = time.monotonic() - begun
    tools.progress.ended(subject, seconds, f"{len(lock.pylock.packages)} packages")
    return _LockedTarget(lock=lock, seconds=seconds, savings=savings, compared=compared)


def _savings(
    plan: ResolutionPlan, resolution: Resolution, tools: ResolveTools
) -> tuple[DownloadSavings, ...]:
    scales = saving.SizeScales(resolver=tools.resolver, catalog=tools.catalog, contents=tools.contents)
    found = [saving.by_drops(plan, resolution, scales)]
    if tools.weighs_builds:
        found.append(saving.by_build(plan, resolution, scales))
    return tuple(item for item in found if item)


def _gather(
    running: Sequence[tuple[ResolutionPlan, Future[_LockedTarget] | None]], manifest: Manifest | None
) -> tuple[LockedTarget, ...]:
    targets: list[LockedTarget] = []
    failed: list[EnvsmithError] = []
    for plan, future in running:
        slug = plan.target.slug
        if future is None and manifest is not None:
            targets.append(LockedTarget(slug=slug, entry=manifest.targets[slug], lock=None, seconds=0.0))
        elif future is not None:
            try:
                done = future.result()
            except EnvsmithError as error:
                failed.append(error)
            else:
                targets.append(
                    LockedTarget(
                        slug=slug,
                        entry=entry_of(done.lock, plan),
                        lock=done.lock,
                        seconds=done.seconds,
                        savings=done.savings,
                        compared=done.compared,
                    )
                )
    if failed:
        raise _failure(failed)
    return tuple(targets)


def _failure(failed: list[EnvsmithError]) -> EnvsmithError:
    if len(failed) == 1:
        return failed[0]
    kind = (
        ResolveError
        if all(isinstance(error, (ResolveError, LockError)) for error in failed)
        else _worst(failed)
    )
    return kind("RES002", f"{len(failed)} targets could not be locked", parts=tuple(failed))


def _worst(failed: list[EnvsmithError]) -> type[EnvsmithError]:
    return next(type(error) for error in failed if error.exit_code == 2)


def _manifest(
    begun: _PendingProfile, targets: tuple[LockedTarget, ...], scripts: Mapping[str, bytes]
) -> Manifest:
    return Manifest(
        profile=begun.wanted.profile.name,
        cutoff_utc=begun.times.cutoff_utc,
        moved=begun.times.moved,
        requirements_files=begun.wanted.files,
        routes=recorded(begun.wanted.pages, begun.planned.plans),
        targets={target.slug: target.entry for target in targets},
        scripts={name: sha256_of(content) for name, content in scripts.items()},
        models=staleness.recorded(begun.wanted.profile, begun.manifest, begun.wanted.hash_model),
    )


def _files(fresh: Manifest, targets: tuple[LockedTarget, ...]) -> Mapping[str, bytes]:
    files: dict[str, bytes] = {}
    for target in targets:
        if target.lock:
            files |= lock_files(target.lock)
    return {**files, FILENAME: fresh.to_toml().encode()}


def _shared(planned: ProfilePlan, targets: tuple[LockedTarget, ...]) -> tuple[Decision, ...]:
    """Return the profile's decisions and those of its targets, each once."""
    found = [*planned.decisions]
    for target in targets:
        found += target.lock.decisions if target.lock else decisions_of(target.entry)
    return tuple(dict.fromkeys(found))


def is_current(plan: ResolutionPlan, manifest: Manifest, found: Mapping[str, bytes]) -> bool:
    """Say whether the lock on disk was made of this very plan, and its files are untouched."""
    entry = manifest.targets.get(plan.target.slug)
    if entry is None or entry.plan != plan.digest():
        return False
    return all(name in found and sha256_of(found[name]) == sha256 for name, sha256 in entry.files.items())


def entry_of(lock: Lock, plan: ResolutionPlan) -> TargetRecord:
    """Return what the manifest keeps of one lock."""
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
