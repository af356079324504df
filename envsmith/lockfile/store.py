"""Files of a lock folder: their names and contents, and the reader of saved locks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from envsmith.errors import LockError
from envsmith.lockfile.manifest import FILENAME, Manifest, TargetRecord
from envsmith.lockfile.pylock import Lock, unhashed_name
from envsmith.lockfile.saved import SavedLock
from envsmith.lockfile.whole import NO_RULES, LockRules, LockTexts, check
from envsmith.model.finding import Decision
from envsmith.model.target import ALIASES, Target, parse_slug


def read_manifest(found: Mapping[str, bytes], place: str) -> Manifest | None:
    """Return a folder's manifest, or None if it has none.

    Raises:
        LockError: LCK002 when it is malformed.
    """
    content = found.get(FILENAME)
    return None if content is None else Manifest.from_toml(content.decode("utf-8", "replace"), place)


def lock_files(lock: Lock) -> dict[str, bytes]:
    """Return the files of one lock, by name."""
    slug = lock.target.slug
    unhashed = lock.to_unhashed()
    return {
        f"pylock.{slug}.toml": lock.to_toml().encode(),
        f"requirements.{slug}.txt": lock.to_requirements().encode(),
        **({unhashed_name(slug): unhashed.encode()} if unhashed else {}),
    }


def file_names(manifest: Manifest | None) -> set[str]:
    """Return the names of all files in a manifest."""
    if manifest is None:
        return set()
    names = {*manifest.scripts, *(name for entry in manifest.targets.values() for name in entry.files)}
    return names | {f"pylock.{slug}.toml" for slug in manifest.targets}


def decisions_of(entry: TargetRecord) -> list[Decision]:
    """Return the decisions in a manifest's record."""
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
    """Return the SHA-256 (hex) of a text file with line feeds as line ends, whatever a checkout has made of them."""
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()


def is_recorded(content: bytes, sha256: str) -> bool:
    """Return whether a file has a recorded digest; those of form 1 are over the bytes as written."""
    return sha256 in (sha256_of(content), hashlib.sha256(content).hexdigest())


def is_same(one: bytes | None, other: bytes) -> bool:
    """Return whether two texts differ in nothing but line ends."""
    return one is not None and sha256_of(one) == sha256_of(other)


def read_locks(
    profile: str, found: Mapping[str, bytes], folder: PurePath, rules: LockRules = NO_RULES
) -> tuple[SavedLock, ...]:
    """Read every lock of a profile, sorted by target.

    Args:
        profile: its name.
        found: files of its lock folder, current or of a revision.
        folder: path of the folder, for messages.
        rules: what is known of files and servers apart from the locks.

    Raises:
        LockError: LCK002 when the manifest is malformed, LCK005 when requirements are missing, LCK040 when the profile
            was never locked; as `whole.check`.
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
        _read_lock(profile, slug, manifest, found, folder, rules) for slug in sorted(manifest.targets)
    )


def select_locks(locks: Sequence[SavedLock], names: Sequence[str]) -> tuple[SavedLock, ...]:
    """Return the locks of targets; all of them without names.

    Args:
        locks: to select from.
        names: slugs, or one half of them: ``cp312``, ``windows``.

    Raises:
        LockError: LCK041 when a name matches no lock.
    """
    selected: list[SavedLock] = []
    for name in names:
        found = [lock for lock in locks if _matches(lock.target.slug, name)]
        if not found:
            raise LockError(
                "LCK041",
                f"no lock matches target `{name}`",
                where=locks[0].profile if locks else "",
                details=(("locked", " ".join(lock.target.slug for lock in locks)),),
                hint="use one of these with --target, or one half of it; without --target all are used",
            )
        selected += found
    return tuple(lock for lock in locks if not names or lock in selected)


def _matches(slug: str, name: str) -> bool:
    return name == slug or ALIASES.get(name, name) in slug.split("-", 1)


def _read_lock(
    profile: str,
    slug: str,
    manifest: Manifest,
    found: Mapping[str, bytes],
    folder: PurePath,
    rules: LockRules,
) -> SavedLock:
    entry = manifest.targets[slug]
    python, platform = parse_slug(slug)
    texts = LockTexts.of(slug, entry, found, folder)
    requirements, pylock = check(slug, manifest, texts, rules, profile=profile)
    return SavedLock(
        profile=profile,
        target=Target(python=python, platform=platform, backend=entry.backend),
        pins=pylock or requirements,
        channel=entry.channel,
        family={name: pin.filename for name, pin in entry.family.items()},
        from_pypi=entry.from_pypi,
        requested=entry.requested,
        decisions=tuple(decisions_of(entry)),
        cutoff_utc=manifest.cutoff_utc,
    )
