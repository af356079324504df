"""Amendments after a resolution: undeclared pairings, metadata of source distributions, notes on an older torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from packaging.pylock import PackageSdist
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from envsmith.catalog import Catalog, Pairing
from envsmith.config.requirement import FROM_CATALOG, SourcedRequirement
from envsmith.model.finding import Decision
from envsmith.model.listing import VersionMetadata
from envsmith.plan.model import Amendment, Resolution, ResolutionPlan


def notice(plan: ResolutionPlan, resolution: Resolution) -> tuple[Decision, ...]:
    """Return the decision on a torch older than the newest candidate, unless a requirement limits it.

    Without it an unpinned torch may fall back by years without a message, when a torchaudio wheel is missing.
    """
    locked = {str(package.name): package.version for package in resolution.packages if package.version}
    torch = locked.get("torch")
    newest = _newest(plan, "torch")
    if torch is None or newest is None or newest <= torch or _limit(plan, "torch", newest):
        return ()
    if plan.preferences.get("torch") == str(torch):
        return ()  # kept from the lock, not held back
    because = "; ".join(_reasons(plan, locked, newest)) or "another package requires it"
    return (
        Decision(
            subject="torch",
            kind="capped",
            code="RES108",
            message=f"torch held at {torch} ({newest} available): {because}",
        ),
    )


def _newest(plan: ResolutionPlan, project: str) -> Version | None:
    return max((wheel.version for wheel in plan.slice.projects.get(project, ())), default=None)


def _limit(plan: ResolutionPlan, project: str, version: Version) -> SourcedRequirement | None:
    """Return the requirement or constraint that excludes a version of a project, or None."""
    items = (item for item in (*plan.all_requirements(), *plan.all_constraints()) if item.name == project)
    limits = (item for item in items if not item.requirement.specifier.contains(version, prereleases=True))
    return next(limits, None)


def _reasons(plan: ResolutionPlan, locked: Mapping[str, Version], torch: Version) -> Iterator[str]:
    """Yield why torch's partners are held back: a limit, or no newer version with a hash for this torch."""
    for project in sorted(plan.slice.projects):
        newest = _newest(plan, project)
        if project == "torch" or project not in locked or newest is None:
            continue
        if limit := _limit(plan, project, newest):
            yield f"{limit.requirement} is required ({limit.origin.removeprefix(FROM_CATALOG)})"
        elif not _admits_torch(plan, project, newest, torch):
            yield f"{project} {newest.public}, the newest with a known hash, requires an older torch"


def _admits_torch(plan: ResolutionPlan, project: str, version: Version, torch: Version) -> bool:
    described = (item for item in plan.slice.metadata if (item.name, item.version) == (project, str(version)))
    needed = (Requirement(text) for item in described for text in item.requires_dist)
    return all(
        item.specifier.contains(torch, prereleases=True)
        for item in needed
        if item.name == "torch" and not item.marker
    )


def amend(plan: ResolutionPlan, resolution: Resolution, catalog: Catalog) -> Amendment | None:
    """Return the pairings that a resolution breaks, as constraints, or None."""
    versions = {str(package.name): str(package.version) for package in resolution.packages if package.version}
    known = {str(item.requirement) for item in plan.all_constraints()}
    broken = {
        str(needed): (pairing, needed)
        for pairing, needed in broken_pairings(plan, versions, catalog)
        if str(needed) not in known
    }
    if not broken:
        return None
    return Amendment(
        constraints=tuple(
            SourcedRequirement(requirement=needed, origin=f"{FROM_CATALOG}{pairing.when}")
            for pairing, needed in broken.values()
        ),
        decisions=tuple(_decision(pairing, needed) for pairing, needed in broken.values()),
    )


def broken_pairings(
    plan: ResolutionPlan, versions: Mapping[str, str], catalog: Catalog
) -> Iterator[tuple[Pairing, Requirement]]:
    """Yield each pairing that locked versions break, with the requirement that they do not satisfy.

    Args:
        plan: of the target.
        versions: project → locked version.
        catalog: pairings.
    """
    for pairing in reversed(catalog.pairings()):
        if not pairing.holds_for(plan.target.backend, plan.target.platform) or not _matches(
            versions, pairing.when
        ):
            continue
        for needed in pairing.needs:
            is_there = canonicalize_name(needed.name) in versions
            if is_there and not _matches(versions, needed) and not _is_unneeded(pairing, plan, versions):
                yield pairing, needed


def _is_unneeded(pairing: Pairing, plan: ResolutionPlan, versions: Mapping[str, str]) -> bool:
    """Return whether a shim of the profile makes a pairing unnecessary."""
    serves = pairing.shim_serves
    return pairing.shim in plan.shims and serves is not None and _matches(versions, serves)


def _matches(versions: Mapping[str, str], requirement: Requirement) -> bool:
    version = versions.get(canonicalize_name(requirement.name))
    if version is None:
        return False
    return requirement.specifier.contains(Version(Version(version).public), prereleases=True)


def _decision(pairing: Pairing, needed: Requirement) -> Decision:
    return Decision(
        subject=needed.name,
        kind="capped",
        code="RES110",
        message=f"{needed} because of {pairing.when}: {pairing.reason}",
        evidence=(f"{pairing.source}, {pairing.retrieved}",),
    )


def unread(
    plan: ResolutionPlan, resolution: Resolution
) -> tuple[tuple[NormalizedName, str, PackageSdist], ...]:
    """Return name, version and file of each source distribution without metadata in the plan."""
    known = {(item.name, item.version) for item in plan.sdist_metadata()}
    return tuple(
        (package.name, str(package.version), package.sdist)
        for package in resolution.packages
        if package.sdist and not package.wheels and (package.name, str(package.version)) not in known
    )


def amendment(read: tuple[VersionMetadata, ...]) -> Amendment:
    """Return the amendment with the metadata of source distributions."""
    return Amendment(
        sdist_metadata=read,
        decisions=tuple(
            Decision(
                subject=item.name,
                kind="noted",
                code="RES112",
                message=f"{item.name} {item.version} has no wheel for this target: locked as source; its requirements: "
                f"{', '.join(item.requires_dist) or 'none'}",
            )
            for item in read
        ),
    )
