"""Why a resolution holds an older torch than its slice does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from packaging.requirements import Requirement
from packaging.version import Version

from envsmith.config.requirement import Asked
from envsmith.model.decision import Decision
from envsmith.plan.model import Plan
from envsmith.plan.resolution import Resolution


def notice(plan: Plan, resolution: Resolution) -> tuple[Decision, ...]:
    """Return the decision that tells people of an older torch, or nothing where torch is the newest there is.

    A missing row of torchaudio makes an unpinned torch fall back, sometimes by years, without an error.
    """
    locked = {str(package.name): package.version for package in resolution.packages if package.version}
    torch = locked.get("torch")
    newest = _newest(plan, "torch")
    if torch is None or newest is None or newest <= torch or _limit(plan, "torch", newest):
        return ()
    because = "; ".join(_reasons(plan, locked, newest)) or "what other packages require keeps it out"
    return (
        Decision(
            subject="torch",
            kind="capped",
            code="RES108",
            message=f"torch {torch}, although {newest} exists: {because}",
        ),
    )


def _newest(plan: Plan, project: str) -> Version | None:
    return max((wheel.version for wheel in plan.slice.projects.get(project, ())), default=None)


def _limit(plan: Plan, project: str, version: Version) -> Asked | None:
    """Return what keeps a version of a project out, where a requirement or constraint does."""
    asked = (item for item in (*plan.all_requirements(), *plan.all_constraints()) if item.name == project)
    limits = (item for item in asked if not item.requirement.specifier.contains(version, prereleases=True))
    return next(limits, None)


def _reasons(plan: Plan, locked: Mapping[str, Version], torch: Version) -> Iterator[str]:
    """Yield what holds torch's partners back: a limit on one, or that the newest on record goes with an older torch."""
    for project in sorted(plan.slice.projects):
        newest = _newest(plan, project)
        if project == "torch" or project not in locked or newest is None:
            continue
        if limit := _limit(plan, project, newest):
            yield f"{limit.requirement} ({limit.origin.removeprefix('catalog: ')})"
        elif not _goes_with(plan, project, newest, torch):
            yield f"{project} {newest.public}, the newest with a hash on record, goes with an older one"


def _goes_with(plan: Plan, project: str, version: Version, torch: Version) -> bool:
    described = (item for item in plan.slice.metadata if (item.name, item.version) == (project, str(version)))
    needed = (Requirement(text) for item in described for text in item.requires_dist)
    return all(
        item.specifier.contains(torch, prereleases=True)
        for item in needed
        if item.name == "torch" and not item.marker
    )
