"""Suggestions for a refusal: existing builds of other versions, Pythons and backends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from envsmith.catalog import Catalog, Gpu
from envsmith.model.backend import Backend
from envsmith.model.listing import IndexListing
from envsmith.model.target import Platform, Target

_SHOWN = 4
Details = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Builds:
    """Versions of a project for one backend."""

    backend: Backend
    pythons: dict[Version, set[str]]
    """version → interpreter tags of its wheels; never empty."""

    @property
    def newest(self) -> Version:
        return max(self.pythons)

    def newest_for(self, tag: str) -> Version | None:
        return max((version for version, tags in self.pythons.items() if _has(tags, tag)), default=None)


def builds(
    listings: Iterable[IndexListing], requirement: Requirement, target: Target, profile: str
) -> tuple[Details, str]:
    """Return the existing builds of a project closest to a target, and a hint to use one.

    Only wheels with a published hash and known requirements count.

    Args:
        listings: of the backends to consider.
        requirement: the one without a matching wheel.
        target: the target without one.
        profile: name for the hint.
    """
    name = canonicalize_name(requirement.name)
    found = sorted(
        _by_backend(listings, name, target.platform),
        key=lambda item: (_satisfies(item, requirement, target), item.newest.release, item.backend.version),
        reverse=True,
    )
    here = next((item for item in found if item.backend == target.backend), None)
    others = [item for item in found if item is not here]
    shown = [item for item in (here, *others) if item][:_SHOWN]
    details = tuple(("exists", _line(name, item, target)) for item in shown)
    return details, _hint(here, others, requirement, target, profile)


def with_kernels(
    listings: Iterable[IndexListing], gpu: Gpu, target: Target, catalog: Catalog, profile: str
) -> tuple[Details, str]:
    """Return the backends whose torch has kernels for a GPU, newest torch first, and a hint naming one."""
    supporting: list[tuple[Version, _Builds]] = []
    for item in _by_backend(listings, "torch", target.platform):
        versions = [
            version
            for version, tags in item.pythons.items()
            if _has(tags, target.python.tag)
            and (found := catalog.kernels(Version(version.public), item.backend, target.platform))
            and found.supports(gpu.capability)
        ]
        if versions:
            supporting.append((max(versions), item))
    best = sorted(supporting, key=lambda pair: (pair[0].release, pair[1].backend.version), reverse=True)[
        :_SHOWN
    ]
    if not best:
        return (("has them", f"no known build for {target.slug}"),), ""
    details = tuple(("has them", f"{item.backend} up to torch {version.public}") for version, item in best)
    return details, _command(profile, target, best[0][1].backend)


def _by_backend(listings: Iterable[IndexListing], project: str, platform: Platform) -> Iterator[_Builds]:
    for listing in listings:
        if pythons := _pythons(listing, project, platform):
            yield _Builds(backend=listing.backend, pythons=pythons)


def _pythons(listing: IndexListing, project: str, platform: Platform) -> dict[Version, set[str]]:
    accepted = set(platform.wheel_platforms())
    found: dict[Version, set[str]] = {}
    for release in listing.releases(project):
        for wheel in release.wheels() if release.metadata else ():
            interpreter, abi, platforms = wheel.platform_tags.split("-")
            if wheel.sha256 and wheel.is_build_of(listing.backend) and accepted & set(platforms.split(".")):
                found.setdefault(wheel.version, set()).update(
                    (abi if abi.endswith("t") else interpreter).split(".")
                )
    return found


def _has(tags: Iterable[str], tag: str) -> bool:
    return any(known in (tag, "py3") for known in tags)


def _satisfies(builds: _Builds, requirement: Requirement, target: Target) -> bool:
    return any(
        requirement.specifier.contains(version.public, prereleases=True) and _has(tags, target.python.tag)
        for version, tags in builds.pythons.items()
    )


def _line(name: str, builds: _Builds, target: Target) -> str:
    tags = " ".join(sorted(builds.pythons[builds.newest], key=lambda tag: (_minor(tag), tag)))
    text = f"{builds.backend} · {name} {builds.newest.public}: {tags}"
    fitting = builds.newest_for(target.python.tag)
    if fitting is None:
        return f"{text}; none for {target.python.tag}"
    return text if fitting == builds.newest else f"{text}; newest for {target.python.tag}: {fitting.public}"


def _hint(
    here: _Builds | None, others: Iterable[_Builds], requirement: Requirement, target: Target, profile: str
) -> str:
    """Suggest another Python, version or backend."""
    hints: list[str] = []
    newest = here.newest_for(target.python.tag) if here else None
    if here and any(requirement.specifier.contains(version.public) for version in here.pythons):
        hints.append(f"drop {target.python} from `python`")
    elif newest:
        hints.append(f"use {requirement.name}=={newest.public}")
    other = next((item for item in others if _satisfies(item, requirement, target)), None)
    if other:
        hints.append(_command(profile, target, other.backend))
    return ", or ".join(hints)


def _command(profile: str, target: Target, backend: Backend) -> str:
    """Return the lock command; for a profile named after its backend, the profile named after the other."""
    is_plain = profile in (str(target.backend), str(backend))
    return f"envsmith lock {backend}" if is_plain else f"envsmith lock {profile} --backend {backend}"


def _minor(tag: str) -> int:
    """Return 12 for ``cp312``; 0 for ``py3`` and the like."""
    digits = tag[3:].removesuffix("t")
    return int(digits) if digits.isdigit() else 0
