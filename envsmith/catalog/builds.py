"""Builds of torch on record: those of PyTorch's index, and those PyPI serves for the same backend.

Build: torch of one version for one backend, and where a wheel of it runs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from packaging.version import Version

from envsmith.catalog import Catalog
from envsmith.model.backend import Backend
from envsmith.model.listing import IndexListing
from envsmith.model.target import Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class PypiWheelBuild:
    """The wheels of one torch for one backend that carry the same platform tag."""

    backend: Backend
    torch: Version
    """Without local version label."""
    platforms: tuple[str, ...]
    """The platform tags in their filenames, ``manylinux_2_28_x86_64``."""
    pythons: frozenset[str]
    """Interpreter tags: ``cp312``."""
    index: str = "pytorch"
    """Who serves it: ``pytorch`` or ``pypi``."""

    def is_for(self, os: str, machine: str) -> bool:
        """Say whether the wheels are for an operating system and machine, whatever its version."""
        marks = {"linux": "linux", "macos": "macosx", "windows": "win"}
        return any(
            tag.startswith(("many" + marks[os], marks[os])) and tag.endswith(f"_{machine}")
            for tag in self.platforms
        )

    def accepts(self, accepted: Collection[str]) -> bool:
        """Say whether one of the platform tags is accepted."""
        return any(tag in accepted for tag in self.platforms)

    def has(self, tag: str) -> bool:
        """Say whether there is a wheel for an interpreter, ``cp312``."""
        return tag in self.pythons

    def floor(self) -> str:
        """Return the oldest system version its wheels run on, in words; empty where they name none."""
        for tag in self.platforms:
            parts = tag.split("_")
            if tag.startswith("manylinux_"):
                return f"glibc {parts[1]}.{parts[2]}"
            if tag.startswith("macosx_"):
                return f"macOS {parts[1]}.{parts[2]}"
        return ""


def runs_on(build: PypiWheelBuild, platform: Platform) -> bool:
    """Say whether a build's wheels run on a platform, its version included."""
    return build.accepts(frozenset(platform.wheel_platforms()))


def builds(catalog: Catalog, listing: IndexListing) -> tuple[PypiWheelBuild, ...]:
    """Return the builds of torch for a listing's backend, PyPI's among them.

    Wheels without a published hash count: they exist. Free-threaded Pythons do not.
    """
    return (*_of_index(listing), *of_pypi(catalog, listing.backend))


def _of_index(listing: IndexListing) -> Iterator[PypiWheelBuild]:
    found: dict[tuple[Version, str], set[str]] = {}
    for release in listing.releases("torch"):
        for wheel in release.wheels():
            interpreter, abi, platforms = wheel.platform_tags.split("-")
            if wheel.is_build_of(listing.backend) and not abi.endswith("t"):
                key = (Version(wheel.version.public), platforms)
                found.setdefault(key, set()).update(interpreter.split("."))
    for (torch, platforms), pythons in found.items():
        yield PypiWheelBuild(
            backend=listing.backend,
            torch=torch,
            platforms=tuple(platforms.split(".")),
            pythons=frozenset(pythons),
        )


def of_pypi(catalog: Catalog, backend: Backend) -> Iterator[PypiWheelBuild]:
    """Yield the wheels of torch on PyPI that are known to be built for a backend."""
    for row in catalog.pypi_wheels():
        for release in catalog.releases():
            if not row.torch.contains(release.torch):
                continue
            for tag in row.platforms:
                if catalog.pypi_build("torch", release.torch, _platform(tag)) == backend:
                    yield PypiWheelBuild(
                        backend=backend,
                        torch=release.torch,
                        platforms=(tag,),
                        pythons=frozenset(row.pythons),
                        index="pypi",
                    )


def _platform(tag: str) -> Platform:
    """Read a tag as wheels carry it, the older names of manylinux included."""
    name = tag
    for legacy, modern in (("manylinux1", "manylinux_2_5"), ("manylinux2014", "manylinux_2_17")):
        name = name.replace(f"{legacy}_", f"{modern}_")
    return Platform.parse(name)


def newest(found: Iterable[PypiWheelBuild]) -> PypiWheelBuild | None:
    """Return the build with the newest torch; of equal ones PyTorch's own."""
    return max(found, key=lambda build: (build.torch, build.index == "pytorch"), default=None)
