"""From a profile and its requirements to one plan per target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from packaging.utils import canonicalize_name

from envsmith.catalog import Catalog
from envsmith.config.profile import Profile
from envsmith.config.requirement import RequiresPython, SourcedRequirement
from envsmith.errors import EnvsmithError, ResolveError
from envsmith.index.sources import ListingWithSource
from envsmith.lockfile.manifest import Manifest
from envsmith.model.backend import Backend, backend_family
from envsmith.model.finding import Decision
from envsmith.model.listing import IndexListing
from envsmith.model.route import RoutePage
from envsmith.model.target import Target
from envsmith.plan import (
    candidates,
    conflicts,
    extension_constraints,
    kernels,
    lifecycle,
    planner,
    suggestions,
)
from envsmith.plan import hashes as hashing
from envsmith.plan.model import ResolutionPlan
from envsmith.plan.ports import Hasher
from envsmith.plan.routes import route


@dataclass(frozen=True, slots=True, kw_only=True)
class LockRequest:
    """What is asked for under one profile."""

    profile: Profile
    requirements: tuple[SourcedRequirement, ...]
    constraints: tuple[SourcedRequirement, ...] = ()
    notes: tuple[Decision, ...] = ()
    """What reading the requirements already decided."""
    requires_python: RequiresPython | None = None
    """The Pythons that the project runs on."""
    files: tuple[str, ...] = ()
    """The requirements files read, relative to the project."""
    passed_over: tuple[str, ...] = ()
    """What looks as if it asked for packages, and is not read."""
    decisions: tuple[Decision, ...] = ()
    """What the project's sources decided: whether packages that may go are still asked for."""
    pages: tuple[RoutePage, ...] = ()
    """What was read at the addresses of the profile's routes."""
    only: frozenset[str] = frozenset()
    """Slugs of the targets that count; all of the profile's where it is empty."""
    hash_model: Callable[[str], str] | None = None
    """Returns the sha256 of a model by its path, empty where it is not there; None where none are to be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutoffs:
    """The newest upload time admitted, and that of single projects moved since."""

    cutoff_utc: str
    moved: Mapping[str, str] = field(default_factory=dict)

    def by_project(self) -> dict[str, str]:
        """Return project → cutoff; the empty name holds for all others."""
        return {"": self.cutoff_utc, **self.moved}


@dataclass(frozen=True, slots=True, kw_only=True)
class CutoffOptions:
    """What the user said of time."""

    now_utc: str
    as_of_utc: str = ""
    upgrade: bool = False
    move: tuple[str, ...] = ()

    def settle(self, manifest: Manifest | None) -> Cutoffs:
        """Return the cutoffs: as asked, else as kept in the manifest, else now."""
        if self.as_of_utc:
            return Cutoffs(cutoff_utc=self.as_of_utc)
        if manifest is None or self.upgrade:
            return Cutoffs(cutoff_utc=self.now_utc)
        return Cutoffs(
            cutoff_utc=manifest.cutoff_utc, moved={**manifest.moved, **dict.fromkeys(self.move, self.now_utc)}
        )


class Listings(Protocol):
    """Finds the rows of one channel and backend: live, from the overlay or from the snapshot."""

    def get(self, channel: str, backend: Backend) -> ListingWithSource | None:
        """Return the rows, or None where nothing is known of such an index."""
        ...

    def known(self, channel: str, backend: Backend) -> IndexListing | None:
        """Return the rows at hand, without asking any server; None where there are none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfilePlan:
    """The plans of one profile, and where their rows came from."""

    plans: tuple[ResolutionPlan, ...]
    catalog_name: str
    decisions: tuple[Decision, ...]
    """Those of the whole profile."""


_NEVER = "9999-12-31T23:59:59Z"


def plan_profile(
    wanted: LockRequest, times: Cutoffs, *, catalog: Catalog, listings: Listings, hasher: Hasher
) -> ProfilePlan:
    """Plan every target of a profile.

    Args:
        wanted: profile and requirements.
        times: the cutoffs.
        catalog: facts.
        listings: rows.
        hasher: hashes wheels that no index publishes a hash for.

    Raises:
        ResolveError: RES001 with one part per refused target; RES012 where no index of that name is known; RES027
            where a target's Python is none that the project runs on.
        ProfileError: where a label contradicts the backend, or a GPU is unknown.
    """
    members = conflicts.chosen(wanted.profile, catalog)
    course = lifecycle.settle(wanted.profile, catalog, times.cutoff_utc)
    sourced = listings.get(course.channel, course.backend)
    if sourced is None:
        raise ResolveError(
            "RES012",
            f"nothing is known of a {course.channel} index for {course.backend}",
            where=f"profile {wanted.profile.name}: backend",
            hint=f"envsmith catalog refresh {course.backend} --channel {course.channel}, where PyTorch can be reached",
        )
    all_targets = replace(wanted.profile, backend=course.backend).targets()
    targets = [target for target in all_targets if not wanted.only or target.slug in wanted.only]
    _refuse_pythons(wanted, targets)
    plans: list[ResolutionPlan] = []
    refused: list[EnvsmithError] = []
    for target in targets:
        order = _order(wanted, target, course.channel, times)
        try:
            found = _plan_target(order, sourced.listing, catalog, times, hasher, wanted.pages)
            plans.append(replace(found, members=members))
        except ResolveError as error:
            told = _with_cutoff(error, order, sourced.listing, catalog)
            refused.append(_with_offers(told, order, catalog, listings).at(target.slug))
    if refused:
        raise _refusal(wanted.profile, refused)
    return ProfilePlan(
        plans=tuple(plans), catalog_name=sourced.name, decisions=(*wanted.notes, *course.decisions)
    )


