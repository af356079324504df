"""Plan of one target: requirements and index slice, checked for builds before the resolver starts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from packaging.requirements import Requirement
from packaging.specifiers import Specifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from envsmith.catalog import Catalog, TorchRelease
from envsmith.config.profile import Profile
from envsmith.config.requirement import FROM_ENVSMITH, SourcedRequirement, labels
from envsmith.errors import ProfileError, ResolveError
from envsmith.lockfile.provided import ProvidedPackage, by_name
from envsmith.model.finding import Decision
from envsmith.model.target import Target
from envsmith.model.wheel import Wheel
from envsmith.plan.model import Cutoffs, LockRequest, ResolutionPlan, TorchIndexSlice

DROPPED = "RES101"
"""Code of the decision to drop a project by the profile."""
LABELLED = ("torch", "torchvision", "torchaudio", "torchcodec")
"""Projects whose local version label names their backend."""
ON_PYPI = ("torch", "torchvision", "torchaudio")
"""Projects taken from PyPI when the profile says ``index = "pypi"``."""


class NoBuildError(ResolveError):
    """RES021: no wheel of the torch family satisfies a requirement on this target."""

    def __init__(
        self, item: SourcedRequirement, target: Target, *details: tuple[str, str], hint: str = ""
    ) -> None:
        super().__init__(
            "RES021",
            f"no {item.requirement} for {target.python.tag} on {target.platform} with {target.backend}",
            where=item.origin,
            details=details,
            hint=hint or "choose another version, backend, Python or platform: `envsmith catalog show`",
        )
        self.requirement = item.requirement
        self.target = target
        self.late_hint = ""
        """The way to wheels that are newer than the cutoff, if they would satisfy it."""


def plan_target(
    request: LockRequest,
    target: Target,
    cutoffs: Cutoffs,
    slice_: TorchIndexSlice,
    catalog: Catalog,
) -> ResolutionPlan:
    """Combine the requirements for a target with the wheels that exist for it.

    Args:
        request: with the profile's channel and backend at the cutoff.
        target: one of the profile's targets.
        cutoffs: newest upload times admitted.
        slice_: candidates of the torch family.
        catalog: facts.

    Raises:
        ProfileError: PRF041 when a label contradicts the backend.
        NoBuildError: RES021 when no wheel satisfies a requirement on the torch family.
        ResolveError: RES022 when PyPI has no build of this backend.
    """
    profile = request.profile
    applying = [item for item in request.requirements if target.satisfies(item.requirement.marker)]
    limiting = [item for item in request.constraints if target.satisfies(item.requirement.marker)]
    _check_labels([*applying, *limiting], target)
    family = frozenset(project.name for project in catalog.projects() if project.origin == "slice")
    requirements = [_without_label(item, family) for item in applying]
    limiting = [_without_label(item, family) for item in limiting]
    excludes, dropped = _dropped(profile, requirements)
    requirements = [item for item in requirements if item.name not in excludes]
    if profile.channel == "stable":
        kept = request.kept_versions(target).get("torch")
        slice_ = _without_pypi_projects(slice_, requirements, target, catalog, kept)
    pypi, from_pypi = _from_pypi(slice_, requirements, request, target, cutoffs, catalog)
    slice_ = slice_.without(pypi)
    required = {item.name for item in requirements} & slice_.projects.keys() - pypi.keys()
    _require_wheels((item for item in (*requirements, *limiting) if item.name in required), slice_, target)
    return ResolutionPlan(
        profile=profile.name,
        target=target,
        channel=profile.channel,
        slice=slice_,
        requirements=tuple(requirements),
        constraints=(*limiting, *map(_required, (f"{name}=={version}" for name, version in pypi.items()))),
        overrides=request.overrides,
        excludes=tuple(sorted({*excludes, *request.excludes})),
        cutoff_utc=cutoffs.cutoff_utc,
        has_cutoff=cutoffs.is_asked,
        moved=cutoffs.moved,
        index=profile.index,
        allow_sdist=profile.allow_sdist,
        allow_build=profile.allow_build,
        builds=tuple(profile.build.values()),
        described=profile.dependency_metadata,
        architectures=_architectures(profile, target, catalog),
        env=profile.env,
        pypi_builds=pypi,
        indexes=request.indexes,
        provided=_needed(request.provided, requirements),
        shims=_shims(profile, catalog),
        versions=profile.versions,
        decisions=(*request.decisions, *dropped, *from_pypi),
    )


def _architectures(profile: Profile, target: Target, catalog: Catalog) -> tuple[str, ...]:
    """Return the CUDA compute capabilities of the profile's GPUs, sorted; none for another backend."""
    found = {catalog.gpu(declared).capability for declared in profile.gpu if target.backend.family == "cuda"}
    pairs = sorted(item for item in found if isinstance(item, tuple))
    return tuple(f"{major}.{minor}" for major, minor in pairs)


