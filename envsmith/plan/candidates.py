"""Candidate selection from an index listing, and the common candidates of a profile's targets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from envsmith.catalog import Catalog, FamilyProject
from envsmith.config.requirement import SourcedRequirement
from envsmith.model.finding import Decision
from envsmith.model.listing import IndexListing, Release, VersionMetadata
from envsmith.model.target import Target
from envsmith.model.wheel import Wheel
from envsmith.plan.model import Cutoffs, ResolutionPlan, TorchIndexSlice

TWO_HASHES = "RES106"
"""Code of the decision on a wheel with two hashes on record."""
DIFFERENT, HELD = "RES119", "RES120"
"""Codes of decisions: versions that differ by target, and a version held for the targets without a newer one."""
_SYSTEMS = {"linux": "linux", "macos": "macosx", "windows": "win"}
"""System → the text that the names of its wheels contain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedWheels:
    """The wheels of a listing to select from, read once for all targets of a profile."""

    listing: IndexListing
    projects: Sequence[tuple[FamilyProject, Sequence[tuple[Release, Sequence[Wheel]]]]]
    """Each with its releases, in the order of the catalog."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateSet:
    """Candidates with a hash, as a slice, and those without."""

    slice: TorchIndexSlice
    unhashed: Mapping[Wheel, VersionMetadata]
    """Fitting wheels whose index publishes no hash, with their requirements."""
    decisions: tuple[Decision, ...]


def offered_wheels(
    listing: IndexListing, targets: Iterable[Target], catalog: Catalog, cutoffs: Cutoffs
) -> OfferedWheels:
    """Return the wheels of the torch family that may fit one of the targets, by filename, metadata and cutoff.

    Args:
        listing: of one channel and backend.
        targets: Python, platform and backend.
        catalog: projects of the torch family and release dates.
        cutoffs: newest upload times admitted.
    """
    may_fit = _filename_filter(targets)
    projects = []
    for project in catalog.projects():
        if project.origin != "slice" and project.slice_torch is None and listing.channel == "stable":
            continue
        releases = []
        for release in listing.releases(project.name):
            # Without recorded requirements uv would request them from PyTorch's server.
            wheels = release.wheels(may_fit, yanked=True) if release.metadata else ()
            cutoff_utc = cutoffs.of(project.name)
            if found := [wheel for wheel in wheels if _is_in_time(wheel, listing, catalog, cutoff_utc)]:
                releases.append((release, found))
        projects.append((project, releases))
    return OfferedWheels(listing=listing, projects=projects)


def select_candidates(
    offered: OfferedWheels,
    target: Target,
    catalog: Catalog,
    pins: Collection[tuple[str, Version]] = (),
) -> CandidateSet:
    """Select the wheels that fit a target, by label, wheel tags and hash.

    Args:
        offered: to select from.
        target: Python, platform and backend.
        catalog: pairings.
        pins: project and public version of exact pins: only they admit yanked wheels (PEP 592).
    """
    tags = frozenset(str(tag) for tag in target.tags())
    pairings = _pairings(target, catalog)
    projects: dict[str, tuple[Wheel, ...]] = {project.name: () for project, _ in offered.projects}
    metadata: list[VersionMetadata] = []
    unhashed: dict[Wheel, VersionMetadata] = {}
    conflicting: list[Decision] = []
    for project, release, known in (
        (one, *found) for one, releases in offered.projects for found in releases
    ):
        is_pinned = bool(pins) and (project.name, _public(release.version)) in pins
        wheels = [
            wheel
            for wheel in known
            if _has_tag(wheel, tags)
            and is_of_backend(wheel, target, project)
            and (wheel.yanked is None or is_pinned)
        ]
        if not wheels:
            continue
        described = _described(release, pairings.get(release.name, ()))
        hashed = tuple(wheel for wheel in wheels if wheel.sha256)
        unhashed |= {wheel: described for wheel in wheels if not wheel.sha256}
        if hashed:
            projects[project.name] += hashed
            metadata.append(described)
            conflicting += [_two_hashes(wheel) for wheel in hashed if wheel.withdrawn]
    return CandidateSet(
        slice=TorchIndexSlice(
            index=offered.listing.index, url=offered.listing.url, projects=projects, metadata=tuple(metadata)
        ),
        unhashed=unhashed,
        decisions=tuple(conflicting),
    )


def exact_pins(items: Iterable[SourcedRequirement], target: Target) -> frozenset[tuple[str, Version]]:
    """Return project and public version of the ``==`` pins that apply to a target."""
    pairs = (
        (item.name, specifier.version)
        for item in items
        if target.satisfies(item.requirement.marker)
        for specifier in item.requirement.specifier
        if specifier.operator in ("==", "===") and not specifier.version.endswith(".*")
    )
    return frozenset((name, Version(Version(text).public)) for name, text in pairs if _is_version(text))


def _is_version(text: str) -> bool:
    """Return whether a text is a version; after ``===`` it may be any."""
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def is_of_backend(wheel: Wheel, target: Target, project: FamilyProject) -> bool:
    """Return whether a wheel is a build of the target's backend.

    The label decides. Wheels without a label count only where PyTorch never labels them (macOS, aarch64, projects with
    their own version numbers), and only from the backend's own folder: CUDA pages also list old wheels of PyTorch's
    root, which are other builds. A CUDA torch without a label does not count.

    Source: PyTorch's index, 2026-11-20 (torch 2.4.0 to 2.5.1 for aarch64 in cu124 carry no label).
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


