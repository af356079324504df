"""Kernels for the GPUs of a profile: torch builds without them are left out or refused."""

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
    """RES033: a torch build has no kernels for a declared GPU."""

    def __init__(self, gpu: Gpu, version: str, found: Kernels | None, where: str) -> None:
        is_cpu = found is None or not found.capabilities
        super().__init__(
            "RES033",
            f"torch {version} has no kernels for {gpu.title}",
            where=where,
            details=(("built for", "the CPU only" if is_cpu else str(found)),),
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
    """Leave out the torch wheels without kernels for a declared GPU; wheels with unknown kernels stay.

    Raises:
        NoKernelsError: RES033 when every admitted torch is known to have none.
    """
    on_torch = [
        item for item in requirements if item.name == "torch" and target.satisfies(item.requirement.marker)
    ]
    decisions: list[Decision] = []
    for declared in profile.gpu:
        gpu = _gpu(declared, profile, catalog)
        torches = slice_.projects.get("torch", ())
        found = {wheel: _kernels(wheel.version, target, catalog) for wheel in torches}
        fit = tuple(wheel for wheel in torches if _fits(found[wheel], gpu))
        admitted = [wheel for wheel in torches if _admits(on_torch, wheel)]
        if admitted and not set(admitted) & set(fit):
            newest = max(admitted, key=lambda wheel: wheel.version)
            raise NoKernelsError(gpu, str(newest.version), found[newest], profile.where("gpu", declared))
        slice_ = replace(slice_, projects={**slice_.projects, "torch": fit})
        decisions += _capped(gpu, torches, fit)
    return slice_, tuple(decisions)


def check(plan: ResolutionPlan, profile: Profile, catalog: Catalog) -> None:
    """Check the torch that a plan takes from PyPI.

    Raises:
        NoKernelsError: RES033 when it is known to have no kernels for a declared GPU.
    """
    version = plan.pypi_builds.get("torch")
    if version is None:
        return
    found = _kernels(Version(version), plan.target, catalog)
    for declared in profile.gpu:
        gpu = _gpu(declared, profile, catalog)
        if not _fits(found, gpu):
            label = f"{version} from PyPI ({plan.target.backend})"
            raise NoKernelsError(gpu, label, found, profile.where("gpu", declared))


def _kernels(version: Version, target: Target, catalog: Catalog) -> Kernels | None:
    return catalog.kernels(Version(version.public), target.backend, target.platform)


def _fits(found: Kernels | None, gpu: Gpu) -> bool:
    """Return whether a build may run; unknown kernels count as fitting, except on a Jetson."""
    if found is None:
        return gpu.capability not in TEGRA
    is_same_maker = {backend_family(built) for built in found.capabilities} == {
        backend_family(gpu.capability)
    }
    return found.supports(gpu.capability) or (not found.is_complete and is_same_maker)


def _admits(items: Iterable[SourcedRequirement], wheel: Wheel) -> bool:
    return all(item.requirement.specifier.contains(wheel.version, prereleases=True) for item in items)


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
            message=f"only torch builds with kernels for {gpu.title}: {kept}",
        )
    ]


def _gpu(declared: str, profile: Profile, catalog: Catalog) -> Gpu:
    try:
        return catalog.gpu(declared)
    except CatalogError as error:
        raise error.at(profile.where("gpu", declared)) from error.__cause__
