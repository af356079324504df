"""Conflict groups: projects with a common folder, one of them per lock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from envsmith.catalog import Catalog, ConflictGroup
from envsmith.config.profile import FAMILY_MEMBERS, Profile
from envsmith.config.requirement import SourcedRequirement
from envsmith.errors import ProfileError
from envsmith.model.finding import Decision, UnmetRequirement
from envsmith.model.naming import suggestion
from envsmith.plan.model import Amendment, Resolution, ResolutionPlan
from envsmith.plan.ports import WheelRequiresReader
from envsmith.plan.unmet_requirements import requires_of, unmet_requirements

SUBSTITUTED, SKIPPED = "RES111", "RES116"
"""Codes of decisions: a member replaced by another, a preferred member not used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _GroupChoice:
    member: NormalizedName
    why: str


def chosen_members(profile: Profile, catalog: Catalog) -> dict[str, str]:
    """Return folder → member from the profile's ``family`` table.

    Raises:
        ProfileError: PRF050 for an unknown group, PRF051 when the value is not a member of it, or the members cannot
            replace each other.
    """
    known = {name: group for group in catalog.families() for name in (group.folder, group.name)}
    found: dict[str, str] = {}
    for key, value in profile.family.items():
        if key in FAMILY_MEMBERS:
            continue
        where = profile.where("family", key)
        if key not in known:
            raise ProfileError(
                "PRF050",
                f"unknown conflict group `{key}`",
                where=where,
                hint=suggestion(key, [*FAMILY_MEMBERS, *known]),
            )
        group, member = known[key], canonicalize_name(value)
        if member not in group.members or not group.is_interchangeable:
            raise ProfileError(
                "PRF051",
                f"invalid member `{value}` of {key}"
                if group.is_interchangeable
                else f"`{value}` cannot be chosen for {key}: its members do not replace each other",
                where=where,
                hint=f"its members are {', '.join(group.members)}"
                if group.is_interchangeable
                else "remove it: the package that requires one of them decides",
            )
        found[group.folder] = member
    return found


def amend(
    plan: ResolutionPlan, resolution: Resolution, *, catalog: Catalog, requires: WheelRequiresReader
) -> Amendment | None:
    """Return the amendment that leaves one member of each conflict group, or None if no group has two.

    Args:
        plan: with its last amendment.
        resolution: of that plan.
        catalog: conflict groups.
        requires: reads the requirements of wheels.

    Raises:
        ToolError: when a requirer's wheel cannot be read.
    """
    found = choose_members(plan, resolution, catalog)
    if found is None:
        return None
    is_required = any(resolution.requirers.get(name) for name in found.excludes)
    read = requires_of(plan, resolution, requires) if is_required else {}
    unmet = unmet_requirements(plan.amended(found), read)
    return with_bounds(found, plan, unmet, catalog)


def choose_members(plan: ResolutionPlan, resolution: Resolution, catalog: Catalog) -> Amendment | None:
    """Return the amendment that keeps the best member of each group and excludes the others, or None."""
    names = {package.name for package in resolution.packages}
    direct = {item.name for item in plan.requirements}
    steps: list[Amendment] = []
    for group in catalog.families():
        present = [member for member in group.members if member in names]
        choice = _choose(group, present, plan, resolution) if present else None
        others = [member for member in present if choice and member != choice.member]
        if choice is None or not others:
            continue
        requirement = SourcedRequirement(
            requirement=Requirement(choice.member), origin=f"conflict group {group.name}"
        )
        steps.append(
            Amendment(
                requirements=(requirement,) if choice.member not in direct else (),
                excludes=tuple(others),
                added=(choice.member,) if choice.member not in names else (),
                decisions=tuple(_decision(group, choice, member, plan, resolution) for member in others),
            )
        )
    return _joined(steps) if steps else None


def _joined(steps: Sequence[Amendment]) -> Amendment:
    return Amendment(
        requirements=tuple(item for step in steps for item in step.requirements),
        excludes=tuple(item for step in steps for item in step.excludes),
        added=tuple(item for step in steps for item in step.added),
        decisions=tuple(item for step in steps for item in step.decisions),
    )


def _choose(
    group: ConflictGroup, present: Sequence[NormalizedName], plan: ResolutionPlan, resolution: Resolution
) -> _GroupChoice | None:
    if group.chooser:
        named = [member for member in present if group.chooser in resolution.requirers.get(member, ())]
        return _GroupChoice(member=named[0], why=f"is required by {group.chooser}") if named else None
    if not group.is_interchangeable:
        return None
    backend, platform = plan.target.backend, plan.target.platform
    failed = {item.subject for item in plan.all_decisions() if item.code == SKIPPED}
    by_profile = canonicalize_name(plan.members.get(group.folder, ""))
    if by_profile and group.has_builds(by_profile, platform):
        return _GroupChoice(member=by_profile, why="is chosen by the profile")
    for member in group.preference(backend):
        is_available = member in present or (member in group.brought and member not in failed)
        if is_available and group.has_builds(member, platform):
            return _GroupChoice(member=member, why=f"supports {backend.title}")
    return _most_required(group, present, plan, resolution)