def _needed(
    provided: Sequence[ProvidedPackage], requirements: Iterable[SourcedRequirement]
) -> tuple[ProvidedPackage, ...]:
    """Return the packages that requirements of a target name by places, those that these require, and the given ones.

    A package of the same name is from an index where its source has a marker that does not hold.
    """
    known = by_name(provided)
    pending = [item.name for item in requirements if item.requirement.url]
    needed = {item.name for item in provided if not item.source}
    while pending:
        name = pending.pop()
        if name in known and name not in needed:
            needed.add(name)
            pending += [str(canonicalize_name(Requirement(text).name)) for text in known[name].requires_dist]
    return tuple(item for item in provided if item.name in needed)


def _required(text: str) -> SourcedRequirement:
    return SourcedRequirement(requirement=Requirement(text), origin=FROM_ENVSMITH)


def _shims(profile: Profile, catalog: Catalog) -> tuple[str, ...]:
    """Return the shims of a profile that make a pairing unnecessary; no other shim affects a lock."""
    known = {pairing.shim for pairing in catalog.pairings()}
    return tuple(name for name in profile.texts("shims") if name in known)


def _check_labels(items: Iterable[SourcedRequirement], target: Target) -> None:
    for name, (label, origin) in labels(items).items():
        if name in LABELLED and label != target.backend.label:
            raise ProfileError(
                "PRF041",
                f"{name} is pinned to a +{label} build, but the backend is {target.backend}",
                where=origin,
                hint=f"drop the label, or lock with --backend {label}",
            )


def _without_label(item: SourcedRequirement, family: frozenset[str]) -> SourcedRequirement:
    """Remove the label from a pin: the slice has no other build, and macOS wheels carry none."""
    if item.name not in family or "+" not in str(item.requirement.specifier):
        return item
    requirement = Requirement(str(item.requirement))
    requirement.specifier = SpecifierSet(
        ",".join(_public(specifier) for specifier in item.requirement.specifier)
    )
    return replace(item, requirement=requirement)


def _public(specifier: Specifier) -> str:
    return f"{specifier.operator}{specifier.version.split('+')[0]}"


def _dropped(
    profile: Profile, requirements: Iterable[SourcedRequirement]
) -> tuple[frozenset[str], list[Decision]]:
    names = frozenset(name for name, policy in profile.family.items() if policy == "drop")
    origins = {item.name: item.origin for item in requirements}
    return names, [
        Decision(
            subject=name,
            kind="dropped",
            code=DROPPED,
            message=f'{name} dropped: the profile sets family.{name} = "drop"',
            evidence=(f"required at {origins[name]}",) if name in origins else (),
        )
        for name in sorted(names)
    ]


def _without_pypi_projects(
    slice_: TorchIndexSlice,
    requirements: Sequence[SourcedRequirement],
    target: Target,
    catalog: Catalog,
    kept: Version | None,
) -> TorchIndexSlice:
    """Leave to PyPI the projects the catalog assigns to it for the kept or newest admitted torch: triton, mostly."""
    torches = {wheel.version for wheel in _matching(requirements, "torch", slice_.projects.get("torch", ()))}
    newest = kept if kept in torches else max(torches, default=Version("0"))
    return slice_.without(
        project.name for project in catalog.projects() if not project.is_in_slice(newest, target.platform)
    )


def _from_pypi(
    slice_: TorchIndexSlice,
    requirements: Sequence[SourcedRequirement],
    request: LockRequest,
    target: Target,
    cutoffs: Cutoffs,
    catalog: Catalog,
) -> tuple[dict[str, str], list[Decision]]:
    """Choose the torch-family projects whose wheel on PyPI is this backend's build, as project → version."""
    found: dict[str, str] = {}
    decisions: list[Decision] = []
    is_pypi = request.profile.index == "pypi"
    names = {item.name for item in requirements}
    # With `index = "pypi"` a torch required by another package comes from PyPI, too.
    implied = [_required(name) for name in ON_PYPI if is_pypi and name not in names]
    for item in (*requirements, *implied):
        if item.name not in slice_.projects or (not is_pypi and _is_satisfied(item, requirements, slice_)):
            continue
        torch = found.get("torch") or _pinned(requirements, "torch")
        version = _pypi_version(item, torch, request, target, cutoffs, catalog)
        if version is not None:
            found[item.name] = version
            if item.name in names:
                gap = "" if is_pypi else f"; PyTorch's {slice_.index} index has no matching build"
                build = catalog.pypi_build(item.name, Version(version), target.platform)
                decisions.append(_taken_from_pypi(item.name, version, f"the {build} build{gap}", target))
        elif is_pypi and item.name in names:
            raise _no_pypi_build(item, target, catalog)
    return found, decisions


