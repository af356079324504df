"""Plans of a profile, one per target, and refusals with suggestions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from packaging.utils import canonicalize_name
from packaging.version import Version

from envsmith.catalog import Catalog
from envsmith.config.profile import Profile
from envsmith.errors import EnvsmithError, ResolveError
from envsmith.lockfile.known_files import known_files
from envsmith.model.backend import Backend, backend_family
from envsmith.model.finding import Decision
from envsmith.model.listing import IndexListing
from envsmith.model.target import Target
from envsmith.plan import (
    backend_lifecycle,
    conflicts,
    extension_constraints,
    kernel_filter,
    suggestions,
    wheel_hashes,
)
from envsmith.plan.backend_lifecycle import ChannelChoice
from envsmith.plan.candidates import OfferedWheels, exact_pins, offered_wheels, select_candidates
from envsmith.plan.model import Cutoffs, LockRequest, ProfilePlan, ResolutionPlan
from envsmith.plan.ports import Hasher, Listings
from envsmith.plan.routes import route
from envsmith.plan.target_plan import NoBuildError, plan_target
from envsmith.plan.wheel_hashes import RecordedHasher

SIMILAR_NAME = "RES118"
"""Code of the warning about a name like one of the torch family."""
NO_CUTOFF = Cutoffs(cutoff_utc="9999-12-31T23:59:59Z")
"""Ignores no release."""


def plan_profile(
    request: LockRequest,
    cutoffs: Cutoffs,
    *,
    catalog: Catalog,
    listings: Listings,
    hasher: Hasher,
) -> ProfilePlan:
    """Plan every target of a profile.

    Args:
        request: profile and requirements.
        cutoffs: newest upload times admitted.
        catalog: facts.
        listings: finds index listings.
        hasher: hashes wheels whose index publishes no hash.

    Raises:
        ResolveError: RES001 with one part per refused target; RES012 when no index of that name is known; RES027 when
            the project's ``requires-python`` excludes a target's Python.
        ProfileError: when a label contradicts the backend, or a GPU is unknown.
    """
    profile = request.profile
    members = conflicts.chosen_members(profile, catalog)
    targets = [target for target in profile.targets() if not request.only or target.slug in request.only]
    _refuse_pythons(request, targets)
    hasher = RecordedHasher(request.kept, hasher)
    sources = {
        backend: _source(request, backend, targets, catalog=catalog, cutoffs=cutoffs, listings=listings)
        for backend in dict.fromkeys(target.backend for target in targets)
    }
    plans: list[ResolutionPlan] = []
    refused: list[EnvsmithError] = []
    for asked in targets:
        source = sources[asked.backend]
        target = replace(asked, backend=source.offered.listing.backend)
        try:
            plan = _plan_target(source.request, target, source.offered, catalog, cutoffs, hasher)
        except ResolveError as error:
            _add_cutoff(error, target, profile.name, source.offered.listing, catalog, cutoffs)
            _add_suggestions(error, target, profile.name, catalog, listings)
            refused.append(error.at(target.slug))
        else:
            plans.append(replace(plan, members=members, asked=f"{asked.backend} {profile.channel}"))
    if len(refused) == 1:
        raise refused[0].at(profile.name)
    if refused:
        text = f"{len(refused)} targets cannot be planned"
        raise ResolveError("RES001", text, where=profile.name, parts=tuple(refused))
    return ProfilePlan(
        request=request,
        cutoffs=cutoffs,
        plans=tuple(plans),
        catalog_name=", ".join(dict.fromkeys(source.name for source in sources.values())),
        decisions=(*request.notes, *(item for source in sources.values() for item in source.decisions)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _BackendWheels:
    """The wheels for the targets of one backend."""

    request: LockRequest
    """With the backend and channel at the cutoff."""
    offered: OfferedWheels
    name: str
    """Of the listing, for the provenance."""
    decisions: tuple[Decision, ...]


def _source(
    request: LockRequest,
    backend: Backend,
    targets: Iterable[Target],
    *,
    catalog: Catalog,
    cutoffs: Cutoffs,
    listings: Listings,
) -> _BackendWheels:
    """Return what PyTorch's index has for the targets of a backend; without a listing, what the lock has."""
    profile = replace(request.profile, backend=backend)
    choice = _channel_choice(replace(request, profile=profile), catalog, cutoffs.cutoff_utc)
    found = listings.get(choice.channel, choice.backend)
    listing = known_files(found.listing if found else None, request.kept, choice.channel, choice.backend)
    if listing is None:
        raise ResolveError(
            "RES012",
            f"no {choice.channel} index known for {choice.backend}",
            where=f"profile {profile.name}: backend",
            hint=f"run `envsmith catalog refresh {choice.backend} --channel {choice.channel}` with network access",
        )
    settled = replace(profile, backend=choice.backend, channel=choice.channel)
    own = [replace(item, backend=choice.backend) for item in targets if item.backend == backend]
    return _BackendWheels(
        request=replace(request, profile=settled),
        offered=offered_wheels(listing, own, catalog, cutoffs),
        name=found.name if found else "the lock",
        decisions=choice.decisions,
    )


