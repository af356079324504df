"""Joint resolution: the plans of several targets put together, each difference behind a marker."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from packaging.markers import Marker
from packaging.requirements import Requirement

from envsmith.config.package_source import without_url
from envsmith.config.requirement import SourcedRequirement
from envsmith.model.listing import VersionMetadata
from envsmith.model.target import Target
from envsmith.model.wheel import Wheel
from envsmith.plan.model import ResolutionPlan, TorchIndexSlice

_MARKED = ("sys_platform", "platform_machine", "python_version")


@dataclass(frozen=True, slots=True, kw_only=True)
class JointPlan:
    """Plans that one resolution answers. They differ in target, wheels, requirements and constraints only."""

    plans: tuple[ResolutionPlan, ...]
    slice: TorchIndexSlice
    """All wheels of their slices."""
    requirements: tuple[str, ...]
    constraints: tuple[str, ...]

    @classmethod
    def of(cls, plans: Sequence[ResolutionPlan]) -> JointPlan:
        """Put plans of one group together."""
        return cls(
            plans=tuple(plans),
            slice=_slice(plans),
            requirements=_joined(plans, ResolutionPlan.all_requirements),
            constraints=_joined(plans, ResolutionPlan.all_constraints),
        )

    @property
    def markers(self) -> tuple[str, ...]:
        """One marker per target."""
        return tuple(target_marker(plan.target) for plan in self.plans)

    def preferences(self) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        """Yield project, version to keep, and the markers of its targets: none for all that have the project."""
        versions: dict[str, dict[str, list[str]]] = {}
        for plan in self.plans:
            for name, version in plan.preferences.items():
                versions.setdefault(name, {}).setdefault(version, []).append(target_marker(plan.target))
        for name, found in sorted(versions.items()):
            for version, markers in sorted(found.items()):
                yield name, version, tuple(markers) if len(found) > 1 else ()


def target_marker(target: Target) -> str:
    """Return the marker that holds on a target and not on the others of its group."""
    environment: Mapping[str, object] = dict(target.marker_environment())
    return " and ".join(f"{name} == '{environment[name]}'" for name in _MARKED)


def groups(plans: Iterable[ResolutionPlan]) -> tuple[tuple[ResolutionPlan, ...], ...]:
    """Group the plans that one resolution can answer, in the order of their first plans.

    Apart are targets with equal markers, such as two floors of glibc, and slices with different files of one name.
    Alone are plans for the newest versions, for a joint resolution prefers on one target the versions of another, and
    plans that allow source distributions: a version may be a wheel on one target and source on another.
    """
    found: dict[tuple[object, ...], list[_Group]] = {}
    ordered: list[_Group] = []
    for plan in plans:
        alike = found.setdefault(_kind(plan), [])
        group = next((group for group in alike if group.admits(plan)), None)
        if group is None:
            group = _Group()
            alike.append(group)
            ordered.append(group)
        group.add(plan)
    return tuple(tuple(group.plans) for group in ordered)


class _Group:
    def __init__(self) -> None:
        self.plans: list[ResolutionPlan] = []
        self._markers: set[str] = set()
        self._urls: dict[str, str] = {}

    def admits(self, plan: ResolutionPlan) -> bool:
        if target_marker(plan.target) in self._markers:
            return False
        return all(self._urls.get(wheel.filename, wheel.url) == wheel.url for wheel in _wheels(plan))

    def add(self, plan: ResolutionPlan) -> None:
        self.plans.append(plan)
        self._markers.add(target_marker(plan.target))
        self._urls |= {wheel.filename: wheel.url for wheel in _wheels(plan)}


def _wheels(plan: ResolutionPlan) -> Iterator[Wheel]:
    return (wheel for wheels in plan.slice.projects.values() for wheel in wheels)


def _kind(plan: ResolutionPlan) -> tuple[object, ...]:
    """Return the parts of a plan in which the plans of a group are equal."""
    return (
        plan.channel,
        plan.slice.url,
        tuple(sorted(plan.slice.projects)),
        tuple(sorted(plan.all_excludes())),
        tuple(sorted(str(item.requirement) for item in plan.overrides)),
        plan.has_cutoff,
        plan.cutoff_utc,
        tuple(sorted(plan.moved.items())),
        plan.indexes,
        plan.provided,
        plan.target.slug if plan.versions == "newest" or plan.allow_sdist else "",
    )


def _slice(plans: Sequence[ResolutionPlan]) -> TorchIndexSlice:
    projects: dict[str, dict[str, Wheel]] = {name: {} for name in plans[0].slice.projects}
    for plan in plans:
        for name, wheels in plan.slice.projects.items():
            projects[name] |= {wheel.filename: wheel for wheel in wheels}
    used = {(wheel.name, str(wheel.version)) for wheels in projects.values() for wheel in wheels.values()}
    return replace(
        plans[0].slice,
        projects={name: tuple(found.values()) for name, found in projects.items()},
        metadata=tuple(item for item in _metadata(plans) if (item.name, item.version) in used),
    )


def _metadata(plans: Sequence[ResolutionPlan]) -> Iterator[VersionMetadata]:
    """Yield each version once; a requirement that only some of its targets have gets their markers."""
    versions: dict[tuple[str, str], dict[str, VersionMetadata]] = {}
    for plan in plans:
        for item in plan.slice.metadata:
            versions.setdefault((item.name, item.version), {})[target_marker(plan.target)] = item
    for found in versions.values():
        first = next(iter(found.values()))
        texts = {marker: item.requires_dist for marker, item in found.items()}
        yield replace(first, requires_dist=tuple(_with_markers(texts)))


def _joined(
    plans: Sequence[ResolutionPlan], items: Callable[[ResolutionPlan], tuple[SourcedRequirement, ...]]
) -> tuple[str, ...]:
    # All of a plan's requirements hold on its target, whatever their markers say of others.
    texts = {
        target_marker(plan.target): [str(_without_marker(item.requirement)) for item in items(plan)]
        for plan in plans
    }
    return tuple(sorted(_with_markers(texts)))


def _without_marker(requirement: Requirement) -> Requirement:
    copy = without_url(requirement)
    copy.marker = None
    return copy


def _with_markers(texts: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """Yield requirements, those of some markers only with these markers.

    Args:
        texts: marker → requirements.
    """
    found: dict[str, list[str]] = {}
    for marker, items in texts.items():
        for text in dict.fromkeys(items):
            found.setdefault(text, []).append(marker)
    for text, markers in found.items():
        if len(markers) == len(texts):
            yield text
            continue
        requirement = Requirement(text)
        own = f" and ({requirement.marker})" if requirement.marker else ""
        requirement.marker = Marker(f"({' or '.join(f'({marker})' for marker in markers)}){own}")
        yield str(requirement)
