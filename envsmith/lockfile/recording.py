"""What a lock folder keeps of its locks, and what is read back from it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from packaging.utils import canonicalize_name

from envsmith.errors import ProfileError
from envsmith.lockfile.manifest import FILENAME, Entry, Manifest
from envsmith.lockfile.pylock import Lock
from envsmith.model.decision import Decision
from envsmith.model.naming import suggestion

PIN = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[^\s\\;]+)")


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


def decisions_of(entry: Entry) -> list[Decision]:
    """Read the decisions back that the manifest keeps of a lock."""
    return [
        Decision(
            subject=str(item["subject"]),
            kind=str(item["kind"]),
            message=str(item["message"]),
            evidence=tuple(item.get("evidence", ())),  # type: ignore[arg-type]
            code=str(item.get("code", "")),
        )
        for item in entry.decisions
    ]


def pins_of(requirements: str) -> dict[str, str]:
    """Return name → version of a requirements file that we wrote."""
    return {match["name"]: match["version"] for match in map(PIN.match, requirements.splitlines()) if match}


def sha256_of(content: bytes) -> str:
    """Return the sha256 (hex) of bytes."""
    return hashlib.sha256(content).hexdigest()


def movable(move: tuple[str, ...], found: Mapping[str, bytes], profile: str) -> tuple[str, ...]:
    """Return the names of packages to move, normalised, if the locks on disk hold each of them.

    Raises:
        ProfileError: PRF043 when one is in none of the profile's locks.
    """
    texts = (content for name, content in found.items() if name.startswith("requirements."))
    pinned = {name for content in texts for name in pins_of(content.decode("utf-8", "replace"))}
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