def _channel_choice(request: LockRequest, catalog: Catalog, cutoff_utc: str) -> ChannelChoice:
    """Return the backend and channel: those of the lock as long as the profile asks for the same ones.

    That a backend has ended since moves no pin. Form 1 of the manifest does not say what was asked: there the rule is
    applied as of the time of the lock.
    """
    profile, kept = request.profile, request.kept
    asked = f"{profile.backend} {profile.channel}"
    entries = [entry for entry in kept.targets.values() if "asked" in entry.inputs] if kept else []
    locked = next((entry for entry in entries if entry.inputs["asked"] == asked), None)
    if kept and not entries:
        cutoff_utc = kept.cutoff_utc
    try:
        choice = backend_lifecycle.settle(profile, catalog, cutoff_utc)
    except ResolveError:
        if locked is None:
            raise
        return ChannelChoice(backend=locked.backend, channel=locked.channel, decisions=())
    if locked and (locked.backend, locked.channel) != (choice.backend, choice.channel):
        return ChannelChoice(backend=locked.backend, channel=locked.channel, decisions=())
    return choice


def _refuse_pythons(request: LockRequest, targets: Sequence[Target]) -> None:
    bound = request.requires_python
    outside = bound.outside(target.python for target in targets) if bound else ()
    if bound and outside:
        named = " ".join(map(str, outside))
        raise ResolveError(
            "RES027",
            f"Python {named} is outside the project's requires-python {bound.specifier}",
            where=f"{request.profile.name}: {bound.where}",
            hint=f"drop {named} from `python` of the profile, or choose others with --python",
        )


def _plan_target(
    request: LockRequest,
    target: Target,
    offered: OfferedWheels,
    catalog: Catalog,
    cutoffs: Cutoffs,
    hasher: Hasher,
) -> ResolutionPlan:
    kept = request.kept_versions(target)
    # A version that was withdrawn since is kept like any other pin.
    pins = exact_pins((*request.requirements, *request.constraints, *request.overrides), target) | {
        (name, Version(version.public)) for name, version in kept.items()
    }
    candidates = select_candidates(offered, target, catalog, pins)
    provided = {item.name for item in request.provided}
    candidates = replace(candidates, slice=candidates.slice.without(provided))
    found = wheel_hashes.complete(candidates, request.requirements, target, hasher)
    slice_, capped = kernel_filter.narrow(found.slice, request.profile, target, request.requirements, catalog)
    skipped = wheel_hashes.skipped(found, slice_, request.requirements)
    decisions = (*request.decisions, *found.decisions, *skipped, *capped)
    plan = plan_target(replace(request, decisions=decisions), target, cutoffs, slice_, catalog)
    plan = _check_names(plan, request.profile, catalog)
    plan = extension_constraints.bind(route(plan, request.pages, catalog, hasher), catalog)
    kernel_filter.check(plan, request.profile, catalog)
    return plan


