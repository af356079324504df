"""Profile, requirements and slice → Plan; refuses what no wheel can answer, before the resolver is started."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from packaging.requirements import Requirement
from packaging.specifiers import Specifier, SpecifierSet
from packaging.version import Version

from envsmith.catalog import Catalog, TorchRelease
from envsmith.config.profile import Profile
from envsmith.config.requirement import SourcedRequirement, labels
from envsmith.errors import ProfileError, ResolveError
from envsmith.model.finding import Decision
from envsmith.model.target import Target
from envsmith.model.wheel import Wheel
from envsmith.plan.model import ResolutionPlan, TorchIndexSlice, digest_of

RULE = "envsmith"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """All that is asked for one target."""

    profile: Profile
    target: Target
    channel: str
    cutoff_utc: str
    moved: Mapping[str, str] = field(default_factory=dict)
    requirements: tuple[SourcedRequirement, ...] = ()
    constraints: tuple[SourcedRequirement, ...] = ()
    decisions: tuple[Decision, ...] = ()


def plan(order: PlanRequest, slice_: TorchIndexSlice, catalog: Catalog) -> ResolutionPlan:
    """Put what is wanted and what exists together.

    Raises:
        ProfileError: PRF041 when a label contradicts the backend.
        ResolveError: RES021 when no wheel answers a requirement on the torch family, RES022 when PyPI has no
            build of this backend.
    """
    applying = [item for item in order.requirements if order.target.satisfies(item.requirement.marker)]
    limiting = [item for item in order.constraints if order.target.satisfies(item.requirement.marker)]
    _check_labels([*applying, *limiting], order.target)
    family = frozenset(project.name for project in catalog.projects() if project.origin == "slice")
    requirements = [_without_label(item, family) for item in applying]
    excludes, dropped = _dropped(order.profile, requirements)
    requirements = [item for item in requirements if item.name not in excludes]
    slice_ = _from_index(slice_, requirements, order, catalog)
    pypi, from_pypi = _from_pypi(slice_, requirements, order, catalog)
    slice_ = slice_.without(pypi)
    for item in requirements:
        if item.name in slice_.projects and item.name not in pypi:
            _require_wheel(item, slice_, order.target)
    return ResolutionPlan(
        profile=order.profile.name,
        target=order.target,
        channel=order.channel,
        slice=slice_,
        requirements=tuple(requirements),
        constraints=(
            *(_without_label(item, family) for item in limiting),
            *(
                SourcedRequirement(requirement=Requirement(f"{name}=={version}"), origin=RULE)
                for name, version in pypi.items()
            ),
        ),
        overrides=order.profile.asked("overrides"),
        excludes=tuple(sorted(excludes)),
        cutoff_utc=order.cutoff_utc,
        moved=order.moved,
        allow_sdist=order.profile.allow_sdist,
        env=order.profile.env,
        pypi_builds=pypi,
        shims=_shims(order.profile, catalog),
        facts=_facts(catalog),
        decisions=(*order.decisions, *dropped, *from_pypi),
    )


def _shims(profile: Profile, catalog: Catalog) -> tuple[str, ...]:
    """Return the shims of a profile that undo bonds: other shims change nothing that is locked."""
    undoing = {pairing.shim for pairing in catalog.pairings()}
    return tuple(name for name in profile.texts("shims") if name in undoing)


def _facts(catalog: Catalog) -> str:
    """Return the digest of the facts that can amend a plan later: a change of them makes a lock stale."""
    pairings = [[str(item.when), *map(str, item.needs)] for item in catalog.pairings()]
    return digest_of([pairings, [item.digest_parts() for item in catalog.families()]])


def _check_labels(asked: Iterable[SourcedRequirement], target: Target) -> None:
    for name, (label, origin) in labels(asked).items():
        if name in ("torch", "torchvision", "torchaudio", "torchcodec") and label != target.backend.label:
            raise ProfileError(
                "PRF041",
                f"{name} is asked for as +{label}, but the backend is {target.backend}",
                where=origin,
                hint=f"drop the label, or lock with --backend {label}",
            )


def _without_label(item: SourcedRequirement, family: frozenset[str]) -> SourcedRequirement:
    """Take the label off a pin: the slice holds no other build, and macOS wheels carry none."""
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
    asked = {item.name: item.origin for item in requirements}
    return names, [
        Decision(
            subject=name,
            kind="dropped",
            code="RES101",
            message=f'{name} dropped: the profile says family.{name} = "drop"',
            evidence=(f"asked for at {asked[name]}",) if name in asked else (),
        )
        for name in sorted(names)
    ]


def _from_index(
    slice_: TorchIndexSlice, requirements: list[SourcedRequirement], order: PlanRequest, catalog: Catalog
) -> TorchIndexSlice:
    """Leave to PyPI what the catalog says PyPI serves better for the torch that may come: triton, mostly."""
    torches = _answering(requirements, "torch", slice_.projects.get("torch", ()))
    newest = max((wheel.version for wheel in torches), default=Version("0"))
    if order.channel != "stable":
        return slice_
    return slice_.without(
        project.name
        for project in catalog.projects()
        if not project.is_in_slice(newest, order.target.platform)
    )


def _from_pypi(
    slice_: TorchIndexSlice, requirements: list[SourcedRequirement], order: PlanRequest, catalog: Catalog
) -> tuple[dict[str, str], list[Decision]]:
    """Choose the torch-family projects to take from PyPI, where its own wheel is known to be this backend's build."""
    found: dict[str, str] = {}
    decisions: list[Decision] = []
    whole = order.profile.index == "pypi"
    asked = {item.name for item in requirements}
    # Whatever drags in a torch must get PyPI's, too, where the profile says so.
    implied = [
        SourcedRequirement(requirement=Requirement(name), origin=RULE)
        for name in _ON_PYPI
        if whole and name not in asked
    ]
    for item in (*requirements, *implied):
        if item.name not in slice_.projects or (not whole and _is_answered(item, requirements, slice_)):
            continue
        version = _pypi_version(item, found.get("torch") or _pinned(requirements, "torch"), order, catalog)
        if version is not None:
            found[item.name] = version
            gap = (
                ""
                if whole
                else f"; PyTorch's {slice_.index} index has none on record that goes with the rest"
            )
            decisions += [_taken_from_pypi(item.name, version, order, gap)] if item.name in asked else []
        elif whole and item.name in asked:
            raise _no_pypi_build(item, order, catalog)
    return found, decisions


