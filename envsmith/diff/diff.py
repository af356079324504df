"""Differences between the locks named on the command line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from envsmith.catalog import Catalog
from envsmith.diff.compare import CompareFacts, compare
from envsmith.diff.model import DiffSide, LockDiff
from envsmith.errors import EnvsmithError
from envsmith.files.git import GitRevisions
from envsmith.files.text import folders_with, is_missing
from envsmith.lockfile.manifest import FILENAME
from envsmith.lockfile.pins import Pin
from envsmith.lockfile.saved import SavedLock
from envsmith.lockfile.store import read_locks
from envsmith.model.license import PackageLicense
from envsmith.model.wheel import WheelContents
from envsmith.plan.ports import Files
from envsmith.wiring import lock_rules

# `requirements.TARGET.txt` or `pylock.TARGET.toml`.
_LOCK_FILE = re.compile(r"(?:requirements|pylock)\.(?P<slug>cp3\d+t?-[a-z0-9_]+)\.(?:txt|toml)")
_CURRENT = ""

LocksByProfile = Mapping[str, tuple[SavedLock, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffTools:
    """Readers of files, revisions and cached metadata."""

    project: Path
    folder: PurePosixPath
    """Folder of the lock folders, relative to the project."""
    files: Files
    revisions: GitRevisions
    catalog: Catalog
    licences: Callable[[Iterable[Pin]], Mapping[str, PackageLicense]]
    """Returns sha256 → licence of files, as far as known."""
    cached_contents: Callable[[str, str], WheelContents | None] = lambda _sha256, _url: None
    """Returns the cached contents of a wheel, by sha256 and URL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _DiffOperand:
    """A command-line argument, parsed."""

    revision: str = _CURRENT
    profile: str = ""
    """Empty for all profiles."""
    path: Path | None = None
    """A lock folder, or one of its files."""


def diff_locks(words: tuple[str, ...], tools: DiffTools) -> tuple[LockDiff, ...]:
    """Return the differences, one per profile.

    Args:
        words: up to two arguments; a single revision is compared with the current locks, a single profile with HEAD,
            and without arguments all profiles with HEAD.
        tools: readers.

    Raises:
        EnvsmithError: USE012 when an argument cannot be interpreted, USE013 for a single path.
        LockError: when a lock is malformed.
    """
    one, other = _operand_pair([_parse_operand(word, tools) for word in words], words)
    named = {one.profile, other.profile} - {""}
    if one.path or other.path or len(named) > 1:
        return (_diff_sides(_operand_side(one, other, tools), _operand_side(other, one, tools), tools),)
    name = "".join(named)
    one, other = replace(one, profile=name), replace(other, profile=name)
    before, after = _locks_at(one, tools), _locks_at(other, tools)
    if name and not (before or after):
        raise _not_locked(name, one, tools)
    return tuple(
        _diff_sides(
            DiffSide(title=_title(name, one.revision), locks=before.get(name, ())),
            DiffSide(title=_title(name, other.revision), locks=after.get(name, ())),
            tools,
        )
        for name in sorted({*before, *after})
    )


def _diff_sides(before: DiffSide, after: DiffSide, tools: DiffTools) -> LockDiff:
    pins = {sha256: pin for side in (before, after) for pin in _pins(side) for sha256 in pin.sha256}
    if len({frozenset(lock.digest() for lock in side.locks) for side in (before, after)}) == 1:
        return compare(before, after, tools.catalog)  # equal locks: skip all look-ups
    contents = {sha256: tools.cached_contents(sha256, pin.url) for sha256, pin in pins.items()}
    facts = CompareFacts(
        licences=tools.licences(pins.values()),
        sizes={sha256: item.size_bytes for sha256, item in contents.items() if item},
    )
    return compare(before, after, tools.catalog, facts)


def _pins(side: DiffSide) -> Iterator[Pin]:
    for lock in side.locks:
        yield from lock.pins.packages


def _operand_pair(operand: list[_DiffOperand], words: tuple[str, ...]) -> tuple[_DiffOperand, _DiffOperand]:
    if len(operand) == 2:
        return operand[0], operand[1]
    only = operand[0] if operand else _DiffOperand()
    if only.path:
        raise EnvsmithError(
            "USE013",
            "a folder or file needs a second argument to compare with",
            where=words[0],
            hint="add a folder, file, PROFILE or REV:PROFILE",
        )
    return _DiffOperand(revision=only.revision or "HEAD", profile=only.profile), _DiffOperand(
        profile=only.profile
    )


