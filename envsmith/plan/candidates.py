"""Cuts out of a listing the torch-family wheels that one plan may use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product

from packaging.requirements import Requirement
from packaging.version import Version

from envsmith.catalog import Catalog, FamilyProject
from envsmith.model.finding import Decision
from envsmith.model.listing import IndexListing, Release, VersionMetadata
from envsmith.model.target import Target
from envsmith.model.wheel import Wheel
from envsmith.plan.model import TorchIndexSlice


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateSet:
    """A slice, and what was left out of it."""

    slice: TorchIndexSlice
    unhashed: Mapping[Wheel, VersionMetadata]
    """Wheels that would fit but that the index publishes no hash for, with what they require."""
    decisions: tuple[Decision, ...]


def cut(listing: IndexListing, target: Target, catalog: Catalog, cutoffs: Mapping[str, str]) -> CandidateSet:
    """Select the rows that fit a target: by label, wheel tags, hash, metadata and cutoff.

    Args:
        listing: rows of one channel and backend.
        target: what the wheels must run on.
        catalog: names the family's projects, release dates and pairings.
        cutoffs: project → newest upload time admitted; the empty name holds for all others.
    """
    tags = frozenset(str(tag) for tag in target.tags())
    bonds = _bonds(target, catalog)
    projects: dict[str, tuple[Wheel, ...]] = {}
    metadata: list[VersionMetadata] = []
    unhashed: dict[Wheel, VersionMetadata] = {}
    withdrawn: list[Decision] = []
    for project in catalog.projects():
        if project.origin != "slice" and project.slice_torch is None and listing.channel == "stable":
            continue
        taken: list[Wheel] = []
        for release in listing.releases(project.name):
            wheels = [
                wheel
                for wheel in _fitting(release, target, tags, project)
                if _is_in_time(wheel, listing, catalog, cutoffs.get(project.name, cutoffs[""]))
            ]
            if release.metadata is None or not wheels:
                # Without its requirements uv would ask PyTorch's server for them.
                continue
            described = _described(release, bonds)
            hashed = [wheel for wheel in wheels if wheel.sha256]
            unhashed |= {wheel: described for wheel in wheels if not wheel.sha256}
            if hashed:
                taken += hashed
                metadata.append(described)
                withdrawn += [_withdrawn(wheel) for wheel in hashed if wheel.withdrawn]
        projects[project.name] = tuple(taken)
    return CandidateSet(
        slice=TorchIndexSlice(
            index=listing.index, url=listing.url, projects=projects, metadata=tuple(metadata)
        ),
        unhashed=unhashed,
        decisions=tuple(withdrawn),
    )


def is_of_backend(wheel: Wheel, target: Target, project: FamilyProject) -> bool:
    """Say whether a wheel is a build of the target's backend.

    The label decides. Wheels without one are taken only where PyTorch never labels them, on macOS, on aarch64
    and for projects with a numbering of their own, and only from the backend's own folder: CUDA pages also
    list old wheels of PyTorch's root, which are other builds. A CUDA torch without a label does not count.

    Source: rows of PyTorch's index, 2026-11-20 (torch 2.4.0 to 2.5.1 for aarch64 in cu124 carry no label).
    """
    if wheel.label == target.backend.label:
        return True
    if not project.has_label:
        # The Tritons are served from PyTorch's root for every index; xformers has a build per folder.
        return target.backend.family in project.backends and (
            "triton" in wheel.name or wheel.folder == str(target.backend)
        )
    if wheel.label or wheel.folder != str(target.backend):
        return False
    if wheel.name == "torch" and target.backend.family != "cpu":
        return False
    return target.platform.os == "macos" or target.platform.machine == "aarch64"


def _fitting(
    release: Release, target: Target, tags: frozenset[str], project: FamilyProject
) -> Iterator[Wheel]:
    for wheel in release.wheels(partial(_may_run, target)):
        if is_of_backend(wheel, target, project) and _runs(wheel, tags):
            yield wheel


_SYSTEMS = {"linux": "linux", "macos": "macosx", "windows": "win"}


def _may_run(target: Target, filename: str) -> bool:
    """Look at a filename alone: most rows are of another Python or platform, and parsing them all takes long."""
    if not filename.endswith("-any.whl") and (
        target.platform.machine not in filename or _SYSTEMS[target.platform.os] not in filename
    ):
        # macOS wheels for both machines are the one name that says neither.
        return "universal2" in filename and target.platform.os == "macos"
    return any(mark in filename for mark in (target.python.tag, "py3", "abi3"))


def _runs(wheel: Wheel, tags: frozenset[str]) -> bool:
    parts = (part.split(".") for part in wheel.platform_tags.split("-"))
    return any("-".join(tag) in tags for tag in product(*parts))


def _is_in_time(wheel: Wheel, listing: IndexListing, catalog: Catalog, cutoff_utc: str) -> bool:
    """Judge by the upload time, else by the day of the version, else by the day the row was seen.

    Tritons that a torch pins exactly are admitted: that torch is judged in their place, and PyTorch copies
    them anew at times, which moves their upload time by months.

    Source: METADATA of torch: ``triton==…`` through 2.13, a range from 2.14 (triton 3.8) on, 2026-11-20.
    """
    if "triton" in wheel.name and wheel.version.release < (3, 8):
        return True
    if wheel.upload_time:
        return wheel.upload_time <= cutoff_utc
    day = _nightly_day(wheel.version) or _release_day(wheel, catalog) or listing.retrieved
    return day <= cutoff_utc[:10]


def _release_day(wheel: Wheel, catalog: Catalog) -> str | None:
    public = Version(wheel.version.public)
    return min(
        (item.date for item in catalog.releases() if public in item.versions(wheel.name)), default=None
    )


def _nightly_day(version: Version) -> str | None:
    """Return the day that a nightly's version tells: ``2.8.0.dev20250606``."""
    digits = str(version.dev or "")
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}" if len(digits) == 8 else None


def _bonds(target: Target, catalog: Catalog) -> list[tuple[Requirement, str]]:
    """Return the bonds inside the family that hold on a target: for which version, and what it needs.

    Bonds to other projects stay constraints of a later resolution: they must ask for nothing.
    """
    family = {project.name for project in catalog.projects()}
    return [
        (pairing.when, str(needed))
        for pairing in catalog.pairings()
        if pairing.holds_for(target.backend, target.platform)
        for needed in pairing.needs
        if needed.name in family
    ]


def _described(release: Release, bonds: list[tuple[Requirement, str]]) -> VersionMetadata:
    """Return what a version requires, with the bonds that its own metadata leaves out."""
    found = release.metadata
    if found is None:
        raise ValueError("a release without metadata is left out before")
    extra = [needed for when, needed in bonds if _is_when(when, release)]
    return VersionMetadata(
        name=release.name,
        version=release.version,
        requires_dist=(*found.requires_dist, *extra),
        requires_python=found.requires_python,
    )


def _is_when(when: Requirement, release: Release) -> bool:
    return when.name == release.name and when.specifier.contains(Version(release.version), prereleases=True)


def _withdrawn(wheel: Wheel) -> Decision:
    return Decision(
        subject=wheel.filename,
        kind="noted",
        code="RES106",
        message=f"{wheel.filename} has two hashes on record; taking {(wheel.sha256 or '')[:12]}…",
        evidence=tuple(f"withdrawn: sha256 {other}" for other in wheel.withdrawn),
    )
