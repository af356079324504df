"""The one sentence about a difference of locks that matters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from envsmith.console.finding_lines import counted
from envsmith.diff.model import Build, Difference, PackageChange, TorchChange

SIGNS = {
    "up": "newer",
    "down": "**older**",
    "build": "other build",
    "files": "**other files**",
    "added": "added",
    "removed": "removed",
}
"""Kind of a change → its word, in Markdown."""


def headline(found: Difference) -> str:
    """Return the one sentence that matters."""
    if found.is_empty:
        return "nothing changes"
    told = _moves(found)
    told += [_torch_sentence(found.torch)] if any(_is_other(item) for item in found.torch) else []
    told += _needs(found.torch)
    if found.common and len(told) == len(_moves(found)):
        told += ["torch stays", *_amounts(found.packages)]
    told += [counted(len(found.added), "new target")] if found.added else []
    told += [f"{counted(len(found.removed), 'target')} gone"] if found.removed else []
    return ", ".join(told)


def _moves(found: Difference) -> list[str]:
    """Return the target that stands for another, where the titles do not name both."""
    titles = f"{found.before} {found.after}"
    return [move for move in found.moved if not all(slug in titles for slug in move.split(" → "))]


def _amounts(changes: Sequence[PackageChange]) -> list[str]:
    """Say how many packages change in which way."""
    names = {kind: {item.name for item in changes if item.kind == kind} for kind in SIGNS}
    return [f"{len(found)} {SIGNS[kind].strip('*')}" for kind, found in names.items() if found]


def _is_other(item: TorchChange) -> bool:
    return item.before.torch != item.after.torch


def _torch_sentence(changes: Sequence[TorchChange]) -> str:
    """Return from which versions to which: targets may have several."""
    sides = ({item.before.torch for item in changes}, {item.after.torch for item in changes})
    return f"torch {arrow(*(' or '.join(sorted(side)) or 'none' for side in sides))}"


def _needs(changes: Sequence[TorchChange]) -> Iterator[str]:
    """Yield what machines must have for it that they needed not have before, and which are left out or let in."""
    for word, is_meant in (("needs", _is_higher), ("now takes", _is_lower)):
        if drivers := _driver_floors([item for item in changes if is_meant(item)]):
            yield f"{word} driver {drivers}"
    for word, kernels in (
        ("loses", [kernel for item in changes for kernel in item.lost]),
        ("gains", [kernel for item in changes for kernel in item.gained]),
    ):
        if kernels:
            yield f"{word} {' '.join(sorted(set(kernels), key=_by_number))}"


def _by_number(kernel: str) -> tuple[int, str]:
    return len(kernel), kernel


def _is_higher(item: TorchChange) -> bool:
    return bool(item.after.driver) and _floor(item.after) > _floor(item.before)


def _is_lower(item: TorchChange) -> bool:
    return bool(item.after.driver) and _floor(item.after) < _floor(item.before)


def _floor(build: Build) -> tuple[int, ...]:
    """Return the oldest driver as it compares; that of a build which needs none is older than any."""
    return tuple(int(part) for part in build.driver.split(".") if part.isdecimal())


def _driver_floors(changes: Sequence[TorchChange]) -> str:
    """Return the drivers, each with its system where there are several."""
    systems: dict[str, list[str]] = {}
    for item in changes:
        found = systems.setdefault(item.after.driver, [])
        found += ["Windows" if "-win_" in slug.rpartition(" → ")[2] else "Linux" for slug in item.targets]
    if len(systems) == 1:
        return f"≥ {next(iter(systems))}"
    return ", ".join(f"≥ {driver} ({', '.join(dict.fromkeys(on))})" for driver, on in systems.items())


def arrow(before: str, after: str) -> str:
    """Return both sides of a change, or the one where it is none."""
    return after if before == after else f"{before} → {after}"
