"""Locking of profiles: plan, resolve the changed targets, admit, write."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from packaging.utils import canonicalize_name

from envsmith.activate.scripts import scripts_of
from envsmith.errors import EnvsmithError, LockError, ResolveError
from envsmith.lock import (
    admission,
    file_conflicts,
    kept_pins,
    platforms,
    savings,
)
from envsmith.lock.inputs import recorded_models, remembered_options
from envsmith.lock.inputs.changed_inputs import changes
from envsmith.lock.inputs.request import LockOptions, check_upgraded, with_provided, with_shared_versions
from envsmith.lock.resolve import ResolveTools, resolve_all
from envsmith.lock.savings import DownloadSavings
from envsmith.lock.source_builds import locked_builds
from envsmith.lockfile.manifest import FILENAME, FamilyPin, LockedBuild, Manifest, TargetRecord
from envsmith.lockfile.pins import RequirementsLine
from envsmith.lockfile.pylock import Lock, unhashed_name
from envsmith.lockfile.store import (
    decisions_of,
    file_names,
    is_recorded,
    is_same,
    lock_files,
    read_manifest,
    sha256_of,
)
from envsmith.lockfile.whole import LockTexts, problems
from envsmith.model.finding import Decision
from envsmith.model.wheel import WheelContents
from envsmith.plan import routes
from envsmith.plan.model import Cutoffs, LockRequest, ProfilePlan, Resolution, ResolutionPlan
from envsmith.plan.planner import plan_profile
from envsmith.plan.unmet_requirements import BREAKS


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
    moved: tuple[tuple[str, str, str], ...] = ()
    """Project, version before (empty if new) and now (empty if gone) of each pin that differs."""
    is_rebuilt: bool = False
    """Whether `lock` was made from the pins on disk, without resolving."""
    unserved: tuple[str, ...] = ()
    """Pins whose file the index no longer has, so that the pylock could not be made: ``six 1.17.0``."""
    notes: tuple[Decision, ...] = ()
    """On pins that their index withdrew since they were locked. Not part of the lock."""


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
    changes: tuple[str, ...] = ()
    """Remembered options that changed: ``extras: (none) → ml``."""

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
    name, asked = request.profile.name, request
    folder = options.folder / name
    found = tools.files.read_files(folder)
    manifest = read_manifest(found, str(folder / FILENAME))
    check_upgraded(options.upgrade_packages, request, found)
    upgraded = frozenset(str(canonicalize_name(name)) for name in options.upgrade_packages)
    kept = None if options.upgrade else manifest
    pages = routes.read(request.profile, manifest, tools.routes, again=None if options.upgrade else upgraded)
    if other := request.profile.versions_of:
        place = options.folder / other
        request = with_shared_versions(request, place, tools.files.read_files(place))
    pins = (item for item in (kept.provided if kept else ()) if item.name not in upgraded)
    request = with_provided(request, tools.provider, folder, pins)
    request = replace(request, pages=pages, kept=kept)
    planned = _planned(request, options.cutoffs(request, manifest), tools)
    disk = _LockOnDisk(folder=folder, files=found, manifest=manifest, kept=kept, upgraded=upgraded)
    done: list[LockedTarget | Future[LockedTarget]] = []
    due: list[_Due] = []
    others: dict[str, tuple[ResolutionPlan, str]] = {}
    for plan in planned.plans:
        entry = disk.kept.targets.get(plan.target.slug) if disk.kept else None
        is_due, replaced = _is_due(plan, entry, planned.request, disk, tools)
        if is_due or entry is None:
            due.append((disk.prepared(plan), replaced))
        else:
            done.append(_kept(plan, _of_today(entry, plan), disk, tools, pool))
            torch = entry.family.get("torch")
            others[plan.target.slug] = (disk.prepared(plan), torch.version if torch else "")
    resolving = pool.submit(_lock_targets, due, others, planned.catalog_name, disk, tools)

    def finish() -> LockedProfile:
        results = resolving.result()
        failures = {
            plan.target: result
            for (plan, _), result in zip(due, results, strict=True)
            if isinstance(result, EnvsmithError)
        }
        if floors := platforms.raised_floors(failures):
            again = replace(asked, profile=asked.profile.with_floors(floors), only=frozenset())
            return _start(again, options, tools, pool)()
        _raise_all(platforms.named_together(asked, failures))
        return _finish(planned, [*done, *_locked(results)], disk, options, tools)

    return finish


def _planned(request: LockRequest, cutoffs: Cutoffs, tools: ResolveTools) -> ProfilePlan:
    try:
        return plan_profile(
            request, cutoffs, catalog=tools.catalog, listings=tools.listings, hasher=tools.hasher
        )
    except ResolveError as error:
        raise platforms.refusal(request, error) from error.__cause__


@dataclass(frozen=True, slots=True, kw_only=True)
class _LockOnDisk:
    """The lock of a profile before, and what of it is kept."""

    folder: Path
    files: Mapping[str, bytes]
    manifest: Manifest | None
    kept: Manifest | None
    """The manifest, or None to keep no pin."""
    upgraded: frozenset[str]
    """Projects whose pins are not kept."""

    def prepared(self, plan: ResolutionPlan) -> ResolutionPlan:
        """Return a plan with the versions to keep; what an upgrade needs may be newer than the cutoff."""
        found = kept_pins.preferences(plan.target.slug, self.kept, self.files)
        kept = {name: version for name, version in found.items() if name not in self.upgraded}
        lines = kept_pins.pinned_lines(plan.target.slug, self.files)
        files = {
            line.source: kept_pins.kept_file(line)
            for name, line in lines.items()
            if name in kept and line.sha256
        }
        has_cutoff = plan.has_cutoff and not self.upgraded
        return replace(plan, preferences=kept, kept_files=files, has_cutoff=has_cutoff)

    def builds(self, slug: str) -> Mapping[str, LockedBuild]:
        """Return the locked builds whose versions are kept."""
        found = self.kept.targets[slug].builds if self.kept and slug in self.kept.targets else {}
        return {name: build for name, build in found.items() if name not in self.upgraded}

    def moved(self, lock: Lock) -> tuple[tuple[str, str, str], ...]:
        """Return the pins of a lock that differ from those before."""
        slug = lock.target.slug
        if self.manifest is None or slug not in self.manifest.targets:
            return ()
        before = kept_pins.preferences(slug, self.manifest, self.files)
        return tuple(kept_pins.changed_versions(before, lock))


def _is_due(
    plan: ResolutionPlan,
    entry: TargetRecord | None,
    request: LockRequest,
    disk: _LockOnDisk,
    tools: ResolveTools,
) -> tuple[bool, tuple[LockError, ...]]:
    """Return whether a target must be resolved, and the problems of the lock on disk."""
    if disk.kept is None or entry is None:
        return True, ()
    slug = plan.target.slug
    lines = kept_pins.pinned_lines(slug, disk.files)
    replaced = problems(slug, disk.kept, disk.files, disk.folder, tools.rules)
    is_stale = (
        replaced
        or disk.upgraded & lines.keys()
        or is_newer(disk.kept, request)
        or changed_files(entry, disk.files, slug)
        or changes(plan, entry, lines)
    )
    return bool(is_stale), replaced


def _kept(
    plan: ResolutionPlan,
    entry: TargetRecord,
    disk: _LockOnDisk,
    tools: ResolveTools,
    pool: ThreadPoolExecutor,
) -> LockedTarget | Future[LockedTarget]:
    """Return a target whose pins are kept; a missing pylock is made from them."""
    slug = plan.target.slug
    if LockTexts.of(slug, entry, disk.files, disk.folder).pylock is not None:
        return LockedTarget(slug=slug, entry=entry, lock=None, seconds=0.0)
    return pool.submit(_rebuild_target, plan, entry, kept_pins.pinned_lines(slug, disk.files), tools)


def is_newer(manifest: Manifest, request: LockRequest) -> bool:
    """Return whether a lock may have files that are newer than the cutoff asked for."""
    return bool(request.as_of) and request.as_of < manifest.cutoff_utc


def _finish(
    planned: ProfilePlan,
    done: Sequence[LockedTarget | Future[LockedTarget]],
    disk: _LockOnDisk,
    options: LockOptions,
    tools: ResolveTools,
) -> LockedProfile:
    """Wait for the targets of a profile that keep their pins, and write its files."""
    request = planned.request
    kept = (item if isinstance(item, LockedTarget) else item.result() for item in done)
    found = {target.slug: target for target in kept}
    targets = tuple(found[plan.target.slug] for plan in planned.plans)
    scripts = {} if request.only else scripts_of(planned.plans, tools.templates)
    fresh = _manifest(planned, targets, scripts, disk)
    files: dict[str, bytes] = {}
    for target in targets:
        if target.lock:
            own = lock_files(target.lock)
            files |= (
                own if not target.is_rebuilt else {name: own[name] for name in own if name.endswith(".toml")}
            )
    files |= {FILENAME: fresh.to_toml().encode(), **scripts}
    unused = file_names(disk.manifest) - file_names(fresh)
    # Files with other line ends are the same files.
    files = {name: content for name, content in files.items() if not is_same(disk.files.get(name), content)}
    before = disk.manifest.remembered if disk.manifest else None
    return LockedProfile(
        profile=request.profile.name,
        manifest=fresh,
        catalog_name=planned.catalog_name,
        decisions=_decisions(planned, targets),
        targets=targets,
        written=() if options.dry_run else tools.files.write_files(disk.folder, files, remove=unused),
        folder=disk.folder,
        changes=tuple(remembered_options.changes(before, request.remembered)) if before else (),
    )


def _lock_targets(
    due: Sequence[_Due],
    others: Mapping[str, tuple[ResolutionPlan, str]],
    catalog_name: str,
    disk: _LockOnDisk,
    tools: ResolveTools,
) -> list[LockedTarget | EnvsmithError]:
    """Resolve plans together, beside the others, which keep their locks; return the lock or the error of each."""
    begin = time.monotonic()
    for plan, _ in due:
        tools.progress.started(_subject(plan), "resolving")
    answers = resolve_all([plan for plan, _ in due], tools, others) if due else {}
    admitted = {plan.target.slug: _admitted(answers[plan.target.slug], catalog_name) for plan, _ in due}
    # Targets share most wheels: read each one once, and all at the same time.
    contents = tools.contents.contents(
        package.wheels[0]
        for item in admitted.values()
        if not isinstance(item, EnvsmithError)
        for package in item[2].pylock.packages
        if package.wheels
    )
    found: list[LockedTarget | EnvsmithError] = []
    for plan, replaced in due:
        try:
            item = _checked(plan, admitted[plan.target.slug], contents, disk.builds(plan.target.slug), tools)
        except EnvsmithError as error:
            found.append(error.at(_subject(plan)))
            is_floor = platforms.raised_floors({plan.target: error})
            ended = "its floor is raised" if is_floor else "failed"
            tools.progress.ended(_subject(plan), time.monotonic() - begin, ended)
        else:
            seconds = time.monotonic() - begin
            moved = disk.moved(item.lock) if item.lock else ()
            found.append(replace(item, seconds=seconds, replaced=replaced, moved=moved))
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
    contents: Mapping[str, WheelContents],
    before: Mapping[str, LockedBuild],
    tools: ResolveTools,
) -> LockedTarget:
    if isinstance(admitted, EnvsmithError):
        raise admitted
    final, resolution, lock = admitted
    lock = file_conflicts.check(lock, contents, tools)
    return LockedTarget(
        slug=plan.target.slug,
        entry=replace(entry_of(lock, plan), builds=locked_builds(final, resolution, before, tools)),
        lock=lock,
        seconds=0.0,
        savings=_savings(final, resolution, tools),
        unchecked=file_conflicts.unchecked(lock, contents),
        possible_conflicts=file_conflicts.possible_conflicts(lock, contents),
    )


def _rebuild_target(
    plan: ResolutionPlan, entry: TargetRecord, lines: Mapping[str, RequirementsLine], tools: ResolveTools
) -> LockedTarget:
    """Make the pylock of a target from its pins and hashes."""
    begin = time.monotonic()
    tools.progress.started(_subject(plan), "reading addresses")
    try:
        found = kept_pins.rebuild(plan, entry, lines, tools.resolver)
    except EnvsmithError as error:
        tools.progress.ended(_subject(plan), time.monotonic() - begin, "failed")
        raise error.at(_subject(plan))  # noqa: B904 - the same error, with its place
    seconds = time.monotonic() - begin
    tools.progress.ended(_subject(plan), seconds, f"{entry.packages} packages")
    return LockedTarget(
        slug=plan.target.slug,
        entry=entry,
        lock=found.lock,
        seconds=seconds,
        is_rebuilt=True,
        unserved=found.unserved,
        notes=found.notes,
    )


def _savings(
    plan: ResolutionPlan, resolution: Resolution, tools: ResolveTools
) -> tuple[DownloadSavings, ...]:
    found = [savings.by_drops(plan, resolution, tools)]
    if tools.compares_builds:
        found.append(savings.by_build(plan, resolution, tools))
    return tuple(item for item in found if item)


def _locked(found: Iterable[LockedTarget | EnvsmithError]) -> list[LockedTarget]:
    return [item for item in found if isinstance(item, LockedTarget)]


def _raise_all(failed: Sequence[EnvsmithError]) -> None:
    """Raise the only error, or RES002 with several; do nothing without one."""
    if len(failed) == 1:
        raise failed[0]
    if failed:
        is_answer = all(isinstance(error, (ResolveError, LockError)) for error in failed)
        kind = ResolveError if is_answer else next(type(error) for error in failed if error.exit_code == 2)
        raise kind("RES002", f"{len(failed)} targets could not be locked", parts=tuple(failed))


def _manifest(
    planned: ProfilePlan, targets: tuple[LockedTarget, ...], scripts: Mapping[str, bytes], disk: _LockOnDisk
) -> Manifest:
    request, before = planned.request, disk.manifest
    is_partial = bool(request.only) and before is not None
    left = before.targets if is_partial and before else {}
    is_resolved = any(target.lock and not target.is_rebuilt for target in targets)
    entries = {**left, **{target.slug: target.entry for target in targets}}
    return Manifest(
        profile=request.profile.name,
        cutoff_utc=planned.cutoffs.cutoff_utc if is_resolved or before is None else before.cutoff_utc,
        moved=_moved(planned, targets, disk),
        remembered=request.remembered,
        routes=routes.recorded(request.pages, planned.plans),
        targets=entries,
        scripts=before.scripts
        if is_partial and before
        else {name: sha256_of(content) for name, content in scripts.items()},
        models=recorded_models.record_models(request.profile, before, request.hash_model),
        metadata=_metadata(planned.plans, entries.values(), before),
        provided=request.provided,
    )


def _of_today(entry: TargetRecord, plan: ResolutionPlan) -> TargetRecord:
    """Return the entry of a lock that is kept, with the variables of today; one of form 1 is completed."""
    inputs = plan.inputs()
    if "asked" in entry.inputs:
        return replace(entry, inputs={**entry.inputs, "env": inputs["env"]})
    return replace(
        entry,
        inputs=inputs,
        family={name: _with_source(name, pin, plan) for name, pin in entry.family.items()},
        files={name: sha256 for name, sha256 in entry.files.items() if not name.startswith("pylock.")},
    )


def _with_source(name: str, pin: FamilyPin, plan: ResolutionPlan) -> FamilyPin:
    """Return a pin with URL and upload time, unless it comes from PyPI or a recorded page."""
    if name in plan.pypi_builds or name in plan.routes:
        return pin
    row = next((item for item in plan.slice.projects.get(name, ()) if item.filename == pin.filename), None)
    return replace(pin, url=row.url, uploaded=row.upload_time or "") if row else pin


def _moved(planned: ProfilePlan, targets: Iterable[LockedTarget], disk: _LockOnDisk) -> dict[str, str]:
    """Return project → its own cutoff: of those upgraded, and of what moved beyond the cutoff with them."""
    moved = dict(planned.cutoffs.moved)
    if not (planned.cutoffs.is_asked and disk.upgraded):
        return moved
    now = max(moved.values(), default=planned.cutoffs.cutoff_utc)
    for target in targets:
        uploads = {name: pin.uploaded for name, pin in target.entry.family.items()}
        for package in target.lock.pylock.packages if target.lock else ():
            times = [wheel.upload_time for wheel in package.wheels or () if wheel.upload_time]
            if times:
                uploads[package.name] = min(times).strftime("%Y-%m-%dT%H:%M:%SZ")
        moved |= {name: now for name, time in uploads.items() if time > planned.cutoffs.cutoff_utc}
    return moved


def _metadata(
    plans: Iterable[ResolutionPlan], entries: Iterable[TargetRecord], before: Manifest | None
) -> tuple[Mapping[str, object], ...]:
    """Return the requirements of the locked versions of the torch family, as the catalog or the lock before says."""
    locked = {(name, pin.version) for entry in entries for name, pin in entry.family.items() if pin.url}
    found: dict[tuple[str, str], Mapping[str, object]] = {
        (row["name"], row["version"]): row for row in (before.metadata if before else ())
    }
    for plan in plans:
        for item in plan.slice.metadata:
            row = {
                "name": str(item.name),
                "version": item.version,
                "requires-dist": list(item.requires_dist),
                **({"requires-python": item.requires_python} if item.requires_python else {}),
            }
            found.setdefault((item.name, item.version), row)
    return tuple(row for key, row in sorted(found.items()) if key in locked)


def _decisions(planned: ProfilePlan, targets: tuple[LockedTarget, ...]) -> tuple[Decision, ...]:
    """Return the decisions of the profile and of its targets, each once."""
    found = [*planned.decisions]
    for target in targets:
        found += [*(target.lock.decisions if target.lock else decisions_of(target.entry)), *target.notes]
    return tuple(dict.fromkeys(found))


def changed_files(entry: TargetRecord, found: Mapping[str, bytes], slug: str) -> tuple[tuple[str, str], ...]:
    """Return the code and message of each file of a target that is missing, or not the one that was written."""
    names = (f"requirements.{slug}.txt", *(name for name in (unhashed_name(slug),) if name in entry.files))
    return tuple(
        ("LCK036", f"{name} was changed after it was written")
        if name in found
        else ("LCK037", f"{name} is missing")
        for name in names
        if name not in found or not is_recorded(found[name], entry.files.get(name, ""))
    )


def entry_of(lock: Lock, plan: ResolutionPlan) -> TargetRecord:
    """Return the manifest's record of a lock."""
    packages = {package.name: package for package in lock.pylock.packages}
    family = {}
    for name in lock.family:
        wheel = (packages[name].wheels or ())[0]  # type: ignore[index]
        pin = FamilyPin(version=lock.version(name), filename=wheel.filename, sha256=wheel.hashes["sha256"])
        family[name] = _with_source(name, pin, plan)
    return TargetRecord(
        plan=lock.plan_digest,
        inputs=plan.inputs(),
        catalog=str(lock.pylock.tool["envsmith"]["catalog"]) if lock.pylock.tool else "",
        family=family,
        packages=len(packages),
        files={name: sha256_of(text) for name, text in lock_files(lock).items() if name.endswith(".txt")},
        decisions=tuple(decision.to_json() for decision in lock.decisions),
        unsatisfied=tuple(str(item) for item in lock.unsatisfied),
    )
