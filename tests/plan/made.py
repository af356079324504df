"""Small plans and resolutions for the tests of rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from packaging.pylock import Package, PackageSdist, PackageWheel
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from envsmith.config.requirement import SourcedRequirement
from envsmith.model.backend import Backend
from envsmith.model.target import Platform, Python, Target
from envsmith.model.wheel import Wheel
from envsmith.plan.model import Resolution, ResolutionPlan, TorchIndexSlice

HEX = "a" * 64


def target(backend: str = "cu128", platform: str = "linux", python: str = "3.12") -> Target:
    return Target(
        python=Python.parse(python), platform=Platform.parse(platform), backend=Backend.parse(backend)
    )


def row(filename: str, *, sha256: str | None = HEX, index: str = "cu128") -> Wheel:
    url = f"https://download.pytorch.org/whl/{index}/{filename.replace('+', '%2B')}"
    return Wheel.from_entry(index=index, filename=filename, url=url, sha256=sha256)


def asked(*texts: str, origin: str = "requirements.in") -> tuple[SourcedRequirement, ...]:
    return tuple(
        SourcedRequirement(requirement=Requirement(text), origin=f"{origin}:{number}")
        for number, text in enumerate(texts, 1)
    )


def plan(*requirements: str, rows: tuple[Wheel, ...] = (), where: Target | None = None) -> ResolutionPlan:
    """A plan over a slice of these rows; torch, torchvision and torchaudio have a page in any case."""
    where = where or target()
    projects: dict[str, tuple[Wheel, ...]] = {"torch": (), "torchvision": (), "torchaudio": ()}
    for item in rows:
        projects[item.name] = (*projects.get(item.name, ()), item)
    index = str(where.backend)
    return ResolutionPlan(
        profile="made",
        target=where,
        channel="stable",
        slice=TorchIndexSlice(
            index=index, url=f"https://download.pytorch.org/whl/{index}", projects=projects, metadata=()
        ),
        requirements=asked(*requirements),
        cutoff_utc="2026-11-20T09:00:00Z",
        moved={},
        env={},
        pypi_builds={},
    )


def package(name: str, version: str, filename: str = "", *, sha256: str = HEX, url: str = "") -> Package:
    """A package with one wheel, from an index of no account unless the URL says otherwise."""
    filename = filename or f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    url = url or f"https://files.example/{filename}"
    return Package(
        name=canonicalize_name(name),
        version=Version(version),
        wheels=[PackageWheel(url=url, hashes={"sha256": sha256})],
    )


def of_row(wheel: Wheel) -> Package:
    """The package that a resolver makes of a row."""
    return Package(
        name=wheel.name,
        version=wheel.version,
        wheels=[PackageWheel(url=wheel.url, hashes={"sha256": wheel.sha256 or ""})],
    )


def as_source(name: str, version: str) -> Package:
    """A package without a wheel."""
    url = f"https://files.example/{name}-{version}.tar.gz"
    return Package(
        name=canonicalize_name(name),
        version=Version(version),
        sdist=PackageSdist(url=url, hashes={"sha256": HEX}),
    )


def resolution(*packages: Package, requirers: Mapping[str, tuple[str, ...]] | None = None) -> Resolution:
    ordered = tuple(sorted(packages, key=lambda item: item.name))
    return Resolution(packages=ordered, requirers=requirers or {}, indexes={})


def with_sdists(given: ResolutionPlan, *names: str) -> ResolutionPlan:
    return replace(given, allow_sdist=names)
