"""One member per family: distributions that own one folder overwrite each other's files.

Substitute: leave one member of each family, bound as those bind it whose requirements it serves now.
"""

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
from envsmith.plan import dropped
from envsmith.plan.dropped import requires_of
from envsmith.plan.model import Amendment, Resolution, ResolutionPlan
from envsmith.plan.ports import WheelRequiresReader

SUBSTITUTED, PASSED_OVER = "RES111", "RES116"


@dataclass(frozen=True, slots=True, kw_only=True)
class _GroupChoice:
    member: NormalizedName
    why: str


def chosen(profile: Profile, catalog: Catalog) -> dict[str, str]:
    """Return folder → member as the profile's ``family`` table chooses them.

    Raises:
        ProfileError: PRF050 where no family of that name is known, PRF051 where it has no such member, or its
            members cannot stand in for each other.
    """
    known = {name: family for family in catalog.families() for name in (family.folder, family.name)}
    found: dict[str, str] = {}
    for key, value in profile.family.items():
        if key in FAMILY_MEMBERS:
            continue
        place = profile.where("family", key)
        if key not in known:
            raise ProfileError(
                "PRF050",
                f"no family {key!r} is known",
                where=place,
                hint=suggestion(key, [*FAMILY_MEMBERS, *known]),
            )
        family, member = known[key], canonicalize_name(value)
        if member not in family.members or not family.is_interchangeable:
            raise ProfileError(
                "PRF051",
                f"{value!r} cannot be chosen for {key}: "
                + ("it is no member" if member not in family.members else "its members are not alike"),
                where=place,
                hint=f"its members are {', '.join(family.members)}"
                if family.is_interchangeable
                else "leave it out: the package that asks for one of them decides",
            )
        found[family.folder] = member
    return found


