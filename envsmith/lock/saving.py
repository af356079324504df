"""Saving: resolve what would have come otherwise, and tell the difference in bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from packaging.pylock import Package

from envsmith.catalog import Catalog
from envsmith.errors import EnvsmithError
from envsmith.lock import weighing
from envsmith.lock.savings import Saving, Weight
from envsmith.plan.model import Plan
from envsmith.plan.ports import Resolver, WheelContents
from envsmith.plan.resolution import Resolution


@dataclass(frozen=True, slots=True, kw_only=True)
class Scales:
    """What weighing needs."""

    resolver: Resolver
    """Resolves once more, as if the choice had not been made."""
    catalog: Catalog
    """Knows sizes that no index tells."""
    contents: WheelContents
    """Asks servers for the others."""


def by_drops(plan: Plan, resolution: Resolution, scales: Scales) -> Saving | None:
    """Return what dropping saves: the wheels dropped, and those that only they need; None where nothing is.

    Args:
        plan: with its decisions.
        resolution: what is locked.
        scales: resolver, and what knows sizes.
    """
    names = weighing.dropped(plan)
    if not names:
        return None
    choice = f"dropping {' and '.join(names)}"
    try:
        otherwise = scales.resolver.resolve(weighing.without_drops(plan, names))
    except EnvsmithError:
        # It would not even have resolved: how large the rest of it had been is anybody's guess.
        unknown = tuple(Weight(project=name, filename="", size_bytes=None) for name in names)
        return Saving(choice=choice, spared=unknown)
    here = {package.name for package in resolution.packages}
    spared = [package for package in otherwise.packages if package.name not in here]
    return Saving(choice=choice, spared=_weights(spared, plan, scales))


def by_build(plan: Plan, resolution: Resolution, scales: Scales) -> Saving | None:
    """Return what the plan's build of torch saves against the one that PyPI serves; None where that is the same.

    Raises:
        EnvsmithError: when what PyPI serves cannot be resolved.
    """
    otherwise = weighing.from_pypi(plan, resolution)
    if otherwise is None or plan.pypi_builds:
        return None
    theirs = scales.resolver.resolve(otherwise)
    (torch,) = (package for package in theirs.packages if package.name == "torch")
    if torch.version is None or scales.catalog.pypi_build("torch", torch.version, plan.target.platform) in (
        None,
        plan.target.backend,
    ):
        return None
    names = {package.name for package in theirs.packages}
    ours = [package for package in resolution.packages if package.name in plan.slice.projects]
    shared = {package.name for package in resolution.packages} - {package.name for package in ours}
    return Saving(
        choice=f"the {plan.target.backend} build instead of PyPI's",
        spared=_weights([package for package in theirs.packages if package.name not in shared], plan, scales),
        instead=_weights([package for package in ours if package.name in names], plan, scales),
    )


def _weights(packages: Sequence[Package], plan: Plan, scales: Scales) -> tuple[Weight, ...]:
    weights = {package.name: weighing.weigh(package, plan, scales.catalog) for package in packages}
    unsure = {
        package.name: package.wheels[0]
        for package in packages
        if package.wheels and (weights[package.name].size_bytes is None or weights[package.name].is_near)
    }
    counted = scales.contents.contents(unsure.values())
    for name, wheel in unsure.items():
        if found := counted.get(wheel.hashes["sha256"]):
            weights[name] = replace(weights[name], size_bytes=found.size_bytes, is_near=False)
    return tuple(sorted(weights.values()))