def _refuse_pythons(wanted: LockRequest, targets: list[Target]) -> None:
    bound = wanted.requires_python
    outside = bound.outside(target.python for target in targets) if bound else ()
    if bound and outside:
        named = " ".join(map(str, outside))
        raise ResolveError(
            "RES027",
            f"{named}: no Python that the project runs on (requires-python {bound.specifier})",
            where=f"{wanted.profile.name}: {bound.where}",
            hint=f"drop {named} from `python` of the profile, or name others with --python",
        )


def _order(wanted: LockRequest, target: Target, channel: str, times: Cutoffs) -> planner.PlanRequest:
    return planner.PlanRequest(
        profile=wanted.profile,
        target=target,
        channel=channel,
        cutoff_utc=times.cutoff_utc,
        moved=times.moved,
        requirements=wanted.requirements,
        constraints=wanted.constraints,
        decisions=wanted.decisions,
    )


def _plan_target(
    order: planner.PlanRequest,
    listing: IndexListing,
    catalog: Catalog,
    times: Cutoffs,
    hasher: Hasher,
    pages: tuple[RoutePage, ...],
) -> ResolutionPlan:
    cut = candidates.cut(listing, order.target, catalog, times.by_project())
    missing = hashing.unhashed(cut.slice, cut.unhashed, order.requirements, order.target)
    hashes = {wheel: sha256 for wheel in missing if (sha256 := hasher.sha256(wheel))}
    if len(hashes) < len(missing):
        raise hashing.refusal(wheel for wheel in missing if wheel not in hashes)
    slice_ = hashing.with_hashes(cut.slice, cut.unhashed, hashes)
    slice_, capped = kernels.narrow(slice_, order.profile, order.target, order.requirements, catalog)
    aside = hashing.passed_over(slice_, cut.unhashed, order.requirements)
    told = (*order.decisions, *cut.decisions, *hashing.told(hashes), *aside, *capped)
    plan = planner.plan(replace(order, decisions=told), slice_, catalog)
    plan = extension_constraints.bind(route(plan, pages, catalog, hasher), catalog)
    kernels.check(plan, order.profile, catalog)
    return plan


def _with_cutoff(
    error: ResolveError, order: planner.PlanRequest, listing: IndexListing, catalog: Catalog
) -> ResolveError:
    """Add to a refusal that the cutoff is its cause, where later wheels would answer."""
    if isinstance(error, planner.NoBuildError):
        name = canonicalize_name(error.requirement.name)
        cutoff = order.moved.get(name, order.cutoff_utc)
        later = candidates.cut(listing, order.target, catalog, {"": _NEVER}).slice.projects
        found = later.get(name, ())
        if any(error.requirement.specifier.contains(wheel.version, prereleases=True) for wheel in found):
            error.message = f"{error.message} by the cutoff {cutoff}"
            error.details = (*error.details, ("cutoff", f"what answers came after {cutoff}"))
            error.is_late = True
    return error


def _with_offers(
    error: ResolveError, order: planner.PlanRequest, catalog: Catalog, listings: Listings
) -> ResolveError:
    """Add to a refusal what does exist elsewhere, and the way there."""
    if not isinstance(error, (planner.NoBuildError, kernels.NoKernelsError)):
        return error
    families = _nearby(error, order.target.backend.family)
    known = [facts.backend for facts in catalog.backends() if facts.backend.family in families]
    # Naming what exists elsewhere is no reason to read ten more indexes, or to fail where one does not answer.
    found = [listing for backend in known if (listing := listings.known("stable", backend))]
    name = order.profile.name
    if isinstance(error, planner.NoBuildError):
        details, hint = suggestions.builds(found, error.requirement, order.target, name)
    else:
        details, hint = suggestions.with_kernels(found, error.gpu, order.target, catalog, name)
    error.details = (*error.details, *details)
    error.hint = hint or error.hint
    if isinstance(error, planner.NoBuildError) and error.is_late:
        error.hint = "name a later time with --as-of, or move the cutoff to now with --upgrade"
    return error


def _nearby(error: ResolveError, family: str) -> frozenset[str]:
    """Return the families of backends that can stand in: a GPU decides, where one is declared."""
    if isinstance(error, kernels.NoKernelsError):
        return frozenset({backend_family(error.gpu.capability)})
    return frozenset({family})


def _refusal(profile: Profile, refused: list[EnvsmithError]) -> EnvsmithError:
    if len(refused) == 1:
        return refused[0].at(profile.name)
    return ResolveError(
        "RES001",
        f"{len(refused)} targets cannot be planned",
        where=profile.name,
        parts=tuple(refused),
    )