@cache
def _public(version: str) -> Version:
    """Return a version without its label; the same ones are compared for each target of a profile."""
    return Version(Version(version).public)


def _filename_filter(targets: Iterable[Target]) -> Callable[[str], bool]:
    """Return the test of a filename for one of the targets; most do not fit, and parsing all of them takes long."""
    marks, platforms = {"py3", "abi3"}, set()
    for target in targets:
        marks.add(target.python.tag)
        platforms.add((target.platform.machine, _SYSTEMS[target.platform.os]))
        if target.platform.os == "macos":
            platforms.add(("universal2", "macosx"))

    def may_fit(filename: str) -> bool:
        return any(mark in filename for mark in marks) and (
            filename.endswith("-any.whl")
            or any(machine in filename and system in filename for machine, system in platforms)
        )

    return may_fit


def _has_tag(wheel: Wheel, tags: frozenset[str]) -> bool:
    return not tags.isdisjoint(_expanded(wheel.platform_tags))


@cache
def _expanded(tags: str) -> frozenset[str]:
    parts = (part.split(".") for part in tags.split("-"))
    return frozenset("-".join(tag) for tag in product(*parts))


def _is_in_time(wheel: Wheel, listing: IndexListing, catalog: Catalog, cutoff_utc: str) -> bool:
    """Compare the cutoff with the upload time, else with the version's date, else with the date of the listing.

    Tritons that a torch pins exactly always pass: the torch is compared instead. PyTorch re-uploads them at times,
    which moves their upload time by months.

    Source: METADATA of torch: ``triton==…`` up to 2.13, a range from 2.14 (triton 3.8) on, 2026-11-20.
    """
    if "triton" in wheel.name and wheel.version.release < (3, 8):
        return True
    if wheel.upload_time:
        return wheel.upload_time <= cutoff_utc
    date = (
        _nightly_date(wheel.version)
        or catalog.release_date(wheel.name, _public(str(wheel.version)))
        or listing.retrieved
    )
    return date <= cutoff_utc[:10]


def _nightly_date(version: Version) -> str | None:
    """Return the date in a nightly's version: ``2.8.0.dev20250606``."""
    digits = str(version.dev or "")
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}" if len(digits) == 8 else None


def _pairings(target: Target, catalog: Catalog) -> Mapping[str, Sequence[tuple[SpecifierSet, str]]]:
    """Return project → the pairings within the torch family for a target: versions and the requirement they imply.

    Pairings with other projects become constraints of a later round: as requirements they would add projects.
    """
    family = {project.name for project in catalog.projects()}
    found: dict[str, list[tuple[SpecifierSet, str]]] = {}
    for pairing in catalog.pairings():
        for needed in pairing.needs:
            if needed.name in family and pairing.holds_for(target.backend, target.platform):
                found.setdefault(pairing.when.name, []).append((pairing.when.specifier, str(needed)))
    return found


