"""Dropped projects: unmet requirements and broken imports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from packaging.pylock import Package, PackageWheel
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name

from envsmith.lockfile.provided import by_name
from envsmith.model.finding import Decision, UnmetRequirement
from envsmith.model.target import Target
from envsmith.plan.model import Amendment, Resolution, ResolutionPlan
from envsmith.plan.ports import ImportTimeUses, WheelContentsReader, WheelRequiresReader

if TYPE_CHECKING:
    from envsmith.model.usage import Use

BREAKS, LACKS = "RES130", "RES131"
"""Codes of decisions: a package imports a dropped project, a package requires one without importing it."""
_SHOWN_PLACES = 3
_TEST_FOLDERS = {"test", "tests", "testing"}


def unmet_requirements(
    plan: ResolutionPlan, requires: Mapping[NormalizedName, Sequence[str]]
) -> tuple[UnmetRequirement, ...]:
    """Return the requirements of the locked packages on excluded projects.

    Args:
        plan: with excludes and requested extras.
        requires: normalised name of each locked package → its ``Requires-Dist``.
    """
    excluded = {canonicalize_name(name) for name in plan.all_excludes()}
    extras: dict[NormalizedName, set[str]] = {}
    for item in plan.all_requirements():
        extras.setdefault(canonicalize_name(item.name), set()).update(item.requirement.extras)
    found: set[UnmetRequirement] = set()
    size = -1
    # A requirement with an extra enables further requirements: repeat until no extra is new.
    while size != (size := sum(map(len, extras.values()))):
        for name, texts in requires.items():
            for requirement in _applying(texts, extras.get(canonicalize_name(name), set()), plan.target):
                project = canonicalize_name(requirement.name)
                extras.setdefault(project, set()).update(requirement.extras)
                if project in excluded and project != name:
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
            continue  # the resolver read it before; a requirement it could not parse was not resolved either
        if any(target.satisfies(requirement.marker, extra) for extra in ("", *extras)):
            yield requirement


def judge(item: UnmetRequirement, version: str, uses: Sequence[Use]) -> Decision:
    """Return the decision on a package with an unmet requirement.

    Args:
        item: the package and its requirement.
        version: the package's pinned version.
        uses: places where importing its modules imports the dropped project.
    """
    project = item.project
    evidence = f"{item.requirer} requires {item.requirement}"
    if uses:
        places = [f"{use.place} ({use.kind}: {use.module})" for use in uses]
        more = [f"and {len(places) - _SHOWN_PLACES} more"] if len(places) > _SHOWN_PLACES else []
        return Decision(
            subject=project,
            kind="noted",
            code=BREAKS,
            message=f"{item.requirer} {version} imports {project} at import time, and {project} is dropped",
            evidence=(evidence, *places[:_SHOWN_PLACES], *more),
        )
    return Decision(
        subject=project,
        kind="noted",
        code=LACKS,
        message=f"{item.requirer} {version} requires {item.requirement}, which is dropped; no module "
        f"imports {project} at import time",
        evidence=(evidence,),
    )


def settle(
    plan: ResolutionPlan,
    resolution: Resolution,
    *,
    requires: WheelRequiresReader,
    contents: WheelContentsReader,
    imports: ImportTimeUses,
) -> Amendment | None:
    """Return the record of the requirements that the plan's excludes leave unmet, or None without any.

    Requirements on excluded members of a conflict group are only recorded. For projects dropped by the profile, the
    sources in each requirer's wheel are searched for imports.

    Args:
        plan: with its last amendment.
        resolution: of that plan.
        requires: reads the requirements of wheels.
        contents: reads the sources of wheels.
        imports: finds imports at import time.

    Raises:
        ToolError: when a wheel cannot be read.
    """
    if not plan.all_excludes():
        return None
    unmet = unmet_requirements(plan, requires_of(plan, resolution, requires))
    packages = {package.name: package for package in resolution.packages}
    by_profile = {canonicalize_name(name) for name in plan.excludes}
    decisions = tuple(
        _judged(item, packages[item.requirer], contents, imports)
        for item in unmet
        if item.project in by_profile
    )
    return Amendment(decisions=decisions, unsatisfied=unmet) if unmet else None


def requires_of(
    plan: ResolutionPlan, resolution: Resolution, reader: WheelRequiresReader
) -> Mapping[NormalizedName, tuple[str, ...]]:
    """Return name → ``Requires-Dist`` of every package of a resolution.

    Raises:
        ToolError: when a wheel cannot be read.
    """
    known = {
        (item.name, item.version): item.requires_dist
        for item in (*plan.slice.metadata, *plan.sdist_metadata())
    }
    provided = by_name(plan.provided)
    wheels: dict[NormalizedName, PackageWheel] = {}
    found: dict[NormalizedName, tuple[str, ...]] = {}
    for package in resolution.packages:
        recorded = known.get((package.name, str(package.version)))
        if package.name in provided:
            found[package.name] = provided[package.name].requires_dist
        elif recorded is not None:
            found[package.name] = recorded
        elif package.wheels:
            wheels[package.name] = package.wheels[0]
    read = reader.requires(wheels.values())
    return found | {name: read[wheel.hashes["sha256"]] for name, wheel in wheels.items()}


def _judged(
    item: UnmetRequirement, package: Package, contents: WheelContentsReader, imports: ImportTimeUses
) -> Decision:
    from envsmith.catalog.modules import import_names

    uses: tuple[Use, ...] = ()
    if package.wheels:
        wheel = package.wheels[0]
        listed = contents.contents([wheel]).get(wheel.hashes["sha256"])
        paths = [path for path in (listed.members if listed else ()) if _is_imported(path)]
        modules = [sought.module for sought in import_names(item.project)]
        uses = imports(contents.read(wheel, paths), modules)
    return judge(item, str(package.version), uses)


def _is_imported(path: str) -> bool:
    """Return whether an import may run a file; the package's tests are left out."""
    folders = path.split("/")[:-1]
    # Paths in angle brackets are data and scripts, not modules: `<data>/…`, `<scripts>/…`.
    return path.endswith(".py") and not path.startswith("<") and not _TEST_FOLDERS & set(folders)
