"""Facts no metadata declares: what a resolution breaks becomes a constraint for the next one."""

from __future__ import annotations

from collections.abc import Mapping

from packaging.pylock import Package
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from envsmith.catalog import Catalog, Pairing
from envsmith.config.requirement import Asked
from envsmith.model.decision import Decision
from envsmith.plan.model import Amendment, Plan
from envsmith.plan.resolution import Resolution


def amend(plan: Plan, resolution: Resolution, catalog: Catalog) -> Amendment | None:
    """Return the constraints that a resolution breaks, or None where it breaks none."""
    packages = {package.name: package for package in resolution.packages}
    given = {str(item.requirement) for item in plan.all_constraints()}
    broken = {
        str(needed): (pairing, needed)
        for pairing in reversed(catalog.pairings())
        if pairing.holds_for(plan.target.backend, plan.target.platform) and _matches(packages, pairing.when)
        for needed in pairing.needs
        if canonicalize_name(needed.name) in packages
        and not _matches(packages, needed)
        and str(needed) not in given
        and not _is_served(pairing, plan, packages)
    }
    if not broken:
        return None
    return Amendment(
        constraints=tuple(
            Asked(requirement=needed, origin=f"catalog: {pairing.when}")
            for pairing, needed in broken.values()
        ),
        decisions=tuple(_decision(pairing, needed) for pairing, needed in broken.values()),
    )


def _is_served(pairing: Pairing, plan: Plan, packages: Mapping[NormalizedName, Package]) -> bool:
    """Say whether a shim of the profile does away with the reason for a bond."""
    serves = pairing.shim_serves
    return pairing.shim in plan.shims and serves is not None and _matches(packages, serves)


def _matches(packages: Mapping[NormalizedName, Package], requirement: Requirement) -> bool:
    package = packages.get(canonicalize_name(requirement.name))
    if package is None or package.version is None:
        return False
    return requirement.specifier.contains(Version(package.version.public), prereleases=True)


def _decision(pairing: Pairing, needed: Requirement) -> Decision:
    return Decision(
        subject=needed.name,
        kind="capped",
        code="RES110",
        message=f"{needed} because of {pairing.when}: {pairing.reason}",
        evidence=(f"{pairing.source}, {pairing.retrieved}",),
    )