def choose_members(plan: ResolutionPlan, resolution: Resolution, catalog: Catalog) -> Amendment | None:
    """Return what leaves one member of each family, the fitting one, or None where a resolution needs nothing."""
    names = {package.name for package in resolution.packages}
    asked = {item.name for item in plan.requirements}
    steps: list[Amendment] = []
    for family in catalog.families():
        present = [member for member in family.members if member in names]
        choice = _choose(family, present, plan, resolution) if present else None
        gone = [member for member in present if choice and member != choice.member]
        if choice is None or not gone:
            continue
        new = choice.member not in asked
        requirement = SourcedRequirement(
            requirement=Requirement(choice.member), origin=f"family {family.name}"
        )
        steps.append(
            Amendment(
                requirements=(requirement,) if new else (),
                excludes=tuple(gone),
                added=(choice.member,) if choice.member not in names else (),
                decisions=tuple(_decision(family, choice, member, plan, resolution) for member in gone),
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


def bounded(
    amendment: Amendment, plan: ResolutionPlan, requirers: Iterable[UnmetRequirement], catalog: Catalog
) -> Amendment:
    """Carry the version bounds on what is replaced over to what replaces it, where versions mean the same.

    What the user pins of the kept member outranks what others ask of the one that went.

    Args:
        amendment: what `amend` returned.
        plan: as it was before.
        requirers: who requires what of the members that go.
        catalog: names the families.
    """
    swaps = {
        canonicalize_name(gone): kept
        for family in catalog.families()
        if family.has_same_versions
        for kept in _kept(family, amendment, plan)
        for gone in amendment.excludes
        if gone in family.members
    }
    ruling = {item.name: item for item in plan.overrides}
    own = {item.name: item.requirement.specifier for item in plan.requirements}
    bounds: dict[str, SourcedRequirement] = {}
    for project, requirement, origin in _asked_of(swaps, plan, requirers):
        if project in ruling and origin != ruling[project].origin:
            continue
        moved = Requirement(f"{swaps[project]}{requirement.specifier}")
        pins = [item.version for item in own.get(swaps[project], ()) if item.operator == "=="]
        if str(requirement.specifier) and all(moved.specifier.contains(pin) for pin in pins):
            bounds.setdefault(
                str(moved), SourcedRequirement(requirement=moved, origin=f"{origin}: {requirement}")
            )
    return replace(amendment, constraints=(*amendment.constraints, *bounds.values()))


def _kept(family: ConflictGroup, amendment: Amendment, plan: ResolutionPlan) -> tuple[str, ...]:
    names = [item.name for item in (*amendment.requirements, *plan.requirements)]
    kept = [name for name in names if name in family.members and name not in amendment.excludes]
    return tuple(dict.fromkeys(kept))[:1]


def _asked_of(
    swaps: Mapping[NormalizedName, str], plan: ResolutionPlan, requirers: Iterable[UnmetRequirement]
) -> Iterator[tuple[NormalizedName, Requirement, str]]:
    """Yield what is asked of the members that go: project, requirement, and who says so."""
    for item in (*plan.overrides, *plan.requirements, *plan.constraints):
        if (name := canonicalize_name(item.name)) in swaps:
            yield name, item.requirement, item.origin
    for missing in requirers:
        if missing.project in swaps:
            yield missing.project, Requirement(missing.requirement), str(missing.requirer)


def without_last_added(plan: ResolutionPlan) -> ResolutionPlan | None:
    """Take back the last member that was brought in unasked: no version of it goes with the rest.

    Returns:
        The plan without it and what followed from it, or None where none was brought in.
    """
    for number, step in reversed(list(enumerate(plan.amendments))):
        if step.added:
            gone = ", ".join(step.excludes)
            notes = tuple(
                _passed_over(name, f"no version of {name} goes with all that is asked; {gone} stays")
                for name in step.added
            )
            return replace(plan, amendments=(*plan.amendments[:number], Amendment(decisions=notes)))
    return None


def notice(plan: ResolutionPlan, resolution: Resolution, catalog: Catalog) -> tuple[Decision, ...]:
    """Say where a member is locked because the fitting or chosen one has no builds for the platform."""
    names = {package.name for package in resolution.packages}
    platform = plan.target.platform
    found: list[Decision] = []
    for family in catalog.families():
        wanted = [plan.members[family.folder]] if family.folder in plan.members else []
        wanted += [name for name in family.preference(plan.target.backend) if name in family.brought]
        best = canonicalize_name(wanted[0]) if wanted else None
        held = [member for member in family.members if member in names]
        if best and held and best not in held and not family.has_builds(best, platform):
            found.append(_passed_over(best, f"{best} has no builds for {platform}: {held[0]} is locked"))
    return tuple(found)


def _choose(
    family: ConflictGroup, present: Sequence[NormalizedName], plan: ResolutionPlan, resolution: Resolution
) -> _GroupChoice | None:
    if family.chooser:
        named = [member for member in present if family.chooser in resolution.requirers.get(member, ())]
        return _GroupChoice(member=named[0], why=f"{family.chooser} requires it") if named else None
    if not family.is_interchangeable:
        return None
    backend, platform = plan.target.backend, plan.target.platform
    failed = {item.subject for item in plan.all_decisions() if item.code == PASSED_OVER}
    by_profile = canonicalize_name(plan.members.get(family.folder, ""))
    if by_profile and family.has_builds(by_profile, platform):
        return _GroupChoice(member=by_profile, why="the profile chooses it")
    for member in family.preference(backend):
        can_come = member in present or (member in family.brought and member not in failed)
        if can_come and family.has_builds(member, platform):
            return _GroupChoice(member=member, why=f"it serves {backend.title}")
    return _elected(family, present, plan, resolution)


def _elected(
    family: ConflictGroup, present: Sequence[NormalizedName], plan: ResolutionPlan, resolution: Resolution
) -> _GroupChoice:
    """Choose what is asked for directly, else what most requirers name; one that has all of the others, if it must."""
    direct = {item.name for item in plan.requirements}
    candidates = [member for member in present if member in direct] or list(present)
    kept = max(candidates, key=lambda member: len(resolution.requirers.get(member, ())))
    why = "it is asked for directly" if kept in direct else "most packages require it"
    widest = set(family.wider.values())
    if kept in family.wider and widest & set(present):
        return _GroupChoice(member=family.wider[kept], why=f"it has all of {kept} and more")
    return _GroupChoice(member=kept, why=why)


def _decision(
    family: ConflictGroup, choice: _GroupChoice, gone: str, plan: ResolutionPlan, resolution: Resolution
) -> Decision:
    places = sorted({item.origin for item in plan.requirements if item.name == gone})
    askers = [*places, *resolution.requirers.get(gone, ())]
    has_all = family.wider.get(canonicalize_name(gone)) == choice.member
    why = f"it has all of {gone} and more" if has_all else choice.why
    way = (f'family.{family.name} = "{gone}" in the profile keeps it',) if family.is_interchangeable else ()
    return Decision(
        subject=gone,
        kind="substituted",
        code=SUBSTITUTED,
        message=f"{gone} → {choice.member}: {family.reason}; {why}"
        + (f" (asked by {', '.join(askers)})" if askers else ""),
        evidence=(f"{family.source}, {family.retrieved}", *way),
    )


def _passed_over(name: str, message: str) -> Decision:
    return Decision(subject=name, kind="noted", code=PASSED_OVER, message=message)


def amend(
    plan: ResolutionPlan, resolution: Resolution, *, catalog: Catalog, requires: WheelRequiresReader
) -> Amendment | None:
    """Return what leaves one member of each family, or None where a resolution needs nothing.

    Args:
        plan: with its last amendment.
        resolution: the last answer.
        catalog: names the families.
        requires: reads what wheels require.

    Raises:
        ToolError: when a requirer's wheel cannot be looked into: which versions serve it is then not known.
    """
    found = choose_members(plan, resolution, catalog)
    if found is None:
        return None
    asked = any(resolution.requirers.get(gone) for gone in found.excludes)
    read = requires_of(plan, resolution, requires) if asked else {}
    missing = dropped.unsatisfied(plan.amended(found), read)
    return bounded(found, plan, missing, catalog)
