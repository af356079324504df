"""Substitute: leave one member of each family, bound as those bind it whose requirements it serves now."""

from __future__ import annotations

from envsmith.catalog import Catalog
from envsmith.plan import conflicts as families
from envsmith.plan import dropped as dropping
from envsmith.plan.dropping import requires_of
from envsmith.plan.model import Amendment, Plan
from envsmith.plan.ports import WheelRequires
from envsmith.plan.resolution import Resolution


def amendment(
    plan: Plan, resolution: Resolution, *, catalog: Catalog, requires: WheelRequires
) -> Amendment | None:
    """Return what leaves one member of each family, or None where a resolution needs nothing.

    Args:
        plan: with its last amendment.
        resolution: the last answer.
        catalog: names the families.
        requires: reads what wheels require.

    Raises:
        ToolError: when a requirer's wheel cannot be looked into: which versions serve it is then not known.
    """
    found = families.amend(plan, resolution, catalog)
    if found is None:
        return None
    asked = any(resolution.requirers.get(gone) for gone in found.excludes)
    read = requires_of(plan, resolution, requires) if asked else {}
    missing = dropping.unsatisfied(plan.amended(found), read)
    return families.bounded(found, plan, missing, catalog)
