"""Saving: what need not be downloaded, wheel by wheel, in bytes that somebody has counted.

What would be locked otherwise: plans that undo one choice, and the sizes of what they would bring.

Saving: resolve what would have come otherwise, and tell the difference in bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from packaging.pylock import Package
from packaging.requirements import Requirement
from packaging.version import Version

from envsmith.catalog import Catalog
from envsmith.catalog.sizes import size_of
from envsmith.config.requirement import SourcedRequirement
from envsmith.errors import EnvsmithError
from envsmith.lock.resolve import ResolveTools
from envsmith.plan.model import Resolution, ResolutionPlan

_ORIGIN = "envsmith: what if"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class BuildSize:
    """The size of one wheel, as far as it is known."""

    project: str
    filename: str
    size_bytes: int | None
    """None where nobody tells it."""
    is_near: bool = False
    """True where it is that of PyPI's wheel of the same build, which is nearly as large."""

    def to_json(self) -> dict[str, object]:
        """Return it as plain values."""
        return {
            "project": self.project,
            "filename": self.filename,
            "size_bytes": self.size_bytes,
            "is_near": self.is_near,
        }


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class DownloadSavings:
    """What one choice saves: the wheels that come only without it, less those that come only with it."""

    choice: str
    """What was chosen, in words: ``dropping torchvision``."""
    spared: tuple[BuildSize, ...]
    """Sorted by project."""
    instead: tuple[BuildSize, ...] = ()

    @property
    def known_bytes(self) -> int:
        """The bytes saved by the wheels whose size is known."""
        return sum(item.size_bytes or 0 for item in self.spared) - sum(
            item.size_bytes or 0 for item in self.instead
        )

    @property
    def unknown(self) -> tuple[str, ...]:
        """The projects whose size nobody tells."""
        return tuple(item.project for item in (*self.spared, *self.instead) if item.size_bytes is None)

    @property
    def is_near(self) -> bool:
        """True where a size is only nearly right."""
        return any(item.is_near for item in (*self.spared, *self.instead))

    def to_json(self) -> dict[str, object]:
        """Return it as plain values."""
        return {
            "choice": self.choice,
            "known_bytes": self.known_bytes,
            "unknown": list(self.unknown),
            "spared": [item.to_json() for item in self.spared],
            "instead": [item.to_json() for item in self.instead],
        }


def dropped(plan: ResolutionPlan) -> tuple[str, ...]:
    """Return the projects that the lock would hold, were they not dropped: asked for, or required by a package."""
    required = {item.project for item in plan.unsatisfied()}
    return tuple(
        sorted(
            item.subject
            for item in plan.all_decisions()
            if item.kind == "dropped" and (item.evidence or item.subject in required)
        )
    )


def without_drops(plan: ResolutionPlan, names: Iterable[str]) -> ResolutionPlan:
    """Return the plan that asks for what was dropped."""
    names = tuple(names)
    asked = tuple(SourcedRequirement(requirement=Requirement(name), origin=_ORIGIN) for name in names)
    return replace(
        plan,
        requirements=(*plan.requirements, *asked),
        excludes=tuple(name for name in plan.excludes if name not in names),
        decisions=(),
    )


def from_pypi(plan: ResolutionPlan, resolution: Resolution) -> ResolutionPlan | None:
    """Return the plan of what PyPI serves of the same torch, None where the lock has no torch."""
    torch = next((package.version for package in resolution.packages if package.name == "torch"), None)
    if torch is None:
        return None
    return replace(
        plan,
        slice=plan.slice.without(plan.slice.projects),
        requirements=(SourcedRequirement(requirement=Requirement(f"torch=={torch.public}"), origin=_ORIGIN),),
        constraints=(),
        overrides=(),
        excludes=(),
        decisions=(),
        amendments=(),
        pypi_builds={},
    )


