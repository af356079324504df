"""One member per import-folder family: two distributions that own one folder overwrite each other's files."""

from __future__ import annotations

from packaging.requirements import Requirement

from envsmith.catalog import Catalog, Family
from envsmith.model.asked import Asked
from envsmith.model.decision import Decision
from envsmith.model.plan import Amendment, Plan
from envsmith.model.resolution import Resolution


def amend(plan: Plan, resolution: Resolution, catalog: Catalog) -> Amendment | None:
    """Return what leaves one member of each family that a resolution has several of, or None where it has none."""
    names = {package.name for package in resolution.packages}
    asked = {item.name for item in plan.requirements}
    requirements: list[Asked] = []
    excludes: list[str] = []
    decisions: list[Decision] = []
    for family in catalog.families():
        serving = family.preference(plan.target.backend)
        # A member that does not serve the backend overwrites files all the same.
        others = [member for member in family.members if member not in serving]
        present = [member for member in (*serving, *others) if member in names]
        if len(present) < 2 or not family.is_interchangeable:
            continue
        kept = present[0]
        if kept not in asked:
            requirements.append(Asked(requirement=Requirement(kept), origin=f"family {family.folder}"))
        excludes += present[1:]
        decisions += [_decision(family, kept, gone, _askers(gone, plan, resolution)) for gone in present[1:]]
    if not decisions:
        return None
    return Amendment(requirements=tuple(requirements), excludes=tuple(excludes), decisions=tuple(decisions))


def _askers(name: str, plan: Plan, resolution: Resolution) -> list[str]:
    places = sorted({item.origin for item in plan.requirements if item.name == name})
    return [*places, *resolution.requirers.get(name, ())]


def _decision(family: Family, kept: str, gone: str, askers: list[str]) -> Decision:
    return Decision(
        subject=gone,
        kind="substituted",
        code="RES111",
        message=f"{gone} → {kept}: both own the folder {family.folder}"
        + (f" (asked by {', '.join(askers)})" if askers else ""),
        evidence=(f"{family.source}, {family.retrieved}",),
    )
