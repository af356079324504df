"""Packages without a wheel for a target: all of them are found in one run, and told together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from packaging.pylock import PackageSdist
from packaging.utils import canonicalize_name, parse_wheel_filename

from envsmith.catalog import Catalog
from envsmith.config.build_settings import ANY_SOURCE, description
from envsmith.errors import EnvsmithError, NoSolutionError, ResolveError
from envsmith.model.listing import VersionMetadata
from envsmith.model.target import PLATFORM, Platform
from envsmith.plan import pairings
from envsmith.plan.model import Resolution, ResolutionPlan
from envsmith.plan.ports import Resolver, SdistMetadataReader

_LATEST = {"linux": (2, 40), "macos": (26, 0)}
"""The latest glibc that uv 0.13.8 knows, and the latest macOS."""
_MAX_ROUNDS = 12
"""A round finds what the sources of the one before require; real chains have two or three."""


class MissingWheelsError(ResolveError):
    """RES061: packages have no wheel for the target, and may not be locked as source."""

    names: tuple[str, ...] = ()
    """Those that may be admitted as source."""
    unknown: tuple[str, ...] = ()
    """Those of them whose requirements only a build tells."""
    platforms: tuple[str, ...] = ()
    """Platforms with wheels of all direct requirements, by the names of the command line."""


@dataclass(kw_only=True)
class _Found:
    versions: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    """Project → what requires it."""
    unknown: set[str] = field(default_factory=set)
    """Projects whose requirements only a build tells."""
    platforms: dict[str, str] = field(default_factory=dict)
    """Project → the lowest platform for which it has a wheel, of the projects with one for a later floor."""

    def add(self, plan: ResolutionPlan, answer: Resolution) -> None:
        """Add the packages of an answer that have no wheel."""
        origins = {str(item.name): item.origin for item in plan.requirements}
        provided = {item.name for item in plan.provided}
        for package in answer.packages:
            if package.wheels or package.name in provided:
                continue
            name, requirers = str(package.name), ", ".join(answer.requirers.get(package.name, ()))
            self.versions[name] = str(package.version)
            self.reasons[name] = f"at {origins[name]}" if name in origins else f"by {requirers}"

    def lines(self) -> list[tuple[str, str]]:
        """Return a detail of the error for each package."""
        lines = []
        for name, version in sorted(self.versions.items()):
            why = f", required {self.reasons[name]}" if name in self.reasons else ""
            needs = "; what it requires is known only after a build" if name in self.unknown else ""
            if name in self.platforms:
                needs = f"; has one for --platform {self.platforms[name]}{needs}"
            lines.append(("no wheel", f"{f'{name} {version}'.strip()}{why}{needs}"))
        return lines


def explain(
    plan: ResolutionPlan,
    error: NoSolutionError,
    *,
    resolver: Resolver,
    sdists: SdistMetadataReader,
    catalog: Catalog,
) -> EnvsmithError:
    """Return the error that names every package without a wheel; the given one if that is not what is wrong.

    Resolves again with every source distribution allowed. Their metadata is read from the archives; nothing is built.

    Args:
        plan: without a solution.
        error: of the resolver.
        resolver: as for the lock.
        sdists: reads the metadata of source distributions.
        catalog: names that are taken for those of the torch family.
    """
    python = plan.target.python
    if python.is_free_threaded and error.without_wheel:
        names = " and ".join(sorted(error.without_wheel))
        return ResolveError(
            "RES061",
            f"no wheel of {names} fits a free-threaded Python ({python.tag}) on {plan.target.platform}",
            hint=f"drop {python} from `python`, or remove {names}: sources are not locked for free-threaded Pythons",
        )
    if not error.without_wheel or any(_meant(name, catalog) for name in error.without_wheel):
        return error
    plan = replace(plan, allow_sdist=(ANY_SOURCE,), known_sources=error.without_wheel)
    found, cause = _Found(), ""
    for _ in range(_MAX_ROUNDS):
        try:
            answer = resolver.resolve(plan)
        except NoSolutionError as later:
            found.versions |= {name: "" for name in later.without_wheel if name not in found.versions}
            cause = dict(later.details).get("because", "")
            break
        found.add(plan, answer)
        read = [
            description(name, version, plan.described) or _metadata(name, version, sdist, sdists, found)
            for name, version, sdist in pairings.unread(plan, answer)
        ]
        if not any(item.requires_dist for item in read):
            break
        plan = plan.amended(pairings.amendment(tuple(read)))
    found.platforms |= _later_platforms(plan, found.versions, resolver)
    return _error(found, cause, catalog)


def _later_platforms(
    plan: ResolutionPlan, versions: Mapping[str, str], resolver: Resolver
) -> Iterator[tuple[str, str]]:
    """Yield project → the lowest platform with a later glibc or macOS for which it has a wheel."""
    platform = plan.target.platform
    known = {name: version for name, version in versions.items() if version}
    if platform.os not in _LATEST or not known:
        return
    target = replace(plan.target, platform=replace(platform, floor=_LATEST[platform.os]))
    try:
        answer = resolver.find_files(replace(plan, target=target, allow_sdist=()), known)
    except EnvsmithError:  # it is only advice
        return
    for package in answer.packages:
        tags = {tag for wheel in package.wheels or () for tag in parse_wheel_filename(wheel.filename)[3]}
        found = {tag.platform for tag in tags & target.tag_set() if PLATFORM.fullmatch(tag.platform)}
        if later := [item for item in map(Platform.parse, found) if item.is_later_than(platform)]:
            yield str(package.name), str(min(later))


def _meant(name: str, catalog: Catalog) -> str:
    """Return the project that a name is taken for, of the torch family; empty for any other name."""
    placeholders = {row.project: row.meant for row in catalog.placeholders()}
    return placeholders.get(canonicalize_name(name)) or catalog.meant_project(name)


def _metadata(
    name: str, version: str, sdist: PackageSdist, sdists: SdistMetadataReader, found: _Found
) -> VersionMetadata:
    try:
        return sdists.metadata(name=name, version=version, url=sdist.url or "", sha256=sdist.hashes["sha256"])
    except ResolveError:
        found.unknown.add(name)
        return VersionMetadata(name=name, version=version, requires_dist=())


def _error(found: _Found, cause: str, catalog: Catalog) -> MissingWheelsError:
    names = sorted(found.versions)
    count = f"{len(names)} packages have" if len(names) > 1 else f"{names[0]} has"
    stand_ins = [(name, meant) for name in names if (meant := _meant(name, catalog))]
    error = MissingWheelsError(
        "RES061",
        f"{count} no wheel for this target",
        details=(
            *found.lines(),
            *((("then", cause),) if cause else ()),
            *(("meant", f"did you mean `{meant}` instead of {name}?") for name, meant in stand_ins),
        ),
        hint=f"lock as source: {' '.join(f'--allow-sdist {name}' for name in names)}",
    )
    error.names = tuple(name for name in names if name not in dict(stand_ins))
    error.unknown = tuple(name for name in error.names if name in found.unknown)
    if found.platforms.keys() == found.versions.keys():
        error.later_platforms = tuple(found.platforms.values())
    return error