def _check_names(plan: ResolutionPlan, profile: Profile, catalog: Catalog) -> ResolutionPlan:
    """Add a warning for each required project with a name like one of the torch family; routed ones are meant so.

    Raises:
        ResolveError: RES028 when one is a placeholder.
    """
    required = {item.name: item for item in plan.requirements if item.name not in profile.routes}.values()
    warnings = tuple(found for item in required if (found := check_name(item.name, item.origin, catalog)))
    return replace(plan, decisions=(*plan.decisions, *warnings)) if warnings else plan


def check_name(name: str, origin: str, catalog: Catalog) -> Decision | None:
    """Return a warning if a project has a name like one of the torch family.

    Args:
        name: normalised.
        origin: place of the requirement.
        catalog: known names.

    Raises:
        ResolveError: RES028 when the project is a placeholder.
    """
    if row := next((row for row in catalog.placeholders() if row.project == name), None):
        raise ResolveError(
            "RES028",
            f"{name} on PyPI is a placeholder that cannot be installed",
            where=origin,
            details=(("catalog", f"{row.note} ({row.source}, {row.retrieved})"),),
            hint=f"did you mean `{row.meant}`? require it instead",
        )
    if not (meant := catalog.meant_project(name)):
        return None
    message = f"{name} is not {meant}, but another project with a similar name: did you mean `{meant}`?"
    return Decision(subject=name, kind="noted", message=message, evidence=(origin,), code=SIMILAR_NAME)


def _add_cutoff(
    error: ResolveError,
    target: Target,
    profile: str,
    listing: IndexListing,
    catalog: Catalog,
    cutoffs: Cutoffs,
) -> None:
    """Add to a refusal that the cutoff caused it, if later wheels would match."""
    if isinstance(error, NoBuildError):
        name = canonicalize_name(error.requirement.name)
        cutoff = cutoffs.of(name)
        offered = offered_wheels(listing, (target,), catalog, NO_CUTOFF)
        later = select_candidates(offered, target, catalog).slice.projects.get(name, ())
        fitting = [
            wheel for wheel in later if error.requirement.specifier.contains(wheel.version, prereleases=True)
        ]
        if newest := max(fitting, key=lambda wheel: wheel.version, default=None):
            day = newest.upload_time[:10] if newest.upload_time else f"after {cutoff[:10]}"
            error.message = f"{error.message} by the cutoff {cutoff}"
            error.details = (*error.details, ("cutoff", f"{name} {newest.version.public} was released {day}"))
            error.late_hint = cutoffs.hint(profile, name)


def _add_suggestions(
    error: ResolveError, target: Target, profile: str, catalog: Catalog, listings: Listings
) -> None:
    """Add to a refusal the existing builds of other backends, and the command to lock one."""
    if not isinstance(error, (NoBuildError, kernel_filter.NoKernelsError)):
        return
    if isinstance(error, kernel_filter.NoKernelsError):
        family = backend_family(error.gpu.capability)
    else:
        family = target.backend.family
    known = [facts.backend for facts in catalog.backends() if facts.backend.family == family]
    # Suggestions use cached listings only; never use the network just to build an error message.
    found = [listing for backend in known if (listing := listings.known("stable", backend))]
    if isinstance(error, kernel_filter.NoKernelsError):
        details, hint = suggestions.with_kernels(found, error.gpu, target, catalog, profile)
    else:
        details, hint = suggestions.builds(found, error.requirement, target, profile)
    error.details = (*error.details, *details)
    error.hint = hint or error.hint
    if isinstance(error, NoBuildError) and error.late_hint:
        error.hint = error.late_hint
