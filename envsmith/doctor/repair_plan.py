"""Cure: what is to be done to an environment so that nothing is wrong with it any more.

Which steps cure what is wrong with an environment: a lock decides, and without one only what is certain is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from envsmith.catalog import Catalog, ConflictGroup
from envsmith.environment.installed_state import InstalledState
from envsmith.environment.model import Distribution, Environment
from envsmith.lockfile.pins import Pins
from envsmith.model.backend import Backend
from envsmith.model.finding import Finding

REBUILD, ASIDE, REMOVE, INSTALL = "rebuild", "set aside", "remove", "install"
SET_ASIDE = "set-aside"
"""Folder in an environment where is kept what was in the way."""
_NOT_AS_LOCKED = {"ENV010", "ENV012", "ENV013", "ENV014", "ENV015", "ENV016", "ENV063", "ENV067"}
_EXTRA, _HALF, _STRAY, _ELSEWHERE = "ENV011", "ENV067", "ENV018", "ENV079"
_TOGETHER = {"ENV061", "ENV065", "ENV069"}
# These may end when the others are cured; by themselves nothing is done about them.
_MAYBE = {"ENV017", "ENV060", "ENV064", "ENV066", "ENV070"}
_INFO = ".dist-info"


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairStep:
    """One kind of action on several things."""

    kind: str
    """REBUILD, ASIDE, REMOVE or INSTALL."""
    subjects: tuple[str, ...]
    """Profile; folders in ``site-packages``; projects; or pins: ``torch==2.13.0+cpu``."""
    is_hashed: bool = False
    """Whether what is installed must have the hashes of the lock."""

    def argv(self, prefix: str) -> tuple[str, ...]:
        """Return the words of the command that does the same; it cannot name the hashes that are asked for, too."""
        if self.kind == REBUILD:
            return ("envsmith", "install", *self.subjects, "--deep")
        if self.kind == ASIDE:
            return ("mv", *self.subjects, f"{prefix}/{SET_ASIDE}/")
        if self.kind == REMOVE:
            return ("uv", "pip", "uninstall", "--python", prefix, *self.subjects)
        return ("uv", "pip", "install", "--python", prefix, "--no-deps", "--reinstall", *self.subjects)

    def to_json(self, prefix: str) -> dict[str, object]:
        """Return it as plain values."""
        words = {"subjects": list(self.subjects), "argv": list(self.argv(prefix))}
        return {"kind": self.kind, **words, "hashed": self.is_hashed}


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairPlan:
    """The steps, in order, and what they leave."""

    steps: tuple[RepairStep, ...] = ()
    left: tuple[Finding, ...] = ()
    """What is wrong and not cured by them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairInput:
    """An environment, and what is wrong with it."""

    profile: str
    """Whose lock it is compared with; empty where there is none."""
    is_ours: bool
    """Whether envsmith made it."""
    environment: Environment
    condition: InstalledState
    pins: Pins | None
    """What the lock says; None where there is none."""
    backend: Backend
    findings: tuple[Finding, ...]


def cure(sick: RepairInput, catalog: Catalog) -> RepairPlan:
    """Return what is to be done.

    An environment that envsmith made is built anew beside itself. In one made by others, what is not as locked is
    installed by the lock's hashes, what is too much is removed, and what no tool can remove is set aside. Without a
    lock, of projects that share a folder all are removed and one is installed, and what is broken is installed again.
    """
    if sick.pins is None:
        steps = tuple(step for step in _unlocked(sick, catalog) if step.subjects)
    elif sick.is_ours:
        steps = tuple(_rebuilt(sick))
    else:
        steps = tuple(step for step in _locked(sick, sick.pins, catalog) if step.subjects)
    return RepairPlan(
        steps=steps, left=tuple(item for item in sick.findings if not _is_cured(item, steps, sick))
    )


def _is_cured(item: Finding, steps: Iterable[RepairStep], sick: RepairInput) -> bool:
    kinds = {step.kind for step in steps}
    if REBUILD in kinds:
        return item.code in _NOT_AS_LOCKED | _TOGETHER | _MAYBE | {_EXTRA, _STRAY, _ELSEWHERE}
    if item.code in _MAYBE:
        return sick.pins is not None and bool(kinds)
    named = {subject.partition("==")[0] for step in steps for subject in step.subjects}
    if item.code == _ELSEWHERE:
        return {one.owner for one in sick.condition.elsewhere if one.python == item.subject} <= named
    return item.subject in named or (item.code in _TOGETHER and bool(_owners(item, sick) & named))


def _owners(item: Finding, sick: RepairInput) -> set[str]:
    """Return the projects that a finding of shared files is about."""
    return {owner for one in sick.condition.overlaps for owner in one.owners} | {item.subject}


def _rebuilt(sick: RepairInput) -> Iterator[RepairStep]:
    curable = _NOT_AS_LOCKED | _TOGETHER | {_EXTRA, _STRAY, _ELSEWHERE}
    if any(item.code in curable and item.severity == "error" for item in sick.findings):
        yield RepairStep(kind=REBUILD, subjects=(sick.profile,))


