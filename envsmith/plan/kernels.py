"""Kernels for the GPUs a profile declares: torch builds without them are left out, or the profile is refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from packaging.version import Version

from envsmith.catalog import Catalog, Gpu, Kernels
from envsmith.config.profile import Profile
from envsmith.config.requirement import SourcedRequirement
from envsmith.errors import CatalogError, ResolveError
from envsmith.model.backend import TEGRA, backend_family
from envsmith.model.finding import Decision
from envsmith.model.target import Target
from envsmith.model.wheel import Wheel
from envsmith.plan.model import ResolutionPlan, TorchIndexSlice


class NoKernelsError(ResolveError):
    """RES033: a torch has no kernels for a declared GPU."""

    def __init__(self, gpu: Gpu, version: str, found: Kernels | None, where: str) -> None:
        is_cpu = found is None or not found.capabilities
        super().__init__(
            "RES033",
            f"torch {version} has no kernels for {gpu.title}",
            where=where,
            details=(("built for", "the CPU alone" if is_cpu else str(found)),),
            hint="`envsmith catalog show` lists the kernels of each backend",
        )
        self.gpu = gpu


def narrow(
    slice_: TorchIndexSlice,
    profile: Profile,
    target: Target,
    requirements: Iterable[SourcedRequirement],
    catalog: Catalog,
) -> tuple[TorchIndexSlice, tuple[Decision, ...]]:
    """Leave out torch wheels that are known to have no kernels for a declared GPU.

    A wheel whose kernels are not known stays in.

    Raises:
        ResolveError: RES033 when every torch the requirements admit is known to have none.
    """
    asked = [
        item for item in requirements if item.name == "torch" and target.satisfies(item.requirement.marker)
    ]
    decisions: list[Decision] = []
    for declared in profile.gpu:
        gpu = _gpu(declared, profile, catalog)
        torches = slice_.projects.get("torch", ())
        found = {wheel: _kernels(wheel.version, target, catalog) for wheel in torches}
        fit = tuple(wheel for wheel in torches if _fits(found[wheel], gpu))
        wanted = [wheel for wheel in torches if _admits(asked, wheel)]
        if wanted and not set(wanted) & set(fit):
            newest = max(wanted, key=lambda wheel: wheel.version)
            raise NoKernelsError(gpu, str(newest.version), found[newest], profile.where("gpu", declared))
        slice_ = replace(slice_, projects={**slice_.projects, "torch": fit})
        decisions += _capped(gpu, torches, fit)
    return slice_, tuple(decisions)


def check(plan: ResolutionPlan, profile: Profile, catalog: Catalog) -> None:
    """Look at the torch that a plan takes from PyPI.

    Raises:
        ResolveError: RES033 when it is known to have no kernels for a declared GPU.
    """
    version = plan.pypi_builds.get("torch")
    if version is None:
        return
    found = _kernels(Version(version), plan.target, catalog)
    for declared in profile.gpu:
        gpu = _gpu(declared, profile, catalog)
        if not _fits(found, gpu):
            label = f"{version} of PyPI ({plan.target.backend})"
            raise NoKernelsError(gpu, label, found, profile.where("gpu", declared))


def _kernels(version: Version, target: Target, catalog: Catalog) -> Kernels | None:
    return catalog.kernels(Version(version.public), target.backend, target.platform)


def _fits(found: Kernels | None, gpu: Gpu) -> bool:
    """Say whether a build may run: kernels that are not known are no reason to leave it out, but on a Jetson."""
    if found is None:
        return gpu.capability not in TEGRA
    is_of_maker = {backend_family(built) for built in found.capabilities} == {backend_family(gpu.capability)}
    return found.supports(gpu.capability) or (not found.is_complete and is_of_maker)


def _admits(asked: Iterable[SourcedRequirement], wheel: Wheel) -> bool:
    return all(item.requirement.specifier.contains(wheel.version, prereleases=True) for item in asked)


def _capped(gpu: Gpu, torches: tuple[Wheel, ...], fit: tuple[Wheel, ...]) -> list[Decision]:
    if len(fit) == len(torches):
        return []
    versions = sorted({wheel.version for wheel in fit})
    kept = f"{versions[0]} to {versions[-1]}" if versions else "none"
    return [
        Decision(
            subject="torch",
            kind="capped",
            code="RES107",
            message=f"torch builds with kernels for {gpu.title} only: {kept}",
        )
    ]


def _gpu(declared: str, profile: Profile, catalog: Catalog) -> Gpu:
    try:
        return catalog.gpu(declared)
    except CatalogError as error:
        raise error.at(profile.where("gpu", declared)) from error.__cause__
