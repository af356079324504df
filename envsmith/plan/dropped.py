"""What a drop against metadata leaves behind: requirements without an answer, and imports that will fail.

Drop against metadata: find out, from the wheels themselves, what a drop leaves unanswered and what it breaks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from packaging.pylock import Package, PackageWheel
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name

from envsmith.catalog.modules import import_names
from envsmith.model.finding import Decision, UnmetRequirement
from envsmith.model.target import Target
from envsmith.model.usage import Use
from envsmith.plan.model import Amendment, Resolution, ResolutionPlan
from envsmith.plan.ports import ImportTimeUses, WheelContentsReader, WheelRequiresReader

BREAKS, LACKS = "RES130", "RES131"
_MOST_PLACES = 3
_NOT_IMPORTED = {"test", "tests", "testing"}


def unsatisfied(
    plan: ResolutionPlan, requires: Mapping[NormalizedName, Sequence[str]]
) -> tuple[UnmetRequirement, ...]:
    """Return what the locked packages require on this target of the projects that the plan excludes.

    Args:
        plan: says what is excluded, and which extras are asked for.
        requires: normalised name of each locked package → its ``Requires-Dist``, as METADATA says it.
    """
    excluded = {canonicalize_name(name) for name in plan.all_excludes()}
    extras: dict[NormalizedName, set[str]] = {}
    for item in plan.all_requirements():
        extras.setdefault(canonicalize_name(item.name), set()).update(item.requirement.extras)
    found: set[UnmetRequirement] = set()
    size = -1
    # What is required with an extra switches requirements on elsewhere: go on until nothing new is switched on.
    while size != (size := sum(map(len, extras.values()))):
        for name, texts in requires.items():
            for requirement in _applying(texts, extras.get(canonicalize_name(name), set()), plan.target):
                wanted = canonicalize_name(requirement.name)
                extras.setdefault(wanted, set()).update(requirement.extras)
                if wanted in excluded and wanted != name:
                    requirement.marker = None
                    found.add(
                        UnmetRequirement(requirer=canonicalize_name(name), requirement=str(requirement))
                    )
    return tuple(sorted(found))


def _applying(texts: Sequence[str], extras: set[str], target: Target) -> Iterator[Requirement]:
    for text in texts:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue  # the resolver has judged it already; what it cannot read it cannot have answered
        if any(target.satisfies(requirement.marker, extra) for extra in ("", *extras)):
            yield requirement


def judge(item: UnmetRequirement, version: str, uses: Sequence[Use]) -> Decision:
    """Say what becomes of a package whose requirement was dropped.

    Args:
        item: who requires what.
        version: the requirer's pinned version.
        uses: where its own modules import what was dropped as soon as they are imported themselves.
    """
    project = item.project
    if uses:
        places = [f"{use.place} ({use.kind}: {use.module})" for use in uses]
        more = [f"and {len(places) - _MOST_PLACES} more"] if len(places) > _MOST_PLACES else []
        return Decision(
            subject=project,
            kind="noted",
            code=BREAKS,
            message=f"{item.requirer} {version} imports {project} as soon as it is imported, and {project} is dropped",
            evidence=(f"{item.requirer} requires {item.requirement}", *places[:_MOST_PLACES], *more),
        )
    return Decision(
        subject=project,
        kind="noted",
        code=LACKS,
        message=f"{item.requirer} {version} requires {item.requirement}, which is dropped;"
        " none of its modules imports it at import time",
        evidence=(f"{item.requirer} requires {item.requirement}",),
    )


def settle(
    plan: ResolutionPlan,
    resolution: Resolution,
    *,
    requires: WheelRequiresReader,
    contents: WheelContentsReader,
    imports: ImportTimeUses,
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
    missing = unsatisfied(plan, requires_of(plan, resolution, requires))
    packages = {package.name: package for package in resolution.packages}
    dropped = {canonicalize_name(name) for name in plan.excludes}
    decisions = tuple(
        _judged(item, packages[item.requirer], contents, imports)
        for item in missing
        if item.project in dropped
    )
    return Amendment(decisions=decisions, unsatisfied=missing) if missing else None


def requires_of(
    plan: ResolutionPlan, resolution: Resolution, reader: WheelRequiresReader
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


def _judged(
    item: UnmetRequirement, package: Package, contents: WheelContentsReader, imports: ImportTimeUses
) -> Decision:
    uses: tuple[Use, ...] = ()
    if package.wheels:
        wheel = package.wheels[0]
        listed = contents.contents([wheel]).get(wheel.hashes["sha256"])
        paths = [path for path in (listed.members if listed else ()) if _is_imported(path)]
        modules = [sought.module for sought in import_names(item.project)]
        uses = imports(contents.read(wheel, paths), modules)
    return judge(item, str(package.version), uses)


def _is_imported(path: str) -> bool:
    """Say whether a file can be part of what an import runs: a package's tests are none of it."""
    folders = path.split("/")[:-1]
    return path.endswith(".py") and not path.startswith("<") and not _NOT_IMPORTED & set(folders)
