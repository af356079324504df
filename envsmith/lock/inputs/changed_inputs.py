"""Changed inputs of a lock that its pins do not satisfy; any other change leaves the lock current."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import zip_longest

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from envsmith.config.build_settings import ANY_SOURCE
from envsmith.lockfile.manifest import TargetRecord
from envsmith.lockfile.pins import RequirementsLine
from envsmith.plan.model import ResolutionPlan

Change = tuple[str, str]
"""Key of an input, and ``old → new``."""
_NONE = "(none)"
_DECISIVE = (
    *("index", "backend", "channel", "override", "route", "package-index", "shim", "family", "versions"),
    *("versions-of", "provided", "build", "described"),
)
"""Inputs of which every change makes a lock stale."""


def changes(
    plan: ResolutionPlan, entry: TargetRecord, pins: Mapping[str, RequirementsLine]
) -> tuple[Change, ...]:
    """Return the changes that make a target's lock stale.

    Not among them: another catalog, envsmith or day, variables, and requirements that the pins satisfy.

    Args:
        plan: of today.
        entry: with the inputs of the lock.
        pins: project → its line in the requirements file.
    """
    new = plan.inputs()
    # Form 1 of the manifest did not record the index.
    decisive = _DECISIVE if "asked" in entry.inputs else _DECISIVE[1:]
    found = [change for change in changed(entry.inputs, new) if change[0] in decisive]
    found += _requirement_changes(plan, entry, pins)
    found += _constraint_changes(plan, entry, pins)
    found += _exclude_changes(_texts(entry, "exclude"), set(new["exclude"]), pins)
    allowed = set(new["allow-sdist"])
    removed = set() if ANY_SOURCE in allowed else _texts(entry, "allow-sdist") - allowed
    found += [("allow-sdist", f"{name} → {_NONE}") for name in sorted(removed & {ANY_SOURCE, *pins})]
    found += _hash_changes(plan, entry, pins)
    found += _unfit(plan, entry)
    return tuple(found)


def changed(old: Mapping[str, str | list[str]], new: Mapping[str, str | list[str]]) -> Iterator[Change]:
    """Yield the changes between the inputs of two plans, as key and ``old → new``."""
    for key in sorted({*old, *new}):
        before, after = old.get(key, ""), new.get(key, "")
        # A missing key equals an empty list.
        before, after = (
            (before or [], after or []) if list in (type(before), type(after)) else (before, after)
        )
        if isinstance(before, list) and isinstance(after, list):
            removed, new_ones = sorted(set(before) - set(after)), sorted(set(after) - set(before))
            for left, right in zip_longest(removed, new_ones, fillvalue=_NONE):
                yield key, f"{left} → {right}"
        elif before != after:
            yield key, f"{before or _NONE} → {after or _NONE}"


def _requirement_changes(
    plan: ResolutionPlan, entry: TargetRecord, pins: Mapping[str, RequirementsLine]
) -> Iterator[Change]:
    old, new = (
        _by_name(_texts(entry, "requirement")),
        _by_name(str(item.requirement) for item in plan.requirements),
    )
    for name in sorted({*old, *new}):
        before, after = old.get(name, {}), new.get(name, {})
        if before.keys() == after.keys():
            continue
        line = pins.get(name)
        if not after:
            # Annotations do not tell what an extra brought.
            is_satisfied = line is None or not (_extras(before) or _is_left_over(name, old, new, pins))
        else:
            is_satisfied = (
                line is not None
                and _extras(after) == _extras(before)
                and _urls(after) == _urls(before)
                and all(_admits(item, line.version) for item in after.values())
            )
        if not is_satisfied:
            yield from changed({"requirement": [*before]}, {"requirement": [*after]})


def _is_left_over(
    name: str, old: Collection[str], new: Collection[str], pins: Mapping[str, RequirementsLine]
) -> bool:
    """Return whether no requirement leads to a pin any more, directly or through other pins.

    Args:
        name: of the pin.
        old: projects that were required.
        new: projects that are required.
        pins: project → its line, with the projects that require it.
    """
    seen, pending = {name}, [name]
    while pending:
        current = pending.pop()
        requirers = {text for text in pins[current].requirers if text in pins}
        # Rules of envsmith add packages that no other one requires.
        if current in new or not (requirers or current in old):
            return False
        pending += requirers - seen
        seen |= requirers
    return True


def _by_name(texts: Iterable[str]) -> dict[str, dict[str, Requirement]]:
    """Return project → text → requirement, without malformed ones."""
    found: dict[str, dict[str, Requirement]] = {}
    for text in texts:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        found.setdefault(canonicalize_name(requirement.name), {})[text] = requirement
    return found


def _extras(items: Mapping[str, Requirement]) -> set[str]:
    return {extra for item in items.values() for extra in item.extras}


def _urls(items: Mapping[str, Requirement]) -> set[str]:
    return {item.url for item in items.values() if item.url}


def _admits(requirement: Requirement, version: str) -> bool:
    try:
        return requirement.specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return False


def _constraint_changes(
    plan: ResolutionPlan, entry: TargetRecord, pins: Mapping[str, RequirementsLine]
) -> Iterator[Change]:
    old = _by_name(_texts(entry, "constraint"))
    new = _by_name(str(item.requirement) for item in plan.constraints if not item.is_fact)
    for name, after in sorted(new.items()):
        before, line = old.get(name, {}), pins.get(name)
        added = after.keys() - before.keys()
        if line and not all(_admits(after[text], line.version) for text in added):
            yield from changed({"constraint": [*before]}, {"constraint": [*after]})


def _exclude_changes(old: set[str], new: set[str], pins: Mapping[str, RequirementsLine]) -> Iterator[Change]:
    for name in sorted((new - old) & set(pins)):
        yield "exclude", f"{_NONE} → {name}"
    for name in sorted(old - new):
        yield "exclude", f"{name} → {_NONE}"


def _hash_changes(
    plan: ResolutionPlan, entry: TargetRecord, pins: Mapping[str, RequirementsLine]
) -> Iterator[Change]:
    before = _texts(entry, "hash")
    for text, origin in plan.given_hashes():
        name = text.partition(" ")[0]
        given = {
            hash_ for item in plan.constraints_on(name) if item.origin == origin for hash_ in item.hashes
        }
        line = pins.get(name)
        is_given = line and any(hash_.endswith(sha256) for hash_ in given for sha256 in line.sha256)
        if text not in before and line and not is_given:
            yield "hash", f"{_NONE} → {text}"


def _unfit(plan: ResolutionPlan, entry: TargetRecord) -> Iterator[Change]:
    """Yield the locked files of the torch family that the plan may not use any more: by a GPU or a cutoff."""
    for name, pin in sorted(entry.family.items()):
        wheels = plan.slice.projects.get(name)
        if wheels is not None and all(wheel.filename != pin.filename for wheel in wheels):
            yield "file", f"{pin.filename} → {_NONE}"


def _texts(entry: TargetRecord, key: str) -> set[str]:
    found = entry.inputs.get(key, ())
    return {found} if isinstance(found, str) else set(found)