def _taken_from_pypi(name: str, version: str, what: str, target: Target) -> Decision:
    return Decision(
        subject=name,
        kind="substituted",
        code="RES102",
        message=f"{name} {version} from PyPI: its wheel for {target.platform} is {what}",
    )


def _is_satisfied(
    item: SourcedRequirement, requirements: Sequence[SourcedRequirement], slice_: TorchIndexSlice
) -> bool:
    """Return whether the slice satisfies a requirement, with a version that admits the pinned torch."""
    wheels = _matching([item], item.name, slice_.projects[item.name])
    if item.name == "torch" or not _pinned(requirements, "torch"):
        return bool(wheels)
    torches = _matching(requirements, "torch", slice_.projects.get("torch", ()))
    needs = {(found.name, found.version): found.requires_dist for found in slice_.metadata}
    for wheel in wheels:
        parsed = [Requirement(text) for text in needs.get((wheel.name, str(wheel.version)), ())]
        on_torch = [requirement.specifier for requirement in parsed if requirement.name == "torch"]
        if any(all(specifier.contains(torch.version) for specifier in on_torch) for torch in torches):
            return True
    return False


def _pypi_version(
    item: SourcedRequirement,
    torch: str,
    request: LockRequest,
    target: Target,
    cutoffs: Cutoffs,
    catalog: Catalog,
) -> str | None:
    """Return the kept or newest version on PyPI that is this backend's build, and satisfies requirement and torch.

    Raises:
        NoBuildError: RES021 when such versions exist, but not for this Python.
    """
    kept = request.kept_versions(target).get(item.name)
    found = list(_pypi_versions(item, torch, target, cutoffs, catalog))
    for version, release in sorted(found, key=lambda pair: pair[0] != kept):
        if release.requires_python.contains(target.python.version):
            return str(version)
    if found and request.profile.index == "pypi":
        version, release = found[0]
        text = f"{item.name} {version} is the {target.backend} build, for Python {release.requires_python}"
        raise NoBuildError(item, target, ("on PyPI", text), hint=f"drop {target.python} from `python`")
    return None


def _pypi_versions(
    item: SourcedRequirement, torch: str, target: Target, cutoffs: Cutoffs, catalog: Catalog
) -> Iterator[tuple[Version, TorchRelease]]:
    project = next(known for known in catalog.projects() if known.name == item.name)
    served = {str(target.backend), "cpu"} if project.cpu_serves_all else {str(target.backend)}
    for release in sorted(catalog.releases(), key=lambda release: release.torch, reverse=True):
        if release.date > cutoffs.of(item.name)[:10] or (torch and str(release.torch) != torch):
            continue
        fitting = (
            version
            for version in reversed(project.pypi)
            if release.torchcodec and version in release.torchcodec
        )
        for version in release.versions(item.name) or fitting:
            build = catalog.pypi_build(item.name, version, target.platform)
            if str(build) in served and item.requirement.specifier.contains(version):
                yield version, release


def _pinned(requirements: Iterable[SourcedRequirement], name: str) -> str:
    for item in requirements:
        for specifier in item.requirement.specifier:
            if item.name == name and specifier.operator == "==" and "*" not in specifier.version:
                return specifier.version
    return ""


def _no_pypi_build(item: SourcedRequirement, target: Target, catalog: Catalog) -> ResolveError:
    builds = [
        (
            f"with torch {release.torch}",
            f"{version} is {catalog.pypi_build(item.name, version, target.platform) or 'unknown'}",
        )
        for release in catalog.releases()
        for version in release.versions(item.name)
    ]
    return ResolveError(
        "RES022",
        f"PyPI has no {target.backend} build of {item.name} for {target.platform}",
        where=item.origin,
        details=tuple(builds[-3:]),
        hint=f'remove {item.name}, or use index = "pytorch"',
    )


def _matching(requirements: Iterable[SourcedRequirement], name: str, wheels: Iterable[Wheel]) -> list[Wheel]:
    """Return the wheels that satisfy every requirement on a project."""
    specifiers = [item.requirement.specifier for item in requirements if item.name == name]
    return [
        wheel
        for wheel in wheels
        if all(specifier.contains(wheel.version, prereleases=True) for specifier in specifiers)
    ]


def _require_wheels(items: Iterable[SourcedRequirement], slice_: TorchIndexSlice, target: Target) -> None:
    for item in items:
        _require_wheel(item, slice_, target)


def _require_wheel(item: SourcedRequirement, slice_: TorchIndexSlice, target: Target) -> None:
    wheels = slice_.projects[item.name]
    if not _matching([item], item.name, wheels):
        newest = " ".join(version.public for version in sorted({wheel.version for wheel in wheels})[-6:])
        raise NoBuildError(item, target, *([("here", f"{item.name} {newest}")] if newest else ()))
