"""Source distributions in a resolution: whose requirements are still to be read."""

from __future__ import annotations

from packaging.pylock import PackageSdist
from packaging.utils import NormalizedName

from envsmith.model.decision import Decision
from envsmith.model.listing import VersionMetadata
from envsmith.plan.model import Amendment, Plan
from envsmith.plan.resolution import Resolution


def unread(plan: Plan, resolution: Resolution) -> tuple[tuple[NormalizedName, str, PackageSdist], ...]:
    """Return name, version and file of each package without a wheel that the plan holds no metadata for."""
    known = {(item.name, item.version) for item in plan.sdist_metadata()}
    return tuple(
        (package.name, str(package.version), package.sdist)
        for package in resolution.packages
        if package.sdist and not package.wheels and (package.name, str(package.version)) not in known
    )


def amendment(read: tuple[VersionMetadata, ...]) -> Amendment:
    """Return what tells the resolver the requirements that were read."""
    return Amendment(
        sdist_metadata=read,
        decisions=tuple(
            Decision(
                subject=item.name,
                kind="noted",
                code="RES112",
                message=f"{item.name} {item.version} has no wheel for this target: locked as source; by its files it "
                f"requires {', '.join(item.requires_dist) or 'nothing'}",
            )
            for item in read
        ),
    )