_ON_PYPI = ("torch", "torchvision", "torchaudio")


def _taken_from_pypi(name: str, version: str, order: PlanRequest, gap: str) -> Decision:
    return Decision(
        subject=name,
        kind="substituted",
        code="RES102",
        message=f"{name} {version} from PyPI: its wheel for {order.target.platform} is the "
        f"{order.target.backend} build{gap}",
    )


def _is_answered(
    item: SourcedRequirement, requirements: list[SourcedRequirement], slice_: TorchIndexSlice
) -> bool:
    """Say whether the slice answers a requirement, with a version that goes with the torch pinned beside it."""
    answers = _answering([item], item.name, slice_.projects[item.name])
    if item.name == "torch" or not _pinned(requirements, "torch"):
        return bool(answers)
    torches = _answering(requirements, "torch", slice_.projects.get("torch", ()))
    needs = {(found.name, found.version): found.requires_dist for found in slice_.metadata}
    for wheel in answers:
        wanted = [Requirement(text) for text in needs.get((wheel.name, str(wheel.version)), ())]
        on_torch = [requirement.specifier for requirement in wanted if requirement.name == "torch"]
        if any(all(specifier.contains(torch.version) for specifier in on_torch) for torch in torches):
            return True
    return False


def _pypi_version(item: SourcedRequirement, torch: str, order: PlanRequest, catalog: Catalog) -> str | None:
    """Return the newest version on PyPI that is this backend's build, answers the requirement and fits torch.

    Raises:
        NoBuildError: RES021 where there is one, but not for this Python.
    """
    found = list(_pypi_versions(item, torch, order, catalog))
    for version, release in found:
        if release.requires_python.contains(str(order.target.python)):
            return str(version)
    if found and order.profile.index == "pypi":
        version, release = found[0]
        text = (
            f"{item.name} {version} is the {order.target.backend} build, for Python {release.requires_python}"
        )
        raise NoBuildError(
            item, order.target, ("on PyPI", text), hint=f"drop {order.target.python} from `python`"
        )
    return None


def _pypi_versions(
    item: SourcedRequirement, torch: str, order: PlanRequest, catalog: Catalog
) -> Iterator[tuple[Version, TorchRelease]]:
    for release in sorted(catalog.releases(), key=lambda release: release.torch, reverse=True):
        if release.date > order.cutoff_utc[:10] or (torch and str(release.torch) != torch):
            continue
        for version in release.versions(item.name):
            build = catalog.pypi_build(item.name, version, order.target.platform)
            if build == order.target.backend and item.requirement.specifier.contains(version):
                yield version, release


def _pinned(requirements: list[SourcedRequirement], name: str) -> str:
    for item in requirements:
        for specifier in item.requirement.specifier:
            if item.name == name and specifier.operator == "==" and "*" not in specifier.version:
                return specifier.version
    return ""


def _no_pypi_build(item: SourcedRequirement, order: PlanRequest, catalog: Catalog) -> ResolveError:
    builds = [
        (
            str(release.torch),
            f"{version} is {catalog.pypi_build(item.name, version, order.target.platform) or 'unknown'}",
        )
        for release in catalog.releases()
        for version in release.versions(item.name)
    ]
    return ResolveError(
        "RES022",
        f"PyPI's {item.name} is no {order.target.backend} build on {order.target.platform}",
        where=item.origin,
        details=tuple((f"with torch {torch}", text) for torch, text in builds[-3:]),
        hint=f'take {item.name} out, or use index = "pytorch"',
    )


def _answering(requirements: Iterable[SourcedRequirement], name: str, wheels: Iterable[Wheel]) -> list[Wheel]:
    """Return the wheels that every requirement on a project admits."""
    specifiers = [item.requirement.specifier for item in requirements if item.name == name]
    return [
        wheel
        for wheel in wheels
        if all(specifier.contains(wheel.version, prereleases=True) for specifier in specifiers)
    ]


class NoBuildError(ResolveError):
    """RES021: no wheel of the torch family answers a requirement on this target."""

    def __init__(
        self, item: SourcedRequirement, target: Target, *details: tuple[str, str], hint: str = ""
    ) -> None:
        super().__init__(
            "RES021",
            f"no {item.requirement} for {target.python.tag} on {target.platform} with {target.backend}",
            where=item.origin,
            details=details,
            hint=hint or "ask for another version, backend, Python or platform: `envsmith catalog show`",
        )
        self.requirement = item.requirement
        self.is_late = False
        """Whether wheels newer than the cutoff would answer."""


def _require_wheel(item: SourcedRequirement, slice_: TorchIndexSlice, target: Target) -> None:
    if not _answering([item], item.name, slice_.projects[item.name]):
        here = sorted({wheel.version for wheel in slice_.projects[item.name]})[-6:]
        offered = " ".join(version.public for version in here)
        raise NoBuildError(item, target, *([("here", f"{item.name} {offered}")] if here else ()))