def _most_required(
    group: ConflictGroup, present: Sequence[NormalizedName], plan: ResolutionPlan, resolution: Resolution
) -> _GroupChoice:
    """Choose the direct requirement, else the member with most requirers; a superset of it if that is present."""
    direct = {item.name for item in plan.requirements}
    candidates = [member for member in present if member in direct] or list(present)
    kept = max(candidates, key=lambda member: len(resolution.requirers.get(member, ())))
    supersets = set(group.wider.values())
    if kept in group.wider and supersets & set(present):
        return _GroupChoice(member=group.wider[kept], why=f"includes all of {kept}")
    return _GroupChoice(
        member=kept, why="is required directly" if kept in direct else "is required by most packages"
    )


def _decision(
    group: ConflictGroup,
    choice: _GroupChoice,
    replaced: str,
    plan: ResolutionPlan,
    resolution: Resolution,
) -> Decision:
    origins = sorted({item.origin for item in plan.requirements if item.name == replaced})
    requirers = [*origins, *resolution.requirers.get(replaced, ())]
    is_superset = group.wider.get(canonicalize_name(replaced)) == choice.member
    why = f"includes all of {replaced}" if is_superset else choice.why
    by = f" (required by {', '.join(requirers)})" if requirers else ""
    keep = f'to keep {replaced}, set family.{group.name} = "{replaced}" in the profile'
    return Decision(
        subject=replaced,
        kind="substituted",
        code=SUBSTITUTED,
        message=f"{replaced}{by} → {choice.member}: {group.reason}; {choice.member} {why}",
        evidence=(f"{group.source}, {group.retrieved}", *((keep,) if group.is_interchangeable else ())),
    )


def with_bounds(
    amendment: Amendment, plan: ResolutionPlan, requirers: Iterable[UnmetRequirement], catalog: Catalog
) -> Amendment:
    """Constrain the kept member by the version bounds on the excluded ones, where their versions correspond.

    A pin of the kept member by the user outranks bounds that other packages set on the excluded one.

    Args:
        amendment: of `choose_members`.
        plan: before the amendment.
        requirers: requirements of packages on the excluded members.
        catalog: conflict groups.
    """
    swaps = {
        canonicalize_name(excluded): kept
        for group in catalog.families()
        if group.has_same_versions
        for kept in _kept(group, amendment, plan)
        for excluded in amendment.excludes
        if excluded in group.members
    }
    overrides = {item.name: item for item in plan.overrides}
    direct = {item.name: item.requirement.specifier for item in plan.requirements}
    bounds: dict[str, SourcedRequirement] = {}
    for project, requirement, origin in _requirements_on(swaps, plan, requirers):
        if project in overrides and origin != overrides[project].origin:
            continue
        moved = Requirement(f"{swaps[project]}{requirement.specifier}")
        pins = [item.version for item in direct.get(swaps[project], ()) if item.operator == "=="]
        if str(requirement.specifier) and all(moved.specifier.contains(pin) for pin in pins):
            bounds.setdefault(
                str(moved), SourcedRequirement(requirement=moved, origin=f"{origin}: {requirement}")
            )
    return replace(amendment, constraints=(*amendment.constraints, *bounds.values()))


def _kept(group: ConflictGroup, amendment: Amendment, plan: ResolutionPlan) -> tuple[str, ...]:
    names = [item.name for item in (*amendment.requirements, *plan.requirements)]
    kept = [name for name in names if name in group.members and name not in amendment.excludes]
    return tuple(dict.fromkeys(kept))[:1]


def _requirements_on(
    projects: Mapping[NormalizedName, str], plan: ResolutionPlan, requirers: Iterable[UnmetRequirement]
) -> Iterator[tuple[NormalizedName, Requirement, str]]:
    """Yield project, requirement and origin of every requirement on some projects."""
    for item in (*plan.overrides, *plan.requirements, *plan.constraints):
        if (name := canonicalize_name(item.name)) in projects:
            yield name, item.requirement, item.origin
    for unmet in requirers:
        if unmet.project in projects:
            yield unmet.project, Requirement(unmet.requirement), str(unmet.requirer)


def without_last_added(plan: ResolutionPlan) -> ResolutionPlan | None:
    """Undo the last amendment that added a member, because no version of it fits the other requirements.

    Returns:
        The plan without this amendment and the later ones, or None when no amendment added a member.
    """
    for number, step in reversed(list(enumerate(plan.amendments))):
        if step.added:
            others = ", ".join(step.excludes)
            notes = tuple(
                _skipped(name, f"no version of {name} fits the other requirements; {others} stays")
                for name in step.added
            )
            return replace(plan, amendments=(*plan.amendments[:number], Amendment(decisions=notes)))
    return None


def notice(plan: ResolutionPlan, resolution: Resolution, catalog: Catalog) -> tuple[Decision, ...]:
    """Return one decision per group whose best or chosen member has no builds for the platform."""
    names = {package.name for package in resolution.packages}
    platform = plan.target.platform
    found: list[Decision] = []
    for group in catalog.families():
        preferred = [plan.members[group.folder]] if group.folder in plan.members else []
        preferred += [name for name in group.preference(plan.target.backend) if name in group.brought]
        best = canonicalize_name(preferred[0]) if preferred else None
        locked = [member for member in group.members if member in names]
        if best and locked and best not in locked and not group.has_builds(best, platform):
            found.append(_skipped(best, f"{best} has no builds for {platform}: {locked[0]} is locked"))
    return tuple(found)


def _skipped(name: str, message: str) -> Decision:
    return Decision(subject=name, kind="noted", code=SKIPPED, message=message)
