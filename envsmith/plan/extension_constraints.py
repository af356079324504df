"""Extensions compiled against one torch: constraints before the resolution, a check after it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envsmith.catalog import Catalog, Extension, Unbuilt
from envsmith.config.requirement import FROM_CATALOG, SourcedRequirement
from envsmith.errors import LockError, ResolveError
from envsmith.plan.model import Resolution, ResolutionPlan

_SHOWN = 6


def bind(plan: ResolutionPlan, catalog: Catalog) -> ResolutionPlan:
    """Return the plan with constraints between its extensions and torch.

    Extensions in the slice need none, because their metadata declares the torch they need; nor do those chosen on PyPI
    for a torch.

    Raises:
        ResolveError: RES023 when no admitted version was compiled against an admitted torch, RES024 when a project has
            no wheels on PyPI and no route.
    """
    _refuse_unbuilt(plan, catalog)
    torches = plan.torch_versions()
    constraints: list[SourcedRequirement] = []
    for name in sorted({item.name for item in plan.requirements}):
        rows = [row for row in catalog.extensions() if row.project == name]
        if not rows or not torches:
            continue
        candidates = _candidates(name, plan, rows)
        if candidates and not any(row.fits(torch) for row in candidates for torch in torches):
            raise _contradiction(name, candidates, rows, torches, plan)
        is_settled = name in plan.slice.projects or name in plan.pypi_builds
        if not is_settled and (candidates or not _pinned(plan.constraints_on(name))):
            constraints += _bounds(name, candidates, rows, torches)
    return replace(plan, constraints=(*plan.constraints, *constraints)) if constraints else plan


def explain(error: ResolveError, plan: ResolutionPlan, catalog: Catalog) -> ResolveError:
    """Add to a failed resolution the known pairs of the extensions it names, and the projects meant by others."""
    text = " ".join(detail for label, detail in error.details if label == "because")
    # Words of the resolver's text that may be normalised project names.
    named = set(re.findall(r"[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)*", text))
    for row in catalog.unbuilt():
        if row.project in named and row.project not in plan.slice.projects:
            error.details = (("no wheels", f"{row.project}: {row.note}"), *error.details)
            error.hint = _route_hint(row, plan)
    meant = {item.name: catalog.meant_project(item.name) for item in plan.requirements if item.name in named}
    meant |= {row.project: row.meant for row in catalog.placeholders() if row.project in named}
    for name, project in meant.items():
        if project and name not in plan.slice.projects:
            error.hint = f"did you mean `{project}`? {name} is another project, or none"
    torches = plan.torch_versions()
    for name in sorted(named & {row.project for row in catalog.extensions()} - set(plan.slice.projects)):
        rows = [row for row in catalog.extensions() if row.project == name]
        error.details = (*_fitting(rows, torches), *error.details)
    return error


def check(resolution: Resolution, catalog: Catalog) -> None:
    """Refuse a resolution with an extension compiled against another torch.

    Raises:
        LockError: LCK020 when it does.
    """
    versions = {str(package.name): package.version for package in resolution.packages}
    torch = versions.get("torch")
    for row in catalog.extensions() if torch else ():
        version = versions.get(row.project)
        if version and torch and row.describes(row.project, version) and not row.fits(torch):
            raise LockError(
                "LCK020",
                f"{row.project} {version} was compiled against torch {row.torch}, but torch {torch} is locked",
                where=row.project,
                details=(("catalog", f"{row.source}, {row.retrieved}"),),
                hint=f"remove the override on {row.project} or torch, or choose a matching pair",
            )


def _refuse_unbuilt(plan: ResolutionPlan, catalog: Catalog) -> None:
    for row in catalog.unbuilt():
        item = next((item for item in plan.requirements if item.name == row.project), None)
        if item and row.project not in plan.slice.projects and row.project not in plan.allow_sdist:
            raise ResolveError(
                "RES024",
                f"{row.project} has no wheels on PyPI: they depend on the torch version",
                where=item.origin,
                details=(("exists", row.note),),
                hint=_route_hint(row, plan),
            )


def _route_hint(row: Unbuilt, plan: ResolutionPlan) -> str:
    torch = max(plan.torch_versions(), default=None)
    page = row.page.format(torch=torch.public if torch else "2.8.0", backend=plan.target.backend)
    example = page or "https://…"
    wheels = f"wheels for torch {torch.public} and {plan.target.backend}" if torch else "wheels for its torch"
    return f'add an index with {wheels} to the profile: [routes] {row.project} = "{example}"'


def _candidates(name: str, plan: ResolutionPlan, rows: Sequence[Extension]) -> list[Extension]:
    """Return the catalog's facts on the admitted versions; none if it lacks one of them."""
    listed = [wheel.version for wheel in plan.slice.projects.get(name, ())] or _pinned(
        plan.constraints_on(name)
    )
    versions = [version for version in listed if plan.admits(name, version)]
    found = [next((row for row in rows if row.describes(name, version)), None) for version in versions]
    return [] if None in found else list(dict.fromkeys(row for row in found if row))


