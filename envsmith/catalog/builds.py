"""Known builds of torch: those of PyTorch's index, and those on PyPI for the same backend."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from packaging.version import Version

from envsmith.catalog import Catalog
from envsmith.model.backend import Backend
from envsmith.model.listing import IndexListing
from envsmith.model.target import Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchWheels:
    """Wheels of one torch version for one backend with the same platform tag."""

    backend: Backend
    torch: Version
    """Without local version label."""
    platforms: tuple[str, ...]
    """Platform tags in their filenames: ``manylinux_2_28_x86_64``."""
    pythons: frozenset[str]
    """Interpreter tags: ``cp312``."""
    index: str = "pytorch"
    """``pytorch`` or ``pypi``."""

    def is_for(self, os: str, machine: str) -> bool:
        """Say whether the wheels are for an operating system and machine, whatever the system's version."""
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
        """Return the oldest system version its wheels run on: ``glibc 2.28``; empty if the tags name none."""
        for tag in self.platforms:
            parts = tag.split("_")
            if tag.startswith("manylinux_"):
                return f"glibc {parts[1]}.{parts[2]}"
            if tag.startswith("macosx_"):
                return f"macOS {parts[1]}.{parts[2]}"
        return ""


def builds(catalog: Catalog, listing: IndexListing) -> tuple[TorchWheels, ...]:
    """Return the builds of torch for a listing's backend, those on PyPI included.

    Wheels without a published hash are included.
    """
    return (*_of_index(listing), *of_pypi(catalog, listing.backend))


def _of_index(listing: IndexListing) -> Iterator[TorchWheels]:
    found: dict[tuple[Version, str], set[str]] = {}
    for release in listing.releases("torch"):
        for wheel in release.wheels():
            interpreter, abi, platforms = wheel.platform_tags.split("-")
            if wheel.is_build_of(listing.backend):
                key = (Version(wheel.version.public), platforms)
                # A free-threaded build has the interpreter tag of the other one.
                found.setdefault(key, set()).update((abi if abi.endswith("t") else interpreter).split("."))
    for (torch, platforms), pythons in found.items():
        yield TorchWheels(
            backend=listing.backend,
            torch=torch,
            platforms=tuple(platforms.split(".")),
            pythons=frozenset(pythons),
        )


def of_pypi(catalog: Catalog, backend: Backend) -> Iterator[TorchWheels]:
    """Yield the wheels of torch on PyPI that are built for a backend."""
    for row in catalog.pypi_wheels():
        for release in catalog.releases():
            if not row.torch.contains(release.torch):
                continue
            for tag in row.platforms:
                if catalog.pypi_build("torch", release.torch, _platform(tag)) == backend:
                    yield TorchWheels(
                        backend=backend,
                        torch=release.torch,
                        platforms=(tag,),
                        pythons=frozenset(row.pythons),
                        index="pypi",
                    )


def _platform(tag: str) -> Platform:
    """Parse a platform tag, the older names of manylinux included."""
    name = tag
    for legacy, modern in (("manylinux1", "manylinux_2_5"), ("manylinux2014", "manylinux_2_17")):
        name = name.replace(f"{legacy}_", f"{modern}_")
    return Platform.parse(name)


def newest(found: Iterable[TorchWheels]) -> TorchWheels | None:
    """Return the build with the newest torch; PyTorch's own if PyPI has the same version."""
    return max(found, key=lambda build: (build.torch, build.index == "pytorch"), default=None)
