"""What does exist, for a refusal to name: other versions, Pythons and backends, and the way there."""

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

MOST = 4
Details = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Offer:
    backend: Backend
    pythons: dict[Version, set[str]]
    """version → the interpreter tags it has wheels for; never empty."""

    @property
    def newest(self) -> Version:
        return max(self.pythons)

    def newest_for(self, tag: str) -> Version | None:
        return max((version for version, tags in self.pythons.items() if _has(tags, tag)), default=None)


def builds(
    listings: Iterable[IndexListing], requirement: Requirement, target: Target, profile: str
) -> tuple[Details, str]:
    """Return what exists of a project near a target, and a hint naming the way to it.

    Only wheels with a published hash and known requirements count.

    Args:
        listings: rows of the backends to look at.
        requirement: what no wheel answers on the target.
        target: where it was asked for.
        profile: name to put into the hint.
    """
    name = canonicalize_name(requirement.name)
    found = sorted(
        _offers(listings, name, target.platform),
        key=lambda offer: (_answers(offer, requirement, target), offer.newest.release, offer.backend.version),
        reverse=True,
    )
    here = next((offer for offer in found if offer.backend == target.backend), None)
    others = [offer for offer in found if offer is not here]
    shown = [offer for offer in (here, *others) if offer][:MOST]
    details = tuple(("exists", _line(name, offer, target)) for offer in shown)
    return details, _way(here, others, requirement, target, profile)


def with_kernels(
    listings: Iterable[IndexListing], gpu: Gpu, target: Target, catalog: Catalog, profile: str
) -> tuple[Details, str]:
    """Return the backends whose torch has kernels for a GPU, newest torch first, and a hint naming one."""
    able: list[tuple[Version, _Offer]] = []
    for offer in _offers(listings, "torch", target.platform):
        versions = [
            version
            for version, tags in offer.pythons.items()
            if _has(tags, target.python.tag)
            and (found := catalog.kernels(Version(version.public), offer.backend, target.platform))
            and found.supports(gpu.capability)
        ]
        if versions:
            able.append((max(versions), offer))
    best = sorted(able, key=lambda item: (item[0].release, item[1].backend.version), reverse=True)[:MOST]
    if not best:
        return (("has them", f"no build on record for {target.slug}"),), ""
    details = tuple(("has them", f"{offer.backend} up to torch {version.public}") for version, offer in best)
    return details, _command(profile, target, best[0][1].backend)


def _offers(listings: Iterable[IndexListing], project: str, platform: Platform) -> Iterator[_Offer]:
    for listing in listings:
        if pythons := _pythons(listing, project, platform):
            yield _Offer(backend=listing.backend, pythons=pythons)


def _pythons(listing: IndexListing, project: str, platform: Platform) -> dict[Version, set[str]]:
    accepted = set(platform.wheel_platforms())
    found: dict[Version, set[str]] = {}
    for release in listing.releases(project):
        for wheel in release.wheels() if release.metadata else ():
            interpreter, abi, platforms = wheel.platform_tags.split("-")
            if (
                wheel.sha256
                and wheel.is_build_of(listing.backend)
                and not abi.endswith("t")
                and accepted & set(platforms.split("."))
            ):
                found.setdefault(wheel.version, set()).update(interpreter.split("."))
    return found


def _has(tags: Iterable[str], tag: str) -> bool:
    return any(known in (tag, "py3") for known in tags)


def _answers(offer: _Offer, requirement: Requirement, target: Target) -> bool:
    return any(
        requirement.specifier.contains(version.public, prereleases=True) and _has(tags, target.python.tag)
        for version, tags in offer.pythons.items()
    )


def _line(name: str, offer: _Offer, target: Target) -> str:
    tags = " ".join(sorted(offer.pythons[offer.newest], key=_minor))
    text = f"{offer.backend} · {name} {offer.newest.public}: {tags}"
    fitting = offer.newest_for(target.python.tag)
    if fitting is None:
        return f"{text}; none with {target.python.tag}"
    return text if fitting == offer.newest else f"{text}; newest with {target.python.tag}: {fitting.public}"


def _way(
    here: _Offer | None, others: Iterable[_Offer], requirement: Requirement, target: Target, profile: str
) -> str:
    """Say what to do: another Python, another backend, or another version."""
    ways: list[str] = []
    newest = here.newest_for(target.python.tag) if here else None
    if here and any(requirement.specifier.contains(version.public) for version in here.pythons):
        ways.append(f"drop {target.python} from `python`")
    elif newest:
        ways.append(f"ask for {requirement.name}=={newest.public}")
    answering = next((offer for offer in others if _answers(offer, requirement, target)), None)
    if answering:
        ways.append(_command(profile, target, answering.backend))
    return ", or ".join(ways)


def _command(profile: str, target: Target, backend: Backend) -> str:
    """Return the command: a profile named like its backend has siblings that are named like theirs."""
    is_plain = profile in (str(target.backend), str(backend))
    return f"envsmith lock {backend}" if is_plain else f"envsmith lock {profile} --backend {backend}"


def _minor(tag: str) -> int:
    return int(tag[3:]) if tag[3:].isdigit() else 0