def _pinned(items: Iterable[SourcedRequirement]) -> list[Version]:
    return [
        Version(specifier.version)
        for item in items
        for specifier in item.requirement.specifier
        if specifier.operator == "==" and "*" not in specifier.version
    ]


def _bounds(
    name: str, candidates: Sequence[Extension], rows: Sequence[Extension], torches: Sequence[Version]
) -> Iterator[SourcedRequirement]:
    """Yield the constraint of a pinned extension on torch, or of a pinned torch on the extension."""
    if len(candidates) == 1:
        yield _constraint("torch", candidates[0].torch, f"{name}{candidates[0].versions}")
        return
    fitting = [row for row in rows if all(row.fits(torch) for torch in torches)]
    # Versions newer than the catalog's last row may be compiled against the same torch: do not bound those.
    if len({torch.public for torch in torches}) == 1 and len(fitting) == 1 and fitting[0] != rows[-1]:
        yield _constraint(name, fitting[0].versions, f"torch=={torches[0].public}")


def _constraint(name: str, specifier: SpecifierSet, because: str) -> SourcedRequirement:
    return SourcedRequirement(
        requirement=Requirement(f"{name}{specifier}"), origin=f"{FROM_CATALOG}{because}"
    )


def _contradiction(
    name: str,
    candidates: Sequence[Extension],
    rows: Sequence[Extension],
    torches: Sequence[Version],
    plan: ResolutionPlan,
) -> ResolveError:
    needed = " or ".join(dict.fromkeys(f"torch {row.torch}" for row in candidates))
    item = next(iter(plan.constraints_on(name)))
    others = [other for other in plan.constraints_on("torch") if other.requirement.specifier]
    pairs = _fitting(rows, torches)
    return ResolveError(
        "RES023",
        f"{item.requirement} was compiled against {needed}; "
        + (
            f"required is {', '.join(str(other.requirement) for other in others)}"
            if others
            else f"{plan.target.backend} has no such build"
        ),
        where=item.origin,
        details=(
            *(("required at", f"{other.origin}: {other.requirement}") for other in others),
            *pairs,
            ("here", "torch " + " ".join(dict.fromkeys(torch.public for torch in torches[-_SHOWN:]))),
        ),
        hint=f"choose a matching pair of {name} and torch"
        + ("" if pairs else ", or another backend: `envsmith catalog show`"),
    )


def _fitting(rows: Sequence[Extension], torches: Sequence[Version]) -> tuple[tuple[str, str], ...]:
    """Return the pairs for the admitted torches, newest last."""
    pairs = [
        ("pair", f"torch {torch.public}: {row.project} {row.versions}")
        for torch in torches
        for row in rows
        if row.fits(torch)
    ]
    return tuple(dict.fromkeys(pairs))[-_SHOWN:]
