"""Contrast: find the two things a person means, and say what changes between them."""

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
from envsmith.lockfile.manifest import FILENAME
from envsmith.lockfile.pins import Pin
from envsmith.lockfile.saved import SavedLock
from envsmith.lockfile.store import read_locks
from envsmith.model.license import Licence
from envsmith.model.wheel import WheelContents
from envsmith.plan.ports import Files

_LOCK_FILE = re.compile(r"(?:requirements|pylock)\.(?P<slug>cp3\d+-[a-z0-9_]+)\.(?:txt|toml)")
_NOW = ""

Whole = Mapping[str, tuple[SavedLock, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffTools:
    """What a contrast needs of the world."""

    project: Path
    folder: PurePosixPath
    """Folder of the lock folders, relative to the project."""
    files: Files
    revisions: GitRevisions
    catalog: Catalog
    licences: Callable[[Iterable[Pin]], Mapping[str, Licence]]
    """Returns sha256 → licence of files, as far as known."""
    held: Callable[[str], WheelContents | None] = lambda _: None
    """What is remembered of the wheel with a sha256."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _DiffOperand:
    """What a word means."""

    revision: str = _NOW
    profile: str = ""
    """Empty: all of them."""
    path: Path | None = None
    """A lock folder, or one of its files."""


def contrast(words: tuple[str, ...], tools: DiffTools) -> tuple[LockDiff, ...]:
    """Say what changes, profile by profile.

    Args:
        words: two things; of one, that as it is now is compared with it as it was: a revision with now, a profile
            with itself at HEAD; of none, all profiles.
        tools: what reads them.

    Raises:
        EnvsmithError: USE012 where a word means nothing, USE013 where a path has nothing to be compared with.
        LockError: when a lock is malformed.
    """
    one, other = _both([_meaning(word, tools) for word in words], words)
    named = {one.profile, other.profile} - {""}
    if one.path or other.path or len(named) > 1:
        return (_difference(_side(one, other, tools), _side(other, one, tools), tools),)
    name = "".join(named)
    one, other = replace(one, profile=name), replace(other, profile=name)
    before, after = _whole(one, tools), _whole(other, tools)
    if name and not (before or after):
        raise _not_locked(name, one, tools)
    return tuple(
        _difference(
            DiffSide(title=_title(name, one.revision), locks=before.get(name, ())),
            DiffSide(title=_title(name, other.revision), locks=after.get(name, ())),
            tools,
        )
        for name in sorted({*before, *after})
    )


def _difference(before: DiffSide, after: DiffSide, tools: DiffTools) -> LockDiff:
    pins = {sha256: pin for side in (before, after) for pin in _pins(side) for sha256 in pin.sha256}
    if len({frozenset(lock.digest() for lock in side.locks) for side in (before, after)}) == 1:
        return compare(before, after, tools.catalog)  # nothing is looked up for files that stay
    held = {sha256: tools.held(sha256) for sha256 in pins}
    known = CompareFacts(
        licences=tools.licences(pins.values()),
        sizes={sha256: contents.size_bytes for sha256, contents in held.items() if contents},
    )
    return compare(before, after, tools.catalog, known)


def _pins(side: DiffSide) -> Iterator[Pin]:
    for lock in side.locks:
        yield from lock.pins.packages


def _both(meant: list[_DiffOperand], words: tuple[str, ...]) -> tuple[_DiffOperand, _DiffOperand]:
    if len(meant) == 2:
        return meant[0], meant[1]
    only = meant[0] if meant else _DiffOperand()
    if only.path:
        raise EnvsmithError(
            "USE013",
            "a folder or file alone is compared with nothing",
            where=words[0],
            hint="name a second one, a profile, or REV:PROFILE",
        )
    return _DiffOperand(revision=only.revision or "HEAD", profile=only.profile), _DiffOperand(
        profile=only.profile
    )


def _meaning(word: str, tools: DiffTools) -> _DiffOperand:
    """Find out what a word means: a locked profile first, then a path, a revision, a profile that was locked."""
    if word and (tools.project / tools.folder / word / FILENAME).is_file():
        return _DiffOperand(profile=word)
    path = tools.project / word
    if word and (_folder_of(path) / FILENAME).is_file():
        return _DiffOperand(path=path)
    revision, colon, profile = word.partition(":")
    if revision and tools.revisions.has(revision):
        return _DiffOperand(revision=revision, profile=profile)
    if not colon and _was_locked(word, tools):
        return _DiffOperand(profile=word)
    asked = (
        f"{revision!r} is no revision" if colon else f"{word!r} is no locked profile, lock folder or revision"
    )
    raise EnvsmithError(
        "USE012",
        asked,
        where="envsmith diff",
        hint="name PROFILE, REV, REV:PROFILE, a lock folder or one of its files; a shallow clone has but one revision",
    )


def _was_locked(profile: str, tools: DiffTools) -> bool:
    """Say whether the last commit has locks of a profile that is locked no longer."""
    return tools.revisions.has("HEAD") and FILENAME in tools.revisions.folders("HEAD", tools.folder).get(
        profile, ()
    )


def _side(meant: _DiffOperand, other: _DiffOperand, tools: DiffTools) -> DiffSide:
    """Return the locks of one thing; where it is a whole revision, those of the profile the other is of."""
    if meant.path:
        return _of_path(meant.path, tools)
    profile = meant.profile or other.profile or (_name_of(_folder_of(other.path)) if other.path else "")
    found = _whole(_DiffOperand(revision=meant.revision, profile=profile), tools)
    if profile not in found:
        raise _not_locked(profile, meant, tools)
    return DiffSide(title=_title(profile, meant.revision), locks=found[profile])


def _not_locked(profile: str, meant: _DiffOperand, tools: DiffTools) -> EnvsmithError:
    found = [name for name, files in _folders(meant, tools) if FILENAME in files]
    return EnvsmithError(
        "USE012",
        f"{profile} is not locked there",
        where=_title(profile, meant.revision),
        details=(("locked", " ".join(found)),) if found else (),
        hint=f"envsmith lock {profile}" if not meant.revision else "",
    )


def _name_of(folder: Path) -> str:
    """Return what a lock folder is called; the one that one stands in has no name of its own there."""
    return folder.name or folder.as_posix()


def _folder_of(path: Path) -> Path:
    return path if path.is_dir() else path.parent


def _of_path(path: Path, tools: DiffTools) -> DiffSide:
    folder = _folder_of(path)
    locks = read_locks(_name_of(folder), tools.files.read_files(folder), folder)
    match = _LOCK_FILE.fullmatch(path.name)
    if match:
        locks = tuple(lock for lock in locks if lock.target.slug == match["slug"])
    title = _name_of(folder) if path.is_dir() or not match else f"{_name_of(folder)}/{match['slug']}"
    return DiffSide(title=title, locks=locks)


def _whole(meant: _DiffOperand, tools: DiffTools) -> Whole:
    """Return the locks of every profile at one time."""
    at = f"{meant.revision}:" if meant.revision else ""
    return {
        profile: read_locks(profile, found, PurePosixPath(f"{at}{tools.folder / profile}"))
        for profile, found in _folders(meant, tools)
        if FILENAME in found and meant.profile in ("", profile)
    }


def _folders(meant: _DiffOperand, tools: DiffTools) -> Iterator[tuple[str, Mapping[str, bytes]]]:
    if meant.revision:
        yield from sorted(tools.revisions.folders(meant.revision, tools.folder).items())
        return
    for path in sorted((tools.project / tools.folder).glob(f"*/{FILENAME}")):
        yield path.parent.name, tools.files.read_files(path.parent)


def _title(profile: str, revision: str) -> str:
    return f"{profile} at {revision}" if revision else profile