def _parse_operand(word: str, tools: DiffTools) -> _DiffOperand:
    """Parse an argument: as a locked profile, a path, a revision or a formerly locked profile, in this order."""
    if word and not is_missing(tools.project / tools.folder / word / FILENAME):
        return _DiffOperand(profile=word)
    path = tools.project / word
    if word and not is_missing(_folder_of(path) / FILENAME):
        return _DiffOperand(path=path)
    revision, colon, profile = word.partition(":")
    if revision and tools.revisions.has(revision):
        return _DiffOperand(revision=revision, profile=profile)
    if not colon and _was_locked(word, tools):
        return _DiffOperand(profile=word)
    problem = (
        f"unknown revision `{revision}`"
        if colon
        else f"`{word}` is not a locked profile, lock folder or revision"
    )
    raise EnvsmithError(
        "USE012",
        problem,
        where="envsmith diff",
        hint="use PROFILE, REV, REV:PROFILE, a lock folder or one of its files; a shallow clone lacks older revisions",
    )


def _was_locked(profile: str, tools: DiffTools) -> bool:
    """Return whether HEAD has locks of a profile."""
    return tools.revisions.has("HEAD") and FILENAME in tools.revisions.folders("HEAD", tools.folder).get(
        profile, ()
    )


def _operand_side(operand: _DiffOperand, other: _DiffOperand, tools: DiffTools) -> DiffSide:
    """Return the locks of one operand; for a whole revision those of the other operand's profile."""
    if operand.path:
        return _path_side(operand.path, tools)
    profile = operand.profile or other.profile or (_name_of(_folder_of(other.path)) if other.path else "")
    found = _locks_at(_DiffOperand(revision=operand.revision, profile=profile), tools)
    if profile not in found:
        raise _not_locked(profile, operand, tools)
    return DiffSide(title=_title(profile, operand.revision), locks=found[profile])


def _not_locked(profile: str, operand: _DiffOperand, tools: DiffTools) -> EnvsmithError:
    found = [name for name, files in _folders(operand, tools) if FILENAME in files]
    return EnvsmithError(
        "USE012",
        f"profile `{profile}` is not locked there",
        where=_title(profile, operand.revision),
        details=(("locked", " ".join(found)),) if found else (),
        hint=f"envsmith lock {profile}" if not operand.revision else "",
    )


def _name_of(folder: Path) -> str:
    """Return the name of a lock folder; ``.`` for the current one."""
    return folder.name or folder.as_posix()


def _folder_of(path: Path) -> Path:
    return path if path.is_dir() else path.parent


def _path_side(path: Path, tools: DiffTools) -> DiffSide:
    folder = _folder_of(path)
    locks = read_locks(_name_of(folder), tools.files.read_files(folder), folder, lock_rules())
    match = _LOCK_FILE.fullmatch(path.name)
    if match:
        locks = tuple(lock for lock in locks if lock.target.slug == match["slug"])
    title = _name_of(folder) if path.is_dir() or not match else f"{_name_of(folder)}/{match['slug']}"
    return DiffSide(title=title, locks=locks)


def _locks_at(operand: _DiffOperand, tools: DiffTools) -> LocksByProfile:
    """Return the locks of the operand's profiles at its revision."""
    at = f"{operand.revision}:" if operand.revision else ""
    return {
        profile: read_locks(profile, found, PurePosixPath(f"{at}{tools.folder / profile}"), lock_rules())
        for profile, found in _folders(operand, tools)
        if FILENAME in found and operand.profile in ("", profile)
    }


def _folders(operand: _DiffOperand, tools: DiffTools) -> Iterator[tuple[str, Mapping[str, bytes]]]:
    if operand.revision:
        yield from sorted(tools.revisions.folders(operand.revision, tools.folder).items())
        return
    parent = tools.project / tools.folder
    for name in folders_with(parent, FILENAME):
        yield name, tools.files.read_files(parent / name)


def _title(profile: str, revision: str) -> str:
    return f"{profile} at {revision}" if revision else profile
