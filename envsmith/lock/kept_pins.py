"""Pins of a lock on disk: preferences of the next resolution, and the pylock that is made from them again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from packaging.pylock import Package
from packaging.version import Version

from envsmith.errors import LockError
from envsmith.lock import admission
from envsmith.lock.resolve import yanked
from envsmith.lockfile.manifest import Manifest, TargetRecord
from envsmith.lockfile.pins import Pins, RequirementsLine, requirements_lines
from envsmith.lockfile.provided import by_name
from envsmith.lockfile.pylock import Lock, unhashed_name
from envsmith.lockfile.store import decisions_of
from envsmith.model.finding import Decision, UnmetRequirement
from envsmith.model.target import parse_slug
from envsmith.plan.model import Amendment, Resolution, ResolutionPlan
from envsmith.plan.ports import Resolver


def pinned_lines(slug: str, found: Mapping[str, bytes]) -> dict[str, RequirementsLine]:
    """Return project → its line in a target's requirements file.

    Projects with two versions, as a merge leaves them, are left out.
    """
    texts = [
        found.get(name, b"").decode("utf-8", "replace")
        for name in (f"requirements.{slug}.txt", unhashed_name(slug))
    ]
    lines: dict[str, RequirementsLine] = {}
    twice: set[str] = set()
    for line in (line for text in texts for line in requirements_lines(text)):
        if line.name:
            other = lines.setdefault(line.name, line)
            is_same = (other.version, other.source) == (line.version, line.source)
            twice |= set() if is_same else {line.name}
    return {name: line for name, line in lines.items() if name not in twice}


def kept_file(line: RequirementsLine) -> str:
    """Return the URL of a pinned file with its hash, without which uv would take another one; empty without a URL."""
    return f"{line.source}#sha256={line.sha256[0]}" if line.source and line.sha256 else ""


def preferences(slug: str, manifest: Manifest | None, found: Mapping[str, bytes]) -> dict[str, str]:
    """Return project → version to keep for a target: those on which the files of its lock agree.

    A target without lock takes the versions of the other targets, the newest of each; with another floor than before,
    its own.
    """
    if manifest is None:
        return {}
    entry = manifest.targets.get(slug)
    if entry is None:
        python, _, _ = slug.partition("-")
        own = [other for other in manifest.targets if parse_slug(slug)[1].is_later_than(parse_slug(other)[1])]
        twins = [other for other in own if other.startswith(f"{python}-")]
        return _newest(preferences(other, manifest, found) for other in twins or manifest.targets)
    versions = {name: line.version for name, line in pinned_lines(slug, found).items() if line.version}
    family = {name: pin.version for name, pin in entry.family.items()}
    if not versions:
        return _pylock_versions(slug, found) | family
    for others in (family, _pylock_versions(slug, found)):
        versions = {
            name: version for name, version in versions.items() if others.get(name, version) == version
        }
    return versions


def _pylock_versions(slug: str, found: Mapping[str, bytes]) -> dict[str, str]:
    name = f"pylock.{slug}.toml"
    try:
        pins = Pins.from_pylock(found.get(name, b"").decode("utf-8", "replace"), name)
    except LockError:
        return {}
    return {pin.name: pin.version for pin in pins.packages if pin.version}


def _newest(locks: Iterable[Mapping[str, str]]) -> dict[str, str]:
    newest: dict[str, str] = {}
    for lock in locks:
        for name, version in lock.items():
            if name not in newest or Version(version) > Version(newest[name]):
                newest[name] = version
    return newest


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuiltLock:
    """The lock of one target, made from its pins without resolving."""

    lock: Lock | None
    """None if a file is no longer served."""
    unserved: tuple[str, ...]
    """Pinned versions of which the index no longer has the locked file: ``six 1.17.0``."""
    notes: tuple[Decision, ...] = ()
    """On pins that their index withdrew. Not part of the lock: they differ by day."""


def rebuild(
    plan: ResolutionPlan, entry: TargetRecord, lines: Mapping[str, RequirementsLine], resolver: Resolver
) -> RebuiltLock:
    """Make the lock of a target from its pins and hashes: only addresses and sizes are asked for.

    Raises:
        LockError: as `admission.admit`.
        ToolError: when the resolver or the network fails.
    """
    provided = by_name(plan.provided)
    served = {name: line for name, line in lines.items() if name not in provided}
    known = resolver.find_files(
        plan, {name: kept_file(line) or line.version for name, line in served.items()}
    )
    packages = [item for item in (_with_locked_files(one, lines) for one in known.packages) if item]
    packages += [provided[name].package() for name in lines.keys() & provided]
    found = {package.name for package in packages}
    unserved = tuple(f"{name} {line.version}" for name, line in sorted(lines.items()) if name not in found)
    notes = tuple(yanked(plan, known))
    if unserved:
        return RebuiltLock(lock=None, unserved=unserved, notes=notes)
    requirers = {
        name: tuple(text for text in line.requirers if text in lines) for name, line in lines.items()
    }
    unmet = tuple(UnmetRequirement.parse(text) for text in entry.unsatisfied)
    plan = replace(
        plan, decisions=tuple(decisions_of(entry)), amendments=(Amendment(decisions=(), unsatisfied=unmet),)
    )
    resolution = Resolution(
        packages=tuple(packages), requirers=requirers, indexes=known.indexes, direct=known.direct
    )
    return RebuiltLock(lock=admission.admit(plan, resolution, entry.catalog), unserved=(), notes=notes)


def _with_locked_files(package: Package, lines: Mapping[str, RequirementsLine]) -> Package | None:
    """Return a package with the files that have a locked hash; None without one."""
    sha256 = lines[package.name].sha256
    wheels = [wheel for wheel in package.wheels or () if wheel.hashes.get("sha256") in sha256]
    sdist = package.sdist if package.sdist and package.sdist.hashes.get("sha256") in sha256 else None
    if not wheels and not sdist:
        return None
    return Package(
        name=package.name, version=package.version, wheels=wheels or None, sdist=None if wheels else sdist
    )


def changed_versions(before: Mapping[str, str], lock: Lock) -> Iterator[tuple[str, str, str]]:
    """Yield project, version before (empty if new) and now, of each pin that moved, came or went."""
    after = {str(package.name): str(package.version) for package in lock.pylock.packages if package.version}
    for name in sorted({*before, *after}):
        if before.get(name, "") != after.get(name, ""):
            yield name, before.get(name, ""), after.get(name, "")
