"""Builds of source distributions: all that those with settings use is locked, torch as in the lock itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from packaging.pylock import Package
from packaging.requirements import Requirement
from packaging.utils import parse_wheel_filename

from envsmith.config.build_settings import BuildSettings, settings_for
from envsmith.config.requirement import SourcedRequirement
from envsmith.errors import NoSolutionError, ResolveError
from envsmith.lock.resolve import ResolveTools
from envsmith.lockfile.manifest import LockedBuild
from envsmith.lockfile.pins import requirements_lines
from envsmith.plan.model import Resolution, ResolutionPlan

ARCHITECTURES = "TORCH_CUDA_ARCH_LIST"
"""Variable of torch's extension builds."""


def locked_builds(
    plan: ResolutionPlan, resolution: Resolution, before: Mapping[str, LockedBuild], tools: ResolveTools
) -> dict[str, LockedBuild]:
    """Return project → its locked build, of the source distributions with settings in the profile or the catalog.

    Others are built by uv, with what their build requires on that day.

    Args:
        plan: of the target, with its last resolution.
        resolution: the packages of the lock.
        before: the builds of the lock on disk; their versions are kept where they fit.
        tools: the resolver, readers and facts.

    Raises:
        ResolveError: RES070 when what a build requires has no solution.
        ToolError: when the resolver fails.
    """
    known = (*tools.catalog.source_builds(), *plan.builds)
    found: dict[str, LockedBuild] = {}
    for package in resolution.packages:
        settings = None if package.wheels or not package.sdist else settings_for(package.name, known)
        if settings and package.sdist:
            sha256 = package.sdist.hashes["sha256"]
            own = tools.sdists.build_requires(
                name=package.name, version=str(package.version), url=package.sdist.url or "", sha256=sha256
            )
            needed = replace(settings, requires=(*own, *settings.requires))
            build_plan = _build_plan(package, needed, plan, resolution, before.get(package.name))
            found[package.name] = LockedBuild(
                sha256=sha256,
                requirements=_resolved(package, build_plan, tools),
                env=_env(plan, settings),
                needs=settings.needs,
            )
    return found


def _env(plan: ResolutionPlan, settings: BuildSettings) -> dict[str, str]:
    is_cuda = plan.architectures and "nvcc" in settings.needs
    own = {ARCHITECTURES: ";".join(plan.architectures)} if is_cuda else {}
    return {**own, **settings.env}


def _build_plan(
    package: Package,
    settings: BuildSettings,
    plan: ResolutionPlan,
    resolution: Resolution,
    before: LockedBuild | None,
) -> ResolutionPlan:
    """Return the plan for all that a build sees.

    The torch family has its locked versions; others have them where constraints and requirements of the build admit it.
    """
    locked = {str(item.name): str(item.version) for item in resolution.packages if item.wheels}
    lines = requirements_lines("\n".join(before.requirements if before else ()))
    kept = {line.name: line.version for line in lines}
    origin = f"the build of {package.name} {package.version}"
    asked = [_sourced(text, origin) for text in settings.requires]
    asked = [item for item in asked if plan.target.satisfies(item.requirement.marker)]
    limits = [_sourced(text, origin) for text in settings.constraints]
    seen = sorted(locked.keys() - {item.name for item in limits}) if not settings.isolated else []
    family = sorted(plan.slice.projects.keys() & locked.keys())
    return replace(
        plan,
        requirements=(*asked, *(_sourced(f"{name}=={locked[name]}", origin) for name in seen)),
        constraints=(*limits, *(_sourced(f"{name}=={locked[name]}", origin) for name in family)),
        overrides=(),
        amendments=(),
        allow_sdist=(),
        known_sources=(),
        preferences={**kept, **locked},
    )


def _resolved(package: Package, plan: ResolutionPlan, tools: ResolveTools) -> tuple[str, ...]:
    """Return the hashed pins for the plan of a build."""
    try:
        answer = tools.resolver.resolve(plan)
    except NoSolutionError as error:
        raise ResolveError(
            "RES070",
            f"the build of {package.name} {package.version} has requirements without a solution",
            where=str(plan.target),
            details=error.details,
            hint=f"set build.{package.name}.constraints or .requires in the profile, or do without its source",
        ) from error
    return tuple(sorted(_hashed(item, plan) for item in answer.packages))


def _sourced(text: str, origin: str) -> SourcedRequirement:
    return SourcedRequirement(requirement=Requirement(text), origin=origin)


def _hashed(package: Package, plan: ResolutionPlan) -> str:
    tags = plan.target.tag_set()
    wheels = [wheel for wheel in package.wheels or () if parse_wheel_filename(wheel.filename)[3] & tags]
    hashes = sorted({wheel.hashes["sha256"] for wheel in wheels})
    return " ".join([f"{package.name}=={package.version}", *(f"--hash=sha256:{value}" for value in hashes)])