def weigh(package: Package, plan: ResolutionPlan, catalog: Catalog) -> BuildSize:
    """Return the size of a package's wheel: as its index tells it, else as the catalog knows it."""
    wheels = package.wheels or ()
    if not wheels:
        filename = package.sdist.filename if package.sdist else ""
        size = package.sdist.size if package.sdist else None
        return BuildSize(project=package.name, filename=filename, size_bytes=size)
    wheel = wheels[0]
    if wheel.size is not None:
        return BuildSize(project=package.name, filename=wheel.filename, size_bytes=wheel.size)
    if (known := size_of(wheel.filename, "pytorch")) is not None:
        return BuildSize(project=package.name, filename=wheel.filename, size_bytes=known)
    near = _of_same_build(package, wheel.filename, plan, catalog)
    return BuildSize(project=package.name, filename=wheel.filename, size_bytes=near, is_near=near is not None)


def _of_same_build(package: Package, filename: str, plan: ResolutionPlan, catalog: Catalog) -> int | None:
    """Return the size of PyPI's wheel where it is this backend's build."""
    version = package.version or Version("0")
    public = Version(version.public)
    if catalog.pypi_build(package.name, public, plan.target.platform) != plan.target.backend:
        return None
    return size_of(filename.replace(f"+{version.local}", "", 1), "pypi")


def by_drops(plan: ResolutionPlan, resolution: Resolution, tools: ResolveTools) -> DownloadSavings | None:
    """Return what dropping saves: the wheels dropped, and those that only they need; None where nothing is.

    Args:
        plan: with its decisions.
        resolution: what is locked.
        tools: resolver, catalog and wheel reader.
    """
    names = dropped(plan)
    if not names:
        return None
    choice = f"dropping {' and '.join(names)}"
    try:
        otherwise = tools.resolver.resolve(without_drops(plan, names))
    except EnvsmithError:
        # It would not even have resolved: how large the rest of it had been is anybody's guess.
        unknown = tuple(BuildSize(project=name, filename="", size_bytes=None) for name in names)
        return DownloadSavings(choice=choice, spared=unknown)
    here = {package.name for package in resolution.packages}
    spared = [package for package in otherwise.packages if package.name not in here]
    return DownloadSavings(choice=choice, spared=_weights(spared, plan, tools))


def by_build(plan: ResolutionPlan, resolution: Resolution, tools: ResolveTools) -> DownloadSavings | None:
    """Return what the plan's build of torch saves against the one that PyPI serves; None where that is the same.

    Raises:
        EnvsmithError: when what PyPI serves cannot be resolved.
    """
    otherwise = from_pypi(plan, resolution)
    if otherwise is None or plan.pypi_builds:
        return None
    theirs = tools.resolver.resolve(otherwise)
    (torch,) = (package for package in theirs.packages if package.name == "torch")
    if torch.version is None or tools.catalog.pypi_build("torch", torch.version, plan.target.platform) in (
        None,
        plan.target.backend,
    ):
        return None
    names = {package.name for package in theirs.packages}
    ours = [package for package in resolution.packages if package.name in plan.slice.projects]
    shared = {package.name for package in resolution.packages} - {package.name for package in ours}
    return DownloadSavings(
        choice=f"the {plan.target.backend} build instead of PyPI's",
        spared=_weights([package for package in theirs.packages if package.name not in shared], plan, tools),
        instead=_weights([package for package in ours if package.name in names], plan, tools),
    )


def _weights(packages: Sequence[Package], plan: ResolutionPlan, tools: ResolveTools) -> tuple[BuildSize, ...]:
    weights = {package.name: weigh(package, plan, tools.catalog) for package in packages}
    unsure = {
        package.name: package.wheels[0]
        for package in packages
        if package.wheels and (weights[package.name].size_bytes is None or weights[package.name].is_near)
    }
    counted = tools.contents.contents(unsure.values())
    for name, wheel in unsure.items():
        if found := counted.get(wheel.hashes["sha256"]):
            weights[name] = replace(weights[name], size_bytes=found.size_bytes, is_near=False)
    return tuple(sorted(weights.values()))
