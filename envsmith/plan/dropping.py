"""Drop against metadata: find out, from the wheels themselves, what a drop leaves unanswered and what it breaks."""

from __future__ import annotations

from collections.abc import Mapping

from packaging.pylock import Package, PackageWheel
from packaging.utils import NormalizedName, canonicalize_name

from envsmith.catalog.modules import sought_of
from envsmith.model.decision import Decision
from envsmith.model.unsatisfied import Unsatisfied
from envsmith.model.usage import Use
from envsmith.plan import dropped as dropping
from envsmith.plan.model import Amendment, Plan
from envsmith.plan.ports import ImportTime, WheelContents, WheelRequires
from envsmith.plan.resolution import Resolution

_NOT_IMPORTED = {"test", "tests", "testing"}


def settle(
    plan: Plan,
    resolution: Resolution,
    *,
    requires: WheelRequires,
    contents: WheelContents,
    imports: ImportTime,
) -> Amendment | None:
    """Return what is to be recorded of the requirements that the plan's excludes leave unanswered; None if nothing is.

    What a family's other member serves is only recorded; of what the profile drops, each requirer is judged by the
    sources in its wheel.

    Args:
        plan: with its last amendment.
        resolution: the last answer.
        requires: reads what wheels require.
        contents: reads the wheels' sources.
        imports: tells what sources import at import time.

    Raises:
        ToolError: when a wheel cannot be looked into.
    """
    if not plan.all_excludes():
        return None
    missing = dropping.unsatisfied(plan, requires_of(plan, resolution, requires))
    packages = {package.name: package for package in resolution.packages}
    dropped = {canonicalize_name(name) for name in plan.excludes}
    decisions = tuple(
        _judged(item, packages[item.requirer], contents, imports)
        for item in missing
        if item.project in dropped
    )
    return Amendment(decisions=decisions, unsatisfied=missing) if missing else None


def requires_of(
    plan: Plan, resolution: Resolution, reader: WheelRequires
) -> Mapping[NormalizedName, tuple[str, ...]]:
    """Return name → ``Requires-Dist`` of every package of a resolution.

    Raises:
        ToolError: when a wheel cannot be looked into.
    """
    known = {
        (item.name, item.version): item.requires_dist
        for item in (*plan.slice.metadata, *plan.sdist_metadata())
    }
    wheels: dict[NormalizedName, PackageWheel] = {}
    found: dict[NormalizedName, tuple[str, ...]] = {}
    for package in resolution.packages:
        kept = known.get((package.name, str(package.version)))
        if kept is not None:
            found[package.name] = kept
        elif package.wheels:
            wheels[package.name] = package.wheels[0]
    read = reader.requires(wheels.values())
    return found | {name: read[wheel.hashes["sha256"]] for name, wheel in wheels.items()}


def _judged(item: Unsatisfied, package: Package, contents: WheelContents, imports: ImportTime) -> Decision:
    uses: tuple[Use, ...] = ()
    if package.wheels:
        wheel = package.wheels[0]
        listed = contents.contents([wheel]).get(wheel.hashes["sha256"])
        paths = [path for path in (listed.members if listed else ()) if _is_imported(path)]
        modules = [sought.module for sought in sought_of(item.project)]
        uses = imports.at_import_time(contents.read(wheel, paths), modules)
    return dropping.judge(item, str(package.version), uses)


def _is_imported(path: str) -> bool:
    """Say whether a file can be part of what an import runs: a package's tests are none of it."""
    folders = path.split("/")[:-1]
    return path.endswith(".py") and not path.startswith("<") and not _NOT_IMPORTED & set(folders)
