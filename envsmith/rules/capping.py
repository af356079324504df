"""Why a resolution holds an older torch than its slice does."""

from __future__ import annotations

from packaging.version import Version

from envsmith.model.decision import Decision
from envsmith.model.plan import Plan
from envsmith.model.resolution import Resolution


def notice(plan: Plan, resolution: Resolution) -> tuple[Decision, ...]:
    """Return the decision that tells people of an older torch, or nothing where torch is the newest there is.

    A missing row of torchaudio makes an unpinned torch fall back, sometimes by years, without an error.
    """
    locked = {package.name: package.version for package in resolution.packages}
    torch = locked.get("torch")  # type: ignore[call-overload]
    newest = max((wheel.version for wheel in plan.slice.projects.get("torch", ())), default=None)
    if torch is None or newest is None or newest <= torch or _is_limited(plan, newest):
        return ()
    ends = [
        f"{project} {max(wheel.version for wheel in wheels).public}"
        for project, wheels in sorted(plan.slice.projects.items())
        if project != "torch" and project in locked and wheels
    ]
    because = f"the newest here: {', '.join(ends)}" if ends else "by what other packages require"
    return (
        Decision(
            subject="torch",
            kind="capped",
            code="RES108",
            message=f"torch {torch}, although {newest} exists for {plan.target.slug}: {because}",
        ),
    )


def _is_limited(plan: Plan, newest: Version) -> bool:
    """Say whether the requirements themselves leave the newest torch out: then nobody needs telling."""
    return any(
        item.name == "torch" and not item.requirement.specifier.contains(newest, prereleases=True)
        for item in (*plan.all_requirements(), *plan.all_constraints())
    )
