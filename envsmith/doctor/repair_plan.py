"""Plan of an environment's repair: from its lock, or without one only safe steps."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from packaging.utils import canonicalize_name

from envsmith.catalog import Catalog, ConflictGroup
from envsmith.environment.installed_state import InstalledState
from envsmith.environment.model import Distribution, Environment
from envsmith.lockfile.pins import Pins
from envsmith.model.backend import Backend
from envsmith.model.finding import Finding


class StepKind(StrEnum):
    """The kinds of repair steps, as in JSON."""

    REBUILD = "rebuild"
    MOVE = "set aside"
    REMOVE = "remove"
    INSTALL = "install"


ASIDE_FOLDER = "set-aside"
"""Folder in an environment for files that the repair moves away."""
# Codes of findings, grouped by the steps that fix them.
_NOT_AS_LOCKED = {"ENV010", "ENV012", "ENV013", "ENV014", "ENV015", "ENV016", "ENV027", "ENV063", "ENV067"}
# Fixed by a rebuild only.
_CHANGED = {"ENV019", "ENV026"}
_EXTRA, _INCOMPLETE, _UNOWNED, _MOVED = "ENV011", "ENV067", "ENV018", "ENV079"
_CONFLICTS = {"ENV061", "ENV065", "ENV069"}
# Consequences, which may disappear when the others are fixed.
_CONSEQUENCES = {"ENV017", "ENV060", "ENV064", "ENV066", "ENV070"}
_DIST_INFO = ".dist-info"


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairStep:
    """One action on several subjects."""

    kind: StepKind
    subjects: tuple[str, ...]
    """Profile; folders in ``site-packages``; projects; or pins: ``torch==2.13.0+cpu``, ``six @ URL``."""
    is_hashed: bool = False
    """Whether to verify the hashes of the lock."""

    @property
    def names(self) -> tuple[str, ...]:
        """The projects of pins."""
        return tuple(re.split(r"==| @ ", subject)[0] for subject in self.subjects)

    def argv(self, prefix: str) -> tuple[str, ...]:
        """Return an equivalent command, without hashes."""
        if self.kind == StepKind.REBUILD:
            return ("envsmith", "install", *self.subjects, "--deep")
        if self.kind == StepKind.MOVE:
            return ("mv", *self.subjects, f"{prefix}/{ASIDE_FOLDER}/")
        if self.kind == StepKind.REMOVE:
            return ("uv", "pip", "uninstall", "--python", prefix, *self.subjects)
        return ("uv", "pip", "install", "--python", prefix, "--no-deps", "--reinstall", *self.subjects)

    def to_json(self, prefix: str) -> dict[str, object]:
        """Return it as plain values."""
        words = {"subjects": list(self.subjects), "argv": list(self.argv(prefix))}
        return {"kind": self.kind, **words, "hashed": self.is_hashed}


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairPlan:
    """Ordered steps, and findings that they do not fix."""

    steps: tuple[RepairStep, ...] = ()
    remaining: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairInput:
    """An environment and its problems."""

    profile: str
    """The profile of its lock; empty without a lock."""
    is_managed: bool
    """Whether envsmith manages it."""
    environment: Environment
    installed_state: InstalledState
    pins: Pins | None
    """The lock's pins; None without a lock."""
    backend: Backend
    findings: tuple[Finding, ...]


def plan_repair(damaged: RepairInput, catalog: Catalog) -> RepairPlan:
    """Return the plan of a repair.

    A managed environment is rebuilt. In others, distributions that differ from the lock are reinstalled with its
    hashes, extra ones are removed, and folders that uv cannot remove are moved away. Without a lock, all but one of
    the distributions that share a folder are removed, and incomplete ones are reinstalled.
    """
    if damaged.pins is None:
        steps = tuple(step for step in _safe_steps(damaged, catalog) if step.subjects)
    elif damaged.is_managed:
        steps = tuple(_rebuild_steps(damaged))
    else:
        steps = tuple(step for step in _lock_steps(damaged, damaged.pins, catalog) if step.subjects)
    return RepairPlan(
        steps=steps, remaining=tuple(item for item in damaged.findings if not _is_fixed(item, steps, damaged))
    )


def _is_fixed(item: Finding, steps: Iterable[RepairStep], damaged: RepairInput) -> bool:
    kinds = {step.kind for step in steps}
    if StepKind.REBUILD in kinds:
        return item.code in _NOT_AS_LOCKED | _CHANGED | _CONFLICTS | _CONSEQUENCES | {
            _EXTRA,
            _UNOWNED,
            _MOVED,
        }
    if item.code in _CONSEQUENCES:
        return damaged.pins is not None and bool(kinds)
    named = {subject.partition("==")[0] for step in steps for subject in step.subjects}
    if item.code == _MOVED:
        return {one.owner for one in damaged.installed_state.elsewhere if one.python == item.subject} <= named
    return item.subject in named or (item.code in _CONFLICTS and bool(_owners(item, damaged) & named))


def _owners(item: Finding, damaged: RepairInput) -> set[str]:
    """Return the projects of a finding about shared files."""
    return {owner for one in damaged.installed_state.overlaps for owner in one.owners} | {item.subject}


def _rebuild_steps(damaged: RepairInput) -> Iterator[RepairStep]:
    fixable = _NOT_AS_LOCKED | _CHANGED | _CONFLICTS | {_EXTRA, _UNOWNED, _MOVED}
    if any(item.code in fixable and item.severity == "error" for item in damaged.findings):
        yield RepairStep(kind=StepKind.REBUILD, subjects=(damaged.profile,))


