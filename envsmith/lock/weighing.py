"""What would be locked otherwise: plans that undo one choice, and the sizes of what they would bring."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from packaging.pylock import Package
from packaging.requirements import Requirement
from packaging.version import Version

from envsmith.catalog import Catalog
from envsmith.catalog.sizes import size_of
from envsmith.config.requirement import Asked
from envsmith.lock.savings import Weight
from envsmith.plan.model import Plan
from envsmith.plan.resolution import Resolution

_ORIGIN = "envsmith: what if"


def dropped(plan: Plan) -> tuple[str, ...]:
    """Return the projects that the lock would hold, were they not dropped: asked for, or required by a package."""
    required = {item.project for item in plan.unsatisfied()}
    return tuple(
        sorted(
            item.subject
            for item in plan.all_decisions()
            if item.kind == "dropped" and (item.evidence or item.subject in required)
        )
    )


def without_drops(plan: Plan, names: Iterable[str]) -> Plan:
    """Return the plan that asks for what was dropped."""
    names = tuple(names)
    asked = tuple(Asked(requirement=Requirement(name), origin=_ORIGIN) for name in names)
    return replace(
        plan,
        requirements=(*plan.requirements, *asked),
        excludes=tuple(name for name in plan.excludes if name not in names),
        decisions=(),
    )


def from_pypi(plan: Plan, resolution: Resolution) -> Plan | None:
    """Return the plan of what PyPI serves of the same torch, None where the lock has no torch."""
    torch = next((package.version for package in resolution.packages if package.name == "torch"), None)
    if torch is None:
        return None
    return replace(
        plan,
        slice=plan.slice.without(plan.slice.projects),
        requirements=(Asked(requirement=Requirement(f"torch=={torch.public}"), origin=_ORIGIN),),
        constraints=(),
        overrides=(),
        excludes=(),
        decisions=(),
        amendments=(),
        pypi_builds={},
    )


def weigh(package: Package, plan: Plan, catalog: Catalog) -> Weight:
    """Return the size of a package's wheel: as its index tells it, else as the catalog knows it."""
    wheels = package.wheels or ()
    if not wheels:
        filename = package.sdist.filename if package.sdist else ""
        size = package.sdist.size if package.sdist else None
        return Weight(project=package.name, filename=filename, size_bytes=size)
    wheel = wheels[0]
    if wheel.size is not None:
        return Weight(project=package.name, filename=wheel.filename, size_bytes=wheel.size)
    if (known := size_of(wheel.filename, "pytorch")) is not None:
        return Weight(project=package.name, filename=wheel.filename, size_bytes=known)
    near = _of_same_build(package, wheel.filename, plan, catalog)
    return Weight(project=package.name, filename=wheel.filename, size_bytes=near, is_near=near is not None)


def _of_same_build(package: Package, filename: str, plan: Plan, catalog: Catalog) -> int | None:
    """Return the size of PyPI's wheel where it is this backend's build."""
    version = package.version or Version("0")
    public = Version(version.public)
    if catalog.pypi_build(package.name, public, plan.target.platform) != plan.target.backend:
        return None
    return size_of(filename.replace(f"+{version.local}", "", 1), "pypi")
