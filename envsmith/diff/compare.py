"""Comparison of two sets of locks, each of one profile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from packaging.version import Version

from envsmith.catalog import Catalog
from envsmith.diff.model import (
    KINDS,
    ChangeKind,
    DecisionChange,
    DiffSide,
    LicenceChange,
    LockDiff,
    NewTargets,
    PackageChange,
    TorchBuildSide,
    TorchChange,
)
from envsmith.lockfile.pins import Pin
from envsmith.lockfile.saved import SavedLock, packed_bytes
from envsmith.model.backend import architecture
from envsmith.model.finding import Decision
from envsmith.model.license import PackageLicense

K = TypeVar("K")
Pairs = Mapping[str, tuple[SavedLock, SavedLock]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareFacts:
    """Cached facts about files by sha256."""

    licences: Mapping[str, PackageLicense] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Size of the wheel in bytes."""


_NO_FACTS = CompareFacts()


def compare(before: DiffSide, after: DiffSide, catalog: Catalog, facts: CompareFacts = _NO_FACTS) -> LockDiff:
    """Compare the locks of equal targets; if each side is one lock, compare these two.

    Args:
        before: the older locks.
        after: the newer locks.
        catalog: provides kernels and drivers.
        facts: licences and sizes, which locks do not contain.
    """
    pairs = _pairs(before.locks, after.locks)
    download, omitted = _download(pairs, facts.sizes)
    paired = {lock.target.slug for pair in pairs.values() for lock in pair}
    added = [lock for lock in after.locks if lock.target.slug not in paired]
    return LockDiff(
        before=before.title,
        after=after.title,
        common=tuple(pairs),
        moved=tuple(name for name, (one, other) in pairs.items() if one.target.slug != other.target.slug),
        added=tuple(lock.target.slug for lock in added),
        new=tuple(_new(added, catalog)),
        removed=tuple(lock.target.slug for lock in before.locks if lock.target.slug not in paired),
        torch=tuple(_torch(pairs, catalog)),
        packages=tuple(_packages(pairs)),
        decisions=tuple(_decisions(pairs)),
        licences=tuple(_licences(pairs, facts.licences)),
        download_bytes=download,
        download_without=omitted,
    )


def _pairs(before: Sequence[SavedLock], after: Sequence[SavedLock]) -> Pairs:
    if len(before) == len(after) == 1:
        one, other = before[0], after[0]
        slugs = dict.fromkeys((one.target.slug, other.target.slug))
        return {" → ".join(slugs): (one, other)}
    later = {lock.target.slug: lock for lock in after}
    return {lock.target.slug: (lock, later[lock.target.slug]) for lock in before if lock.target.slug in later}


def _torch(pairs: Pairs, catalog: Catalog) -> Iterator[TorchChange]:
    found = {name: (_build(one, catalog), _build(other, catalog)) for name, (one, other) in pairs.items()}
    changed = ((name, builds) for name, builds in found.items() if builds[0] != builds[1])
    for (one, other), names in _group_targets((builds, name) for name, builds in changed).items():
        yield TorchChange(before=one, after=other, targets=names)


def _new(added: Iterable[SavedLock], catalog: Catalog) -> Iterator[NewTargets]:
    builds = _group_targets((_build(lock, catalog), lock.target.slug) for lock in added)
    for build, slugs in builds.items():
        yield NewTargets(build=build, targets=slugs)


def _build(lock: SavedLock, catalog: Catalog) -> TorchBuildSide:
    if lock.torch is None:
        return TorchBuildSide(torch="", backend="")
    target = lock.target
    kernels = catalog.kernels(lock.torch, target.backend, target.platform)
    return TorchBuildSide(
        torch=str(lock.torch),
        backend=target.backend.title,
        kernels=tuple(map(architecture, kernels.capabilities)) if kernels else None,
        driver=catalog.driver_floor(target.backend, target.platform.os) or "",
    )


def _packages(pairs: Pairs) -> list[PackageChange]:
    """Return the changes of each package, sorted by kind."""
    found: list[tuple[tuple[str, ChangeKind, str, str], str]] = []
    for target, (one, other) in pairs.items():
        before = {pin.name: pin for pin in one.pins.packages}
        after = {pin.name: pin for pin in other.pins.packages}
        for name in {**before, **after}:
            key = _change(before.get(name), after.get(name))
            if key is not None:
                found.append(((name, *key), target))
    changes = [
        PackageChange(name=name, kind=kind, before=old, after=new, targets=targets)
        for (name, kind, old, new), targets in _group_targets(found).items()
    ]
    return sorted(changes, key=lambda item: (KINDS.index(item.kind), item.name, item.before, item.after))


