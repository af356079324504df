"""Packages compiled against one torch: bound to it before the resolver is started, and judged after it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envsmith.catalog import Catalog, Extension, Unbuilt
from envsmith.config.requirement import SourcedRequirement
from envsmith.errors import LockError, ResolveError
from envsmith.plan.model import Resolution, ResolutionPlan

_MOST_TOLD = 6


def bind(plan: ResolutionPlan, catalog: Catalog) -> ResolutionPlan:
    """Return the plan with what its extensions and its torch mean for each other as constraints.

    Versions whose metadata the plan's slice holds need none, for the resolver sees there what they ask for; nor do
    those that were chosen on PyPI to go with torch.

    Raises:
        ResolveError: RES023 when no version asked for was compiled against a torch that can come, RES024 when a
            project has no wheels anywhere that the plan knows of.
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
    """Add to a failed resolution what is known of the extensions that it speaks of."""
    said = " ".join(text for label, text in error.details if label == "because")
    named = set(re.findall(r"[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)*", said))
    for row in catalog.unbuilt():
        if row.project in named and row.project not in plan.slice.projects:
            error.details = (("no wheels", f"{row.project}: {row.note}"), *error.details)
            error.hint = _way_to_wheels(row, plan)
    torches = plan.torch_versions()
    for name in sorted(named & {row.project for row in catalog.extensions()} - set(plan.slice.projects)):
        rows = [row for row in catalog.extensions() if row.project == name]
        error.details = (*_fitting(rows, torches), *error.details)
    return error


def check(resolution: Resolution, catalog: Catalog) -> None:
    """Let no resolution pass that holds an extension beside a torch it was not compiled against.

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
                f"{row.project} {version} was compiled against torch {row.torch}, and torch is {torch}",
                where=row.project,
                details=(("catalog", f"{row.source}, {row.retrieved}"),),
                hint=f"take {row.project} or torch out of the overrides, or ask for a pair that goes together",
            )


def _refuse_unbuilt(plan: ResolutionPlan, catalog: Catalog) -> None:
    for row in catalog.unbuilt():
        asked = next((item for item in plan.requirements if item.name == row.project), None)
        if asked and row.project not in plan.slice.projects and row.project not in plan.allow_sdist:
            raise ResolveError(
                "RES024",
                f"{row.project} has no wheels on PyPI: it is compiled against the torch it is used with",
                where=asked.origin,
                details=(("exists", row.note),),
                hint=_way_to_wheels(row, plan),
            )


def _way_to_wheels(row: Unbuilt, plan: ResolutionPlan) -> str:
    torch = max(plan.torch_versions(), default=None)
    page = row.page.format(torch=torch.public if torch else "2.8.0", backend=plan.target.backend)
    example = page or "https://…"
    what = f"wheels for torch {torch.public} and {plan.target.backend}" if torch else "wheels for its torch"
    return f'name an index that has {what} in the profile: [routes] {row.project} = "{example}"'


def _candidates(name: str, plan: ResolutionPlan, rows: Sequence[Extension]) -> list[Extension]:
    """Return the rows of the versions that can come; none where the catalog does not know all of these."""
    listed = [wheel.version for wheel in plan.slice.projects.get(name, ())] or _pinned(
        plan.constraints_on(name)
    )
    versions = [version for version in listed if plan.admits(name, version)]
    found = [next((row for row in rows if row.describes(name, version)), None) for version in versions]
    return [] if None in found else list(dict.fromkeys(row for row in found if row))


def _pinned(words: Iterable[SourcedRequirement]) -> list[Version]:
    return [
        Version(specifier.version)
        for item in words
        for specifier in item.requirement.specifier
        if specifier.operator == "==" and "*" not in specifier.version
    ]


def _bounds(
    name: str, candidates: Sequence[Extension], rows: Sequence[Extension], torches: Sequence[Version]
) -> Iterator[SourcedRequirement]:
    """Yield the constraint that a pinned extension means for torch, or a pinned torch for the extension."""
    if len(candidates) == 1:
        yield _constraint("torch", candidates[0].torch, f"{name}{candidates[0].versions}")
        return
    fitting = [row for row in rows if all(row.fits(torch) for torch in torches)]
    # Above the newest row there may be versions the catalog does not know yet, compiled against the same torch.
    if len({torch.public for torch in torches}) == 1 and len(fitting) == 1 and fitting[0] != rows[-1]:
        yield _constraint(name, fitting[0].versions, f"torch=={torches[0].public}")


def _constraint(name: str, specifier: SpecifierSet, because: str) -> SourcedRequirement:
    return SourcedRequirement(requirement=Requirement(f"{name}{specifier}"), origin=f"catalog: {because}")


def _contradiction(
    name: str,
    candidates: Sequence[Extension],
    rows: Sequence[Extension],
    torches: Sequence[Version],
    plan: ResolutionPlan,
) -> ResolveError:
    wanted = " or ".join(dict.fromkeys(f"torch {row.torch}" for row in candidates))
    asked = next(item for item in plan.constraints_on(name) if item.name == name)
    others = [item for item in plan.constraints_on("torch") if item.requirement.specifier]
    offered = _fitting(rows, torches)
    return ResolveError(
        "RES023",
        f"{asked.requirement} was compiled against {wanted}; "
        + (
            f"asked for is {', '.join(str(item.requirement) for item in others)}"
            if others
            else f"{plan.target.backend} has none of it"
        ),
        where=asked.origin,
        details=(
            *(("asked at", f"{item.origin}: {item.requirement}") for item in others),
            *offered,
            ("here", "torch " + " ".join(dict.fromkeys(torch.public for torch in torches[-_MOST_TOLD:]))),
        ),
        hint=f"ask for a pair of {name} and torch that goes together"
        + ("" if offered else ", or for another backend: `envsmith catalog show`"),
    )


def _fitting(rows: Sequence[Extension], torches: Sequence[Version]) -> tuple[tuple[str, str], ...]:
    """Return what goes with the torches that can come, newest last."""
    pairs = [
        ("goes with", f"torch {torch.public}: {row.project} {row.versions}")
        for torch in torches
        for row in rows
        if row.fits(torch)
    ]
    return tuple(dict.fromkeys(pairs))[-_MOST_TOLD:]
