"""Download savings of a choice: the same plan resolved without it, and the difference in bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from packaging.pylock import Package
from packaging.requirements import Requirement
from packaging.version import Version

from envsmith.catalog import Catalog
from envsmith.catalog.sizes import size_of
from envsmith.config.requirement import SourcedRequirement
from envsmith.errors import EnvsmithError, NoSolutionError
from envsmith.lock.resolve import ResolveTools
from envsmith.plan.model import Resolution, ResolutionPlan

_ORIGIN = "envsmith: comparison"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class BuildSize:
    """Size of one wheel."""

    project: str
    filename: str
    size_bytes: int | None
    """None if unknown."""
    is_near: bool = False
    """Whether it is an estimate: the size of PyPI's wheel of the same build."""

    def to_json(self) -> dict[str, object]:
        """Return plain values for ``--json``."""
        return {
            "project": self.project,
            "filename": self.filename,
            "size_bytes": self.size_bytes,
            "is_near": self.is_near,
        }


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class DownloadSavings:
    """Savings of one choice: the wheels needed only without it, less those needed only with it."""

    choice: str
    """In words: ``dropping torchvision``."""
    spared: tuple[BuildSize, ...]
    """Sorted by project."""
    instead: tuple[BuildSize, ...] = ()

    @property
    def known_bytes(self) -> int:
        """Bytes saved by the wheels of known size."""
        return sum(item.size_bytes or 0 for item in self.spared) - sum(
            item.size_bytes or 0 for item in self.instead
        )

    @property
    def unknown(self) -> tuple[str, ...]:
        """The projects of unknown size."""
        return tuple(item.project for item in (*self.spared, *self.instead) if item.size_bytes is None)

    @property
    def is_near(self) -> bool:
        """Whether a size is an estimate."""
        return any(item.is_near for item in (*self.spared, *self.instead))

    def to_json(self) -> dict[str, object]:
        """Return plain values for ``--json``."""
        return {
            "choice": self.choice,
            "known_bytes": self.known_bytes,
            "unknown": list(self.unknown),
            "spared": [item.to_json() for item in self.spared],
            "instead": [item.to_json() for item in self.instead],
        }


def dropped(plan: ResolutionPlan) -> tuple[str, ...]:
    """Return the dropped projects that were required, directly or by a package."""
    required = {item.project for item in plan.unsatisfied()}
    return tuple(
        sorted(
            item.subject
            for item in plan.all_decisions()
            if item.kind == "dropped" and (item.evidence or item.subject in required)
        )
    )


def without_drops(plan: ResolutionPlan, names: Iterable[str]) -> ResolutionPlan:
    """Return the plan with requirements on the dropped projects."""
    names = tuple(names)
    added = tuple(SourcedRequirement(requirement=Requirement(name), origin=_ORIGIN) for name in names)
    return replace(
        plan,
        requirements=(*plan.requirements, *added),
        excludes=tuple(name for name in plan.excludes if name not in names),
        decisions=(),
    )


def from_pypi(plan: ResolutionPlan, resolution: Resolution) -> ResolutionPlan | None:
    """Return the plan for PyPI's build of the same torch, or None without torch."""
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


def size_of_package(package: Package, plan: ResolutionPlan, catalog: Catalog) -> BuildSize:
    """Return the size of a package's file: from its index, else from the catalog."""
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
    """Return the size of PyPI's wheel if it is this backend's build."""
    version = package.version or Version("0")
    public = Version(version.public)
    if catalog.pypi_build(package.name, public, plan.target.platform) != plan.target.backend:
        return None
    return size_of(filename.replace(f"+{version.local}", "", 1), "pypi")


def by_drops(plan: ResolutionPlan, resolution: Resolution, tools: ResolveTools) -> DownloadSavings | None:
    """Return the savings of drops: the dropped wheels, and those that only they need; None without drops.

    Args:
        plan: with its decisions.
        resolution: of that plan.
        tools: resolver, catalog and wheel reader.
    """
    names = dropped(plan)
    if not names:
        return None
    choice = f"dropping {' and '.join(names)}"
    try:
        otherwise = tools.resolver.resolve(without_drops(plan, names))
    except EnvsmithError:
        # Without the drops there is no solution, so that the other wheels are unknown.
        unknown = tuple(BuildSize(project=name, filename="", size_bytes=None) for name in names)
        return DownloadSavings(choice=choice, spared=unknown)
    here = {package.name for package in resolution.packages}
    spared = [package for package in otherwise.packages if package.name not in here]
    return DownloadSavings(choice=choice, spared=_sizes(spared, plan, tools))


def by_build(plan: ResolutionPlan, resolution: Resolution, tools: ResolveTools) -> DownloadSavings | None:
    """Return the savings of the plan's build of torch compared with PyPI's; None if they are equal, or PyPI has none.

    Raises:
        ToolError: when the resolver or the network fails.
    """
    otherwise = from_pypi(plan, resolution)
    if otherwise is None or plan.pypi_builds:
        return None
    try:
        theirs = tools.resolver.resolve(otherwise)
    except NoSolutionError:
        return None
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
        spared=_sizes([package for package in theirs.packages if package.name not in shared], plan, tools),
        instead=_sizes([package for package in ours if package.name in names], plan, tools),
    )


def _sizes(packages: Sequence[Package], plan: ResolutionPlan, tools: ResolveTools) -> tuple[BuildSize, ...]:
    sizes = {package.name: size_of_package(package, plan, tools.catalog) for package in packages}
    uncertain = {
        package.name: package.wheels[0]
        for package in packages
        if package.wheels and (sizes[package.name].size_bytes is None or sizes[package.name].is_near)
    }
    read = tools.contents.contents(uncertain.values())
    for name, wheel in uncertain.items():
        if found := read.get(wheel.hashes["sha256"]):
            sizes[name] = replace(sizes[name], size_bytes=found.size_bytes, is_near=False)
    return tuple(sorted(sizes.values()))
