"""Values to test with: short ways to write targets, wheels, plans and resolutions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from packaging.pylock import Package, PackageSdist, PackageWheel
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from envsmith.config.profile import Profile
from envsmith.config.requirement import SourcedRequirement
from envsmith.model.backend import Backend
from envsmith.model.listing import VersionMetadata
from envsmith.model.target import Platform, Python, Target
from envsmith.model.wheel import Wheel
from envsmith.plan.model import Resolution, ResolutionPlan, TorchIndexSlice

HEX = "a" * 64
OTHER_HEX = "b" * 64
HOST = "https://download.pytorch.org/whl"
CUTOFF = "2026-11-20T00:00:00Z"


def target(python: str = "3.12", platform: str = "linux", backend: str = "cu128") -> Target:
    return Target(
        python=Python.parse(python), platform=Platform.parse(platform), backend=Backend.parse(backend)
    )


def wheel(filename: str, *, index: str = "cu128", sha256: str | None = HEX, **more: Any) -> Wheel:
    url = more.pop("url", f"{HOST}/{index}/{filename.replace('+', '%2B')}")
    return Wheel.from_entry(index=index, filename=filename, url=url, sha256=sha256, **more)


def torch(version: str, python: str = "cp312", platform: str = "manylinux_2_28_x86_64", **more: Any) -> Wheel:
    index = more.pop("index", version.partition("+")[2] or "cu128")
    return wheel(f"torch-{version}-{python}-{python}-{platform}.whl", index=index, **more)


def asked(*texts: str, origin: str = "requirements.in:1") -> tuple[SourcedRequirement, ...]:
    return tuple(SourcedRequirement(requirement=Requirement(text), origin=origin) for text in texts)


def slice_of(*wheels: Wheel, index: str = "cu128", empty: tuple[str, ...] = ()) -> TorchIndexSlice:
    projects: dict[str, tuple[Wheel, ...]] = dict.fromkeys(empty, ())
    for item in wheels:
        projects[item.name] = (*projects.get(item.name, ()), item)
    metadata = {
        (item.name, str(item.version)): VersionMetadata(
            name=item.name, version=str(item.version), requires_dist=()
        )
        for item in wheels
    }
    return TorchIndexSlice(
        index=index, url=f"{HOST}/{index}", projects=projects, metadata=tuple(metadata.values())
    )


def plan(*requirements: str, slice_: TorchIndexSlice | None = None, **more: Any) -> ResolutionPlan:
    values: dict[str, Any] = {
        "profile": "mine",
        "target": target(),
        "channel": "stable",
        "slice": slice_ or slice_of(),
        "requirements": asked(*requirements),
        "cutoff_utc": CUTOFF,
        "moved": {},
        "env": {},
        "pypi_builds": {},
    }
    return ResolutionPlan(**{**values, **more})


def package(filename: str, *, url: str = "", sha256: str = HEX) -> Package:
    """Return what a resolver answers: one package with one wheel."""
    name, version, _, _ = parse_wheel_filename(filename)
    url = url or f"https://127.0.0.1:9/{filename.replace('+', '%2B')}"
    return Package(name=name, version=version, wheels=[PackageWheel(url=url, hashes={"sha256": sha256})])


def of_row(row: Wheel) -> Package:
    """Return a package as the resolver takes it from a slice."""
    return package(row.filename, url=row.url, sha256=row.sha256 or "")


def source(name: str, version: str, sha256: str = HEX) -> Package:
    """Return a package without a wheel."""
    sdist = PackageSdist(url=f"https://127.0.0.1:9/{name}-{version}.tar.gz", hashes={"sha256": sha256})
    return Package(name=canonicalize_name(name), version=Version(version), sdist=sdist)


def resolution(*packages: Package, requirers: Mapping[str, tuple[str, ...]] | None = None) -> Resolution:
    return Resolution(
        packages=tuple(sorted(packages, key=lambda item: item.name)),
        requirers={**{item.name: () for item in packages}, **(requirers or {})},
        indexes={},
    )


def profile(**more: Any) -> Profile:
    values: dict[str, Any] = {
        "name": "mine",
        "backend": Backend.parse("cu128"),
        "python": (Python.parse("3.12"),),
        "platforms": (Platform.parse("linux"),),
    }
    return Profile(**{**values, **more})