def _lock_steps(damaged: RepairInput, pins: Pins, catalog: Catalog) -> Iterator[RepairStep]:
    """Yield the steps from an environment to its lock."""
    codes = {
        code: {item.subject for item in damaged.findings if item.code == code and item.severity == "error"}
        for code in (*_NOT_AS_LOCKED, *_CONFLICTS, _EXTRA)
    }
    pinned = {str(pin.name): pin.version for pin in pins.packages}
    moved = set(_folders_to_move(damaged, pinned))
    reported = {
        str(name) for group in catalog.families() if _is_reported(group, codes) for name in group.members
    }
    installed = {str(item.name) for item in damaged.environment.distributions}
    extra = codes[_EXTRA] | (reported & installed - set(pinned))
    extra -= {_project(folder) for folder in moved}
    reinstalled = {name for code in _NOT_AS_LOCKED for name in codes[code]} | {
        _project(folder) for folder in moved
    }
    if any(item.code == _UNOWNED for item in damaged.findings):
        reinstalled |= {owner for item in damaged.installed_state.strays for owner in item.owners}
    reinstalled |= _moved_programs(damaged)
    if codes["ENV061"]:
        reinstalled |= {owner for item in damaged.installed_state.overlaps for owner in item.owners}
    reinstalled |= {
        str(name) for group in catalog.families() if _is_shared(group, extra, codes) for name in group.members
    }
    yield RepairStep(kind=StepKind.MOVE, subjects=tuple(sorted(moved)))
    yield RepairStep(kind=StepKind.REMOVE, subjects=tuple(sorted(extra)))
    yield RepairStep(
        kind=StepKind.INSTALL,
        # Those from places of their own need a build, which `envsmith install` asks for.
        subjects=tuple(
            pin.requirement for pin in pins.packages if pin.name in reinstalled and not pin.is_apart
        ),
        is_hashed=True,
    )


def _moved_programs(damaged: RepairInput) -> set[str]:
    """Return owners of programs that start another environment's Python; reinstalling them fixes it."""
    is_reported = any(item.code == _MOVED for item in damaged.findings)
    return {item.owner for item in damaged.installed_state.elsewhere} if is_reported else set()


def _is_reported(group: ConflictGroup, codes: dict[str, set[str]]) -> bool:
    return group.folder in codes["ENV065"] or group.name in codes["ENV069"]


def _is_shared(group: ConflictGroup, extra: set[str], codes: dict[str, set[str]]) -> bool:
    """Return whether members of a group will be removed, with files that other members need."""
    return _is_reported(group, codes) or bool(extra & {str(name) for name in group.members})


def _folders_to_move(damaged: RepairInput, pinned: dict[str, str]) -> Iterator[str]:
    """Yield folders that uv cannot remove: of incomplete and duplicate distributions, and those without RECORD."""
    halves = {half.folder for half in damaged.installed_state.halves}
    yield from halves
    if any(item.code == _UNOWNED for item in damaged.findings):
        yield from (item.path for item in damaged.installed_state.strays)
    by_name: dict[str, list[Distribution]] = {}
    for item in damaged.environment.distributions:
        by_name.setdefault(str(item.name), []).append(item)
    for name, items in by_name.items():
        for item in items:
            is_second = len(items) > 1 and item.version != pinned.get(name)
            if (is_second or not item.has_record) and item.folder not in halves:
                yield item.folder


def _project(folder: str) -> str:
    """Return the project of a ``.dist-info`` folder; empty for others."""
    return canonicalize_name(folder.partition("-")[0]) if folder.endswith(_DIST_INFO) else ""


def _version(folder: str) -> str:
    return folder.removesuffix(_DIST_INFO).partition("-")[2]


def _safe_steps(damaged: RepairInput, catalog: Catalog) -> Iterator[RepairStep]:
    """Yield safe steps without a lock: keep one member of each group, and reinstall incomplete distributions."""
    installed = {str(item.name): item.version for item in damaged.environment.distributions}
    reported = {item.subject for item in damaged.findings if item.code in _CONFLICTS}
    removed: list[str] = []
    reinstalled: list[str] = []
    for group in catalog.families():
        members = [str(name) for name in group.members if name in installed]
        if len(members) < 2 or not reported & {group.folder, group.name} or group.chooser:
            continue
        kept = group.survivor(members, _backend_of(group, members, damaged.backend))
        removed += members
        reinstalled.append(kept)
    halves = {half.folder for half in damaged.installed_state.halves}
    broken = [
        item.subject for item in damaged.findings if item.code == _INCOMPLETE and item.subject in installed
    ]
    broken += sorted(_moved_programs(damaged) & set(installed))
    reinstalled += [name for name in broken if name not in removed]
    installed |= {_project(folder): _version(folder) for folder in halves if _project(folder)}
    reinstalled += [_project(folder) for folder in halves if _project(folder)]
    yield RepairStep(kind=StepKind.MOVE, subjects=tuple(sorted(halves)))
    yield RepairStep(kind=StepKind.REMOVE, subjects=tuple(removed))
    yield RepairStep(
        kind=StepKind.INSTALL,
        subjects=tuple(
            f"{name}=={installed[name]}" for name in sorted(set(reinstalled)) if "+" not in installed[name]
        ),
    )


def _backend_of(group: ConflictGroup, members: list[str], backend: Backend) -> Backend:
    """Return the backend that selects a member: an installed GPU build is kept."""
    is_for_gpu = group.folder == "onnxruntime" and "onnxruntime-gpu" in members
    return Backend.parse("cu128") if is_for_gpu else backend