def _locked(sick: RepairInput, pins: Pins, catalog: Catalog) -> Iterator[RepairStep]:
    """Bring what is there to what the lock says."""
    codes = {
        code: {item.subject for item in sick.findings if item.code == code and item.severity == "error"}
        for code in (*_NOT_AS_LOCKED, *_TOGETHER, _EXTRA)
    }
    pinned = {str(pin.name): pin.version for pin in pins.packages}
    aside = set(_aside(sick, pinned))
    told = {str(name) for family in catalog.families() if _is_told(family, codes) for name in family.members}
    there = {str(item.name) for item in sick.environment.distributions}
    extra = codes[_EXTRA] | (told & there - set(pinned))
    extra -= {_project(folder) for folder in aside}
    ill = {name for code in _NOT_AS_LOCKED for name in codes[code]} | {_project(folder) for folder in aside}
    if any(item.code == _STRAY for item in sick.findings):
        ill |= {owner for item in sick.condition.strays for owner in item.owners}
    ill |= _moved(sick)
    if codes["ENV061"]:
        ill |= {owner for item in sick.condition.overlaps for owner in item.owners}
    ill |= {
        str(name)
        for family in catalog.families()
        if _is_shared(family, extra, codes)
        for name in family.members
    }
    yield RepairStep(kind=ASIDE, subjects=tuple(sorted(aside)))
    yield RepairStep(kind=REMOVE, subjects=tuple(sorted(extra)))
    yield RepairStep(
        kind=INSTALL,
        subjects=tuple(f"{name}=={pinned[name]}" for name in sorted(ill & set(pinned))),
        is_hashed=True,
    )


def _moved(sick: RepairInput) -> set[str]:
    """Return whose programs start another place's Python; installed again, they start this one."""
    is_told = any(item.code == _ELSEWHERE for item in sick.findings)
    return {item.owner for item in sick.condition.elsewhere} if is_told else set()


def _is_told(family: ConflictGroup, codes: dict[str, set[str]]) -> bool:
    return family.folder in codes["ENV065"] or family.name in codes["ENV069"]


def _is_shared(family: ConflictGroup, extra: set[str], codes: dict[str, set[str]]) -> bool:
    """Say whether members of a family are to be removed, and with them files that others need."""
    return _is_told(family, codes) or bool(extra & {str(name) for name in family.members})


def _aside(sick: RepairInput, pinned: dict[str, str]) -> Iterator[str]:
    """Yield the folders that uv cannot remove, or would leave: halves, those without RECORD, and second ones."""
    halves = {half.folder for half in sick.condition.halves}
    yield from halves
    if any(item.code == _STRAY for item in sick.findings):
        yield from (item.path for item in sick.condition.strays)
    by_name: dict[str, list[Distribution]] = {}
    for item in sick.environment.distributions:
        by_name.setdefault(str(item.name), []).append(item)
    for name, items in by_name.items():
        for item in items:
            is_second = len(items) > 1 and item.version != pinned.get(name)
            if (is_second or not item.has_record) and item.folder not in halves:
                yield item.folder


def _project(folder: str) -> str:
    """Return the project of a ``.dist-info``; empty for other folders."""
    return canonicalize_name(folder.partition("-")[0]) if folder.endswith(_INFO) else ""


def _version(folder: str) -> str:
    return folder.removesuffix(_INFO).partition("-")[2]


def _unlocked(sick: RepairInput, catalog: Catalog) -> Iterator[RepairStep]:
    """Do what is certain without a lock: one member of a family stays, as it is; what is broken comes again."""
    there = {str(item.name): item.version for item in sick.environment.distributions}
    told = {item.subject for item in sick.findings if item.code in _TOGETHER}
    gone: list[str] = []
    again: list[str] = []
    for family in catalog.families():
        members = [str(name) for name in family.members if name in there]
        if len(members) < 2 or not told & {family.folder, family.name} or family.chooser:
            continue
        kept = family.survivor(members, _backend_of(family, members, sick.backend))
        gone += members
        again.append(kept)
    halves = {half.folder for half in sick.condition.halves}
    broken = [item.subject for item in sick.findings if item.code == _HALF and item.subject in there]
    broken += sorted(_moved(sick) & set(there))
    again += [name for name in broken if name not in gone]
    there |= {_project(folder): _version(folder) for folder in halves if _project(folder)}
    again += [_project(folder) for folder in halves if _project(folder)]
    yield RepairStep(kind=ASIDE, subjects=tuple(sorted(halves)))
    yield RepairStep(kind=REMOVE, subjects=tuple(gone))
    yield RepairStep(
        kind=INSTALL,
        subjects=tuple(f"{name}=={there[name]}" for name in sorted(set(again)) if "+" not in there[name]),
    )


def _backend_of(family: ConflictGroup, members: list[str], backend: Backend) -> Backend:
    """Return what a member is chosen for: who has installed the one for GPUs wants it."""
    is_for_gpu = family.folder == "onnxruntime" and "onnxruntime-gpu" in members
    return Backend.parse("cu128") if is_for_gpu else backend
