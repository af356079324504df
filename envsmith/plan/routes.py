"""Routes: projects taken from their own index instead of PyPI, filtered by backend and torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from packaging.version import Version

from envsmith.catalog import Catalog
from envsmith.config.profile import Profile
from envsmith.errors import LockError, ResolveError
from envsmith.lockfile.manifest import Manifest
from envsmith.model.backend import BuildLabel
from envsmith.model.listing import VersionMetadata
from envsmith.model.route import RouteEntry, RoutePage
from envsmith.model.target import Target
from envsmith.model.wheel import Wheel
from envsmith.plan import wheel_hashes
from envsmith.plan.candidates import exact_pins
from envsmith.plan.model import Resolution, ResolutionPlan
from envsmith.plan.ports import Hasher, Routes

_SHOWN = 6
MOST_REASON = 200
"""Characters of the reason for a yank: any publisher may write any."""


def read(
    profile: Profile, manifest: Manifest | None, routes: Routes | None, *, again: frozenset[str] | None
) -> tuple[RoutePage, ...]:
    """Return the pages of a profile's routes, from the manifest or else from the network.

    Pages do not date their files, so recorded pages are kept until the cutoff moves.

    Args:
        profile: with routes.
        manifest: with the recorded pages.
        routes: reads pages; None without network.
        again: projects whose recorded pages are outdated; None for all.

    Raises:
        ResolveError: RES026 when a page is not recorded and the network may not be used.
        EnvsmithError: when a page cannot be read.
    """
    known: dict[str, RoutePage] = {}
    # Recorded pages list only the wheels of the targets that were locked.
    if manifest and not any(slug for slug, _ in changes(profile, manifest)):
        known = {page.project: page for page in manifest.routes}
    found: list[RoutePage] = []
    for project, url in profile.routes.items():
        page = known.get(project)
        if (
            page is not None
            and page.url == url
            and (routes is None or (again is not None and project not in again))
        ):
            found.append(page)
        elif routes is None:
            raise ResolveError(
                "RES026",
                f"{url} was not read for this profile before, and --offline forbids the network",
                where=profile.where("routes", project),
                hint="lock once without --offline: the manifest records the page",
            )
        else:
            targets = profile.targets()
            found.append(routes.read(project, url, partial(is_wanted, targets=targets)))
    return tuple(found)


def changes(profile: Profile, manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Yield why recorded pages do not fit a profile: the slug of a target, empty for all, and the change."""
    known = {page.project: page.url for page in manifest.routes}
    for name in sorted({*known, *profile.routes}):
        old, new = known.get(name, "(none)"), profile.routes.get(name, "(none)")
        if old != new:
            yield "", f"route  {name}: {old} → {new}"
    for target in profile.targets() if profile.routes else ():
        entry = manifest.targets.get(target.slug)
        if entry is None:
            yield target.slug, "not locked yet"
        elif entry.backend.family != target.backend.family:
            yield target.slug, f"backend  {entry.backend} → {target.backend}"


def is_wanted(wheel: Wheel, targets: Iterable[Target]) -> bool:
    """Return whether tags and label of a wheel fit one of the targets, or a successor of its backend."""
    family = BuildLabel.parse(wheel.label).family
    return any(family in ("", target.backend.family) and _runs(wheel, target) for target in targets)


def route(
    plan: ResolutionPlan, pages: tuple[RoutePage, ...], catalog: Catalog, hasher: Hasher
) -> ResolutionPlan:
    """Add the wheels of routed projects to a plan's slice.

    Raises:
        ResolveError: RES025 when no wheel fits, RES041 when one without a published hash may not be downloaded.
        ToolError: when one cannot be downloaded.
    """
    if not pages:
        return plan
    chosen = {page.project: choose(page, plan, catalog) for page in pages}
    hashed, decisions = wheel_hashes.complete_entries(chosen, hasher)
    routed = add(plan, pages, hashed)
    return replace(routed, decisions=(*routed.decisions, *decisions))


def choose(page: RoutePage, plan: ResolutionPlan, catalog: Catalog) -> tuple[RouteEntry, ...]:
    """Return the entries of a routed project that a plan may use; yanked ones only by an exact pin (PEP 592).

    Raises:
        ResolveError: RES025 when the project is required and no entry fits.
    """
    pins = exact_pins(plan.constraints_on(page.project), plan.target)
    fitting = [entry for entry in page.entries if not _misfit(entry.wheel, plan, catalog)]
    offered = [item for item in fitting if item.wheel.yanked is None or _pin(item.wheel) in pins]
    admitted = [entry for entry in offered if plan.admits(page.project, entry.wheel.version)]
    if not admitted and any(item.name == page.project for item in plan.requirements):
        yanked = [entry for entry in fitting if plan.admits(page.project, entry.wheel.version)]
        raise _refusal(page, plan, catalog, max(yanked, key=RouteEntry.rank, default=None))
    return wheel_hashes.usable_entries(offered, admitted)


def _pin(wheel: Wheel) -> tuple[str, Version]:
    return wheel.name, Version(wheel.version.public)


