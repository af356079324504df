"""Read the locks of a profile back from their folder, or from what a revision has of it.

What a lock folder keeps of its locks, and what is read back from it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from envsmith.errors import LockError, ProfileError
from envsmith.lockfile.manifest import FILENAME, Manifest, TargetRecord
from envsmith.lockfile.pins import Pins, requirements_lines
from envsmith.lockfile.pylock import Lock
from envsmith.lockfile.saved import SavedLock
from envsmith.model.backend import Backend
from envsmith.model.finding import Decision
from envsmith.model.naming import suggestion
from envsmith.model.target import ALIASES, Target, parse_slug


def read_manifest(found: Mapping[str, bytes], place: str) -> Manifest | None:
    """Return a folder's manifest, or None where it has none.

    Raises:
        LockError: LCK002 when it is malformed.
    """
    content = found.get(FILENAME)
    return None if content is None else Manifest.from_toml(content.decode("utf-8", "replace"), place)


def lock_files(lock: Lock) -> dict[str, bytes]:
    """Return the files of one lock, by name."""
    slug = lock.target.slug
    return {
        f"pylock.{slug}.toml": lock.to_toml().encode(),
        f"requirements.{slug}.txt": lock.to_requirements().encode(),
    }


def names_of(manifest: Manifest | None) -> set[str]:
    """Return the names of all files that a manifest speaks of."""
    if manifest is None:
        return set()
    return {*manifest.scripts, *(name for entry in manifest.targets.values() for name in entry.files)}


def decisions_of(entry: TargetRecord) -> list[Decision]:
    """Read the decisions back that the manifest keeps of a lock."""
    return [
        Decision(
            subject=str(item["subject"]),
            kind=item["kind"],  # type: ignore[arg-type]
            message=str(item["message"]),
            evidence=tuple(item.get("evidence", ())),  # type: ignore[arg-type]
            code=str(item.get("code", "")),
        )
        for item in entry.decisions
    ]


def sha256_of(content: bytes) -> str:
    """Return the sha256 (hex) of bytes."""
    return hashlib.sha256(content).hexdigest()


def movable(move: tuple[str, ...], found: Mapping[str, bytes], profile: str) -> tuple[str, ...]:
    """Return the names of packages to move, normalised, if the locks on disk hold each of them.

    Raises:
        ProfileError: PRF043 when one is in none of the profile's locks.
    """
    texts = (content for name, content in found.items() if name.startswith("requirements."))
    lines = (line for content in texts for line in requirements_lines(content.decode("utf-8", "replace")))
    pinned = {line.name for line in lines if line.name}
    names = tuple(str(canonicalize_name(name)) for name in move)
    for name in names:
        if name not in pinned:
            raise ProfileError(
                "PRF043",
                f"{name!r} is in no lock of {profile}: -P moves a package that is locked",
                where="envsmith lock: -P",
                hint=suggestion(name, pinned) if pinned else f"lock {profile} first",
            )
    return names


def read_locks(profile: str, found: Mapping[str, bytes], folder: PurePath) -> tuple[SavedLock, ...]:
    """Read every lock of a profile, sorted by target.

    Args:
        profile: its name.
        found: the files of its lock folder.
        folder: where they lie, for messages.

    Raises:
        LockError: LCK002 when the manifest is malformed, LCK005 where requirements are missing, LCK006 where they are
            not as they were written, LCK040 where the profile was never locked.
    """
    manifest = read_manifest(found, str(folder / FILENAME))
    if manifest is None:
        raise LockError(
            "LCK040",
            f"{profile} has never been locked: {FILENAME} is missing",
            where=folder.as_posix(),
            hint=f"envsmith lock {profile}",
        )
    return tuple(
        replace(_kept(profile, slug, entry, found, folder), cutoff_utc=manifest.cutoff_utc)
        for slug, entry in sorted(manifest.targets.items())
    )


def chosen(locks: Sequence[SavedLock], words: Sequence[str]) -> tuple[SavedLock, ...]:
    """Return the locks whose target has one of the names, or a half of it (``cp312``, ``windows``); all without names.

    Raises:
        LockError: LCK041 where a word means none of them.
    """
    meant: list[SavedLock] = []
    for word in words:
        found = [lock for lock in locks if _is_meant(lock.target.slug, word)]
        if not found:
            raise LockError(
                "LCK041",
                f"there is no lock for {word}",
                where=locks[0].profile if locks else "",
                details=(("locked", " ".join(lock.target.slug for lock in locks)),),
                hint="--target names one of these, or half of it; leave it out for all",
            )
        meant += found
    return tuple(lock for lock in locks if not words or lock in meant)


def _is_meant(slug: str, word: str) -> bool:
    return word == slug or ALIASES.get(word, word) in slug.split("-", 1)


def _kept(
    profile: str, slug: str, entry: TargetRecord, found: Mapping[str, bytes], folder: PurePath
) -> SavedLock:
    python, platform = parse_slug(slug)
    backend = Backend.parse(str(entry.inputs.get("backend", "cpu")))
    return SavedLock(
        profile=profile,
        target=Target(python=python, platform=platform, backend=backend),
        pins=_pins(slug, entry, found, folder),
        channel=str(entry.inputs.get("channel", "stable")),
        family={name: pin.filename for name, pin in entry.family.items()},
        from_pypi=tuple(_projects(entry.inputs.get("from-pypi", ()))),
        asked=tuple(_projects(entry.inputs.get("requirement", ()))),
        decisions=tuple(decisions_of(entry)),
    )


def _pins(slug: str, entry: TargetRecord, found: Mapping[str, bytes], folder: PurePath) -> Pins:
    """Read the pylock where it is at hand and untouched, for it knows sizes; else the requirements."""
    pylock, name = f"pylock.{slug}.toml", f"requirements.{slug}.txt"
    if pylock in found and sha256_of(found[pylock]) == entry.files.get(pylock):
        return Pins.from_pylock(found[pylock].decode("utf-8", "replace"), str(folder / pylock))
    if name not in found:
        raise LockError(
            "LCK005",
            f"{name} is missing",
            where=folder.as_posix(),
            hint="put the committed file back, or write it anew with `envsmith lock`",
        )
    return Pins.from_requirements(found[name].decode("utf-8", "replace"), str(folder / name))


def _projects(texts: object) -> list[str]:
    """Return the names of requirements as a plan's inputs have them."""
    names = []
    for text in texts if isinstance(texts, (list, tuple)) else ():
        try:
            names.append(str(canonicalize_name(Requirement(str(text)).name)))
        except InvalidRequirement:
            continue
    return names