def _described(release: Release, pairings: Sequence[tuple[SpecifierSet, str]]) -> VersionMetadata:
    """Return the requirements of a version, with those that its metadata does not declare."""
    found = release.metadata
    if found is None:
        raise ValueError("releases without metadata are skipped by the caller")
    undeclared = [needed for when, needed in pairings if when.contains(release.version, prereleases=True)]
    return VersionMetadata(
        name=release.name,
        version=release.version,
        requires_dist=(*found.requires_dist, *undeclared),
        requires_python=found.requires_python,
    )


def _two_hashes(wheel: Wheel) -> Decision:
    return Decision(
        subject=wheel.filename,
        kind="noted",
        code=TWO_HASHES,
        message=f"{wheel.filename} has two hashes on record; using {(wheel.sha256 or '')[:12]}…",
        evidence=tuple(f"withdrawn: sha256 {other}" for other in wheel.withdrawn),
    )


def narrow(plans: Sequence[ResolutionPlan]) -> tuple[ResolutionPlan, ...]:
    """Narrow the slices to the versions that all targets have and admit, of each project where there are such.

    Targets without any wheel of a project do not count for it: some have no Triton. A project is left as it is where a
    target keeps another version.
    """
    common: dict[str, frozenset[str]] = {}
    for name in {name for plan in plans for name in plan.slice.projects}:
        known = [(plan, found) for plan in plans if (found := _admitted(plan, name))]
        shared = frozenset.intersection(*(found for _, found in known)) if known else frozenset()
        kept = {Version(plan.preferences[name]).public for plan, _ in known if name in plan.preferences}
        is_kept_apart = any(kept & found - shared for _, found in known)
        common[name] = frozenset() if is_kept_apart else shared
    return tuple(replace(plan, slice=_narrowed(plan.slice, common)) for plan in plans)


def _admitted(plan: ResolutionPlan, project: str) -> frozenset[str]:
    if project in plan.pypi_builds:
        return frozenset({Version(plan.pypi_builds[project]).public})
    limits = [item.requirement.specifier for item in plan.constraints_on(project)]
    versions = {wheel.version for wheel in plan.slice.projects.get(project, ())}
    return frozenset(
        version.public
        for version in versions
        if all(limit.contains(version, prereleases=True) for limit in limits)
    )


def _narrowed(slice_: TorchIndexSlice, common: Mapping[str, frozenset[str]]) -> TorchIndexSlice:
    projects = {
        name: tuple(wheel for wheel in wheels if not common[name] or wheel.version.public in common[name])
        for name, wheels in slice_.projects.items()
    }
    return replace(slice_, projects=projects)


def notice(found: Iterable[tuple[ResolutionPlan, ResolutionPlan, str]]) -> tuple[Decision, ...]:
    """Return the decision on the versions of torch across the targets of a profile.

    Args:
        found: of each target the plan, the plan of `narrow`, and the version of torch; empty without torch.
    """
    targets: dict[Version, list[str]] = {}
    newer: dict[Version, list[str]] = {}
    for plan, narrowed, torch in found:
        if torch:
            targets.setdefault(Version(Version(torch).public), []).append(plan.target.slug)
            newest = max(plan.torch_versions(), default=Version("0"))
            if newest > max(narrowed.torch_versions(), default=newest):
                newer.setdefault(Version(newest.public), []).append(plan.target.slug)
    if len(targets) > 1:
        text = f"torch differs by target: {_listed(targets)}"
        return (Decision(subject="torch", kind="noted", code=DIFFERENT, message=text),)
    if newer:
        text = f"torch {next(iter(targets))} for all targets; some have a newer one: {_listed(newer)}"
        hint = 'versions = "newest" in the profile locks the newest for each target'
        return (Decision(subject="torch", kind="capped", code=HELD, message=text, evidence=(hint,)),)
    return ()


def _listed(targets: Mapping[Version, Sequence[str]]) -> str:
    return ", ".join(f"{version} ({' '.join(targets[version])})" for version in sorted(targets, reverse=True))