def add(
    plan: ResolutionPlan, pages: Sequence[RoutePage], chosen: Mapping[str, Sequence[RouteEntry]]
) -> ResolutionPlan:
    """Return the plan with the entries of its routed projects in its slice, their only source.

    Args:
        plan: before routing.
        pages: listings of the routed projects.
        chosen: project → the usable entries, each with a hash.
    """
    metadata: dict[tuple[str, str], VersionMetadata] = {}
    for entries in chosen.values():
        for entry in entries:
            described = _described(entry)
            metadata.setdefault((described.name, described.version), described)
    slice_ = plan.slice.without(chosen)
    projects = {name: tuple(entry.wheel for entry in entries) for name, entries in chosen.items()}
    return replace(
        plan,
        routes={page.project: page.url for page in pages},
        flat=tuple(sorted({page.url for page in pages if page.is_flat})),
        slice=replace(
            slice_, projects={**slice_.projects, **projects}, metadata=(*slice_.metadata, *metadata.values())
        ),
    )


def _described(entry: RouteEntry) -> VersionMetadata:
    """Return the requirements of a version, with the torch in its label: such wheels do not declare it."""
    specifier = BuildLabel.parse(entry.wheel.label).torch_specifier()
    return VersionMetadata(
        name=entry.wheel.name,
        version=str(entry.wheel.version),
        requires_dist=(*entry.requires_dist, *([f"torch{specifier}"] if specifier else [])),
        requires_python=entry.requires_python,
    )


def _refusal(
    page: RoutePage, plan: ResolutionPlan, catalog: Catalog, yanked: RouteEntry | None
) -> ResolveError:
    """Return the error for a routed project without a usable wheel; yanked: the newest that fits but for that."""
    item = next(item for item in plan.requirements if item.name == page.project)
    torches = " ".join(dict.fromkeys(torch.public for torch in plan.torch_versions()[-_SHOWN:]))
    hint = f"route {page.project} to another index, or choose another version of it or of torch"
    if yanked:
        hint += f"; an exact pin selects a yanked one: {page.project}=={yanked.wheel.version.public}"
    return ResolveError(
        "RES025",
        f"{'only yanked wheels of' if yanked else 'no'} {item.requirement} for {plan.target.python.tag} on "
        f"{plan.target.platform} with {plan.target.backend} and torch {torches or 'of any version'} at {page.url}",
        where=item.origin,
        details=tuple(("found", text) for text in _rejected(page, plan, catalog)),
        hint=hint,
    )


def _rejected(page: RoutePage, plan: ResolutionPlan, catalog: Catalog) -> Iterator[str]:
    entries = sorted(page.entries, key=RouteEntry.rank)[-_SHOWN:]
    for entry in entries:
        why = _misfit(entry.wheel, plan, catalog)
        if not why and plan.admits(page.project, entry.wheel.version):
            why = f"is yanked: {(entry.wheel.yanked or 'no reason given')[:MOST_REASON]}"
        yield f"{entry.wheel.filename} {why or 'does not satisfy the requirement'}"
    for name in page.others[: _SHOWN - len(entries)]:
        yield f"{name} is for another backend, Python or platform"


def _misfit(wheel: Wheel, plan: ResolutionPlan, catalog: Catalog) -> str:
    """Return why a plan may not use a wheel; empty if it may."""
    if not _runs(wheel, plan.target):
        return "is for another Python or platform"
    if wheel.upload_time and wheel.upload_time > plan.moved.get(wheel.name, plan.cutoff_utc):
        return "was uploaded after the cutoff"
    return _mismatch(BuildLabel.parse(wheel.label), plan.torch_versions(), plan.target, catalog)


def _mismatch(label: BuildLabel, torches: Sequence[Version], target: Target, catalog: Catalog) -> str:
    if not label.supports_backend(target.backend):
        return f"is for {label.backend_text}"
    if not torches:
        return ""
    fitting = [torch for torch in torches if label.supports_torch(torch)]
    if not fitting:
        return f"is for torch {label.torch_specifier()}"
    abis = {catalog.is_cxx11(torch, target) for torch in fitting}
    if label.cxx11abi is not None and not abis & {label.cxx11abi, None}:
        return "is for the other C++ ABI"
    return ""


def _runs(wheel: Wheel, target: Target) -> bool:
    return not wheel.tags.isdisjoint(target.tag_set())


def check(plan: ResolutionPlan, resolution: Resolution, catalog: Catalog) -> None:
    """Refuse a resolution with a routed wheel compiled for another backend or torch.

    Raises:
        LockError: LCK023 naming the wheel.
    """
    versions = {str(package.name): package.version for package in resolution.packages}
    torch = versions.get("torch")
    for name in plan.routes:
        version = versions.get(name)
        label = BuildLabel.parse(version.local or "") if version else BuildLabel()
        if why := _mismatch(label, (torch,) if torch else (), plan.target, catalog):
            raise LockError(
                "LCK023",
                f"{name} {version} {why}; the lock is for {plan.target.backend} and torch {torch}",
                where=name,
                hint=f"choose a version of {name} that its index has for this backend and torch",
            )


def recorded(pages: Iterable[RoutePage], plans: Iterable[ResolutionPlan]) -> tuple[RoutePage, ...]:
    """Return the pages sorted, with the computed hashes of their wheels."""
    computed = {
        (wheel.index, wheel.filename): wheel.sha256
        for plan in plans
        for name in plan.routes
        for wheel in plan.slice.projects.get(name, ())
    }
    return tuple(
        replace(page, entries=tuple(_with_hash(entry, computed) for entry in page.entries))
        for page in sorted(pages, key=lambda page: page.project)
    )


def _with_hash(entry: RouteEntry, computed: Mapping[tuple[str, str], str | None]) -> RouteEntry:
    found = computed.get((entry.wheel.index, entry.wheel.filename))
    return replace(entry, computed=found) if found and not entry.wheel.sha256 else entry
