"""Platforms of a lock: the floors that wheels need, and platforms without wheels of a direct requirement."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from packaging.utils import canonicalize_name, parse_wheel_filename

from envsmith.config.profile import Profile
from envsmith.errors import EnvsmithError, NoSolutionError, ResolveError
from envsmith.lock.missing_wheels import MissingWheelsError
from envsmith.lockfile.manifest import Manifest, TargetRecord
from envsmith.model.finding import Decision
from envsmith.model.target import Platform, Target, parse_slug
from envsmith.plan.model import LockRequest, Resolution, ResolutionPlan
from envsmith.plan.ports import Resolver
from envsmith.plan.target_plan import NoBuildError
from envsmith.uv.resolver import FLOORS

RAISED = "RES121"
"""Code of the note about a floor that is later than that of its alias."""
_LATEST = {"linux": (2, 39), "macos": (26, 0)}
"""Latest floors that are chosen: glibc of Ubuntu 24.04, and macOS of 2025."""


def locked_floors(profile: Profile, manifest: Manifest | None) -> dict[Platform, Platform]:
    """Return the platforms of a profile whose floor an earlier lock has raised, with that floor.

    It is kept until an upgrade.

    Args:
        profile: without options.
        manifest: of the lock whose floors are kept, if any.
    """
    targets = manifest.targets if manifest else {}
    known = {parse_slug(slug)[1] for slug, entry in targets.items() if _is_raised(entry)}
    return {
        own: replace(own, floor=max(later))
        for own in {target.platform for target in profile.targets()}
        if (later := [item.floor for item in known if own.is_open and item.is_later_than(own)])
    }


def usual_platform(slug: str, entry: TargetRecord) -> Platform:
    """Return the platform of a lock as its alias names it, unless it was chosen by its tag."""
    platform = parse_slug(slug)[1]
    usual = Platform.parse(platform.alias or str(platform))
    return usual if usual == platform or _is_raised(entry) else platform


def _is_raised(entry: TargetRecord) -> bool:
    return any(decision.get("code") == RAISED for decision in entry.decisions)


def raised_floors(failures: Mapping[Target, EnvsmithError]) -> dict[Platform, Platform]:
    """Return the platforms named by an alias on which all missing wheels exist for a later floor, with that floor."""
    found: dict[Platform, Platform] = {}
    for target, error in failures.items():
        own = target.platform
        tags = error.later_platforms if isinstance(error, ResolveError) and own.is_open else ()
        floors = [Platform.parse(tag).floor for tag in tags]
        if floors and max(floors) <= _LATEST[own.os]:
            found[own] = max(found.get(own, own), replace(own, floor=max(floors)))
    return found


def lowest_floor(plan: ResolutionPlan, later: Sequence[str], resolver: Resolver) -> str:
    """Return the tag of the lowest floor with a solution, by bisection.

    The resolver names the floors of the newest versions; older ones may do with less.

    Args:
        plan: without a solution.
        later: platform tags; with the latest of them the missing wheels exist.
        resolver: as for the lock.
    """
    platform = plan.target.platform
    enough = max(Platform.parse(tag).floor for tag in later)
    known = [floor for floor in FLOORS[platform.os] if platform.floor < floor < enough]
    choices = [replace(platform, floor=floor) for floor in (*known, enough)]
    low, high = 0, len(choices) - 1
    while low < high:
        middle = (low + high) // 2
        try:
            resolver.resolve(replace(plan, target=replace(plan.target, platform=choices[middle])))
        except ResolveError:
            low = middle + 1
        else:
            high = middle
    return str(choices[high])


def notice(plan: ResolutionPlan, resolution: Resolution) -> Iterator[Decision]:
    """Yield the note about a floor that is later than that of its alias, with the packages that need it."""
    platform = plan.target.platform
    if not platform.is_open or platform == (usual := Platform.parse(platform.alias)):
        return
    tags = replace(plan.target, platform=usual).tag_set()
    names = [
        str(package.name)
        for package in resolution.packages
        if package.wheels
        and all(tags.isdisjoint(parse_wheel_filename(wheel.filename)[3]) for wheel in package.wheels)
    ]
    why = f"for {', '.join(names)}" if names else "as locked before"
    text = f"{platform.alias}: {platform.system_version} ({platform}), {why}"
    yield Decision(subject=platform.alias, kind="noted", message=text, code=RAISED)


def refusal(request: LockRequest, error: ResolveError) -> ResolveError:
    """Return the refusal of a plan, with one error for all platforms without wheels of a direct requirement."""
    parts = error.parts or (error,)
    failures = {part.target: part for part in parts if isinstance(part, NoBuildError)}
    found = named_together(request, failures) if len(failures) == len(parts) else parts
    first = found[0]
    if not isinstance(first, MissingWheelsError):
        return error
    if len(found) == 1:
        return first
    return ResolveError(error.code, f"{len(found)} errors", where=error.where, parts=tuple(found))


def named_together(
    request: LockRequest, failures: Mapping[Target, EnvsmithError]
) -> tuple[EnvsmithError, ...]:
    """Return the errors of targets, those of platforms without wheels of a direct requirement as one.

    Args:
        request: profile and requirements.
        failures: errors of some of its targets.
    """
    origins = {item.name: item.origin for item in request.requirements}
    # By name: the backend of a target may be the successor of the profile's.
    lacking = {target.slug: _lacking(error) & origins.keys() for target, error in failures.items()}
    targets: dict[Platform, list[str]] = {}
    for target in request.profile.targets():
        if not request.only or target.slug in request.only:
            targets.setdefault(target.platform, []).append(target.slug)
    without = [one for one, slugs in targets.items() if all(lacking.get(slug) for slug in slugs)]
    left = tuple(one.given_name for one in targets if one not in without)
    if not without or not left:
        return tuple(failures.values())
    names = sorted({name for one in without for slug in targets[one] for name in lacking[slug]})
    error = MissingWheelsError(
        "RES061",
        f"{', '.join(names)} {'has' if len(names) == 1 else 'have'} no wheel for {' and '.join(map(str, without))}",
        where=f"profile {request.profile.name}",
        details=(
            *(("required at", f"{origins[name]}: {name}") for name in names),
            ("or", f"set platforms = {json.dumps(left)} in the profile"),
            ("or", f"limit it: {names[0]} ; {_marker(one for one in targets if one not in without)}"),
        ),
        hint=f"lock the other platforms only: --platform {' --platform '.join(left)}",
    )
    error.platforms = left
    return (error, *(item for target, item in failures.items() if target.platform not in without))


def _lacking(error: EnvsmithError) -> set[str]:
    """Return the projects without a wheel for the target of an error."""
    if isinstance(error, NoBuildError):
        # With details, there are other builds for the platform.
        return set() if error.details else {canonicalize_name(error.requirement.name)}
    if isinstance(error, NoSolutionError):
        return {*error.without_wheel, *error.served_elsewhere}
    return set(error.names) if isinstance(error, MissingWheelsError) else set()


def _marker(platforms: Iterable[Platform]) -> str:
    systems = {"linux": "linux", "macos": "darwin", "windows": "win32"}
    names = dict.fromkeys(systems[platform.os] for platform in platforms)
    return " or ".join(f"sys_platform == '{name}'" for name in names)