def _change(before: Pin | None, after: Pin | None) -> tuple[ChangeKind, str, str] | None:
    """Return the kind of a change and both versions; None without a change."""
    if before is None or after is None:
        old, new = before.shown if before else "", after.shown if after else ""
        return "removed" if before else "added", old, new
    if before.version == after.version:
        if set(before.fixed) == set(after.fixed):
            return None
        old, new = (pin.source if pin.is_unhashed else pin.version for pin in (before, after))
        return "files", old, new
    if not (before.version and after.version):  # a folder has no version of its own
        return "files", before.shown, after.shown
    old_version, new_version = Version(before.version), Version(after.version)
    if old_version.public == new_version.public:
        return "build", before.version, after.version
    return "up" if old_version < new_version else "down", before.version, after.version


def _decisions(pairs: Pairs) -> Iterator[DecisionChange]:
    """Yield decisions made on one side only; a decision whose evidence alone differs is unchanged."""
    found: list[tuple[tuple[bool, Decision], str]] = []
    for target, (one, other) in pairs.items():
        for is_new, mine, theirs in ((False, one, other), (True, other, one)):
            known = {_decision_key(decision) for decision in theirs.decisions}
            found += [
                ((is_new, decision), target)
                for decision in dict.fromkeys(mine.decisions)
                if _decision_key(decision) not in known
            ]
    for (is_new, decision), targets in sorted(_group_targets(found).items()):
        yield DecisionChange(decision=decision, is_new=is_new, targets=targets)


def _decision_key(decision: Decision) -> tuple[str, str, str]:
    return decision.subject, decision.kind, decision.message


def _licences(pairs: Pairs, known: Mapping[str, PackageLicense]) -> Iterator[LicenceChange]:
    """Yield packages whose licence changed, and new packages with a licence that no package had before."""
    found: list[tuple[tuple[str, str, str], str]] = []
    for target, (one, other) in pairs.items():
        before, after = _licence_names(one, known), _licence_names(other, known)
        here = {pin.name for pin in one.pins.packages}
        for name, licence in after.items():
            is_new = name not in here and licence not in before.values()
            if is_new or before.get(name, licence) != licence:
                found.append(((before.get(name, ""), licence, name), target))
    named = _group_targets(found)
    for (old, new, targets), names in _group_targets(
        ((old, new, targets), name) for (old, new, name), targets in sorted(named.items())
    ).items():
        yield LicenceChange(packages=names, before=old, after=new, targets=targets)


def _licence_names(lock: SavedLock, known: Mapping[str, PackageLicense]) -> dict[str, str]:
    """Return package → licence, if known."""
    found = {pin.name: known.get(pin.fixed[0]) for pin in lock.pins.packages}
    return {name: str(licence) for name, licence in found.items() if licence and licence.is_known}


def _download(pairs: Pairs, known: Mapping[str, int]) -> tuple[tuple[int, int] | None, tuple[str, ...]]:
    """Return the download size of both sides, and the packages omitted from both because a size is unknown."""
    sizes = {target: (_sizes(one, known), _sizes(other, known)) for target, (one, other) in pairs.items()}
    if not sizes or any(not any(size.values()) for pair in sizes.values() for size in pair):
        return None, ()
    before = after = 0
    omitted: set[str] = set()
    for one, other in sizes.values():
        changed = {*one} ^ {*other}
        unknown = {name for name, sha256 in changed if {**one, **other}[name, sha256] is None}
        omitted |= unknown
        before += _known_bytes(one, unknown)
        after += _known_bytes(other, unknown)
    return (before, after), tuple(sorted(omitted))


def _sizes(lock: SavedLock, known: Mapping[str, int]) -> dict[tuple[str, str], int | None]:
    """Return package and sha256, or place, → size in bytes; None if unknown."""
    return {
        (pin.name, pin.fixed[0]): known.get(pin.fixed[0], packed_bytes(lock, pin))
        for pin in lock.pins.packages
    }


def _known_bytes(sizes: Mapping[tuple[str, str], int | None], unknown: set[str]) -> int:
    return sum(size or 0 for (name, _), size in sizes.items() if name not in unknown)


def _group_targets(items: Iterable[tuple[K, str]]) -> dict[K, tuple[str, ...]]:
    """Group the targets of equal changes, in the given order."""
    found: dict[K, list[str]] = {}
    for key, target in items:
        found.setdefault(key, []).append(target)
    return {key: tuple(targets) for key, targets in found.items()}
