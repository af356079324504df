"""What a lock folder keeps of its locks, and what is read back from it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from packaging.utils import canonicalize_name

from envsmith.config.readers import suggestion
from envsmith.errors import ProfileError
from envsmith.lockfile.manifest import FILENAME, Entry, Manifest
from envsmith.lockfile.pylock import Lock
from envsmith.model.decision import Decision
from envsmith.model.listing import index_name
from envsmith.model.wheel import Wheel
from envsmith.plan.model import Plan
from envsmith.plan.ports import Hasher

PIN = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[^\s\\;]+)")


def read_manifest(found: Mapping[str, bytes], place: str) -> Manifest | None:
    """Return a folder's manifest, or None where it has none.

    Raises:
        LockError: LCK002 when it is malformed.
    """
    content = found.get(FILENAME)
    return None if content is None else Manifest.from_toml(content.decode("utf-8", "replace"), place)


def is_current(plan: Plan, manifest: Manifest, found: Mapping[str, bytes]) -> bool:
    """Say whether the lock on disk was made of this very plan, and its files are untouched."""
    entry = manifest.targets.get(plan.target.slug)
    if entry is None or entry.plan != plan.digest():
        return False
    return all(name in found and sha256_of(found[name]) == sha256 for name, sha256 in entry.files.items())


class Recorded:
    """A hasher that first looks into the manifest: bytes once hashed need no second download."""

    def __init__(self, manifest: Manifest | None, hasher: Hasher) -> None:
        # The same filename has other bytes in another index: aarch64 wheels carried no label.
        self._known = {
            (_index(entry), filename): sha256
            for entry in (manifest.targets.values() if manifest else ())
            for _, filename, sha256 in (pin.split(" ") for pin in entry.family.values())
        }
        self._hasher = hasher

    def sha256(self, wheel: Wheel) -> str | None:
        """Return the hash on record, else what the other hasher finds."""
        found = self._known.get((wheel.index, wheel.filename))
        return found.removeprefix("sha256:") if found else self._hasher.sha256(wheel)


def _index(entry: Entry) -> str:
    return index_name(str(entry.inputs.get("channel", "")), str(entry.inputs.get("backend", "")))


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


def entry_of(lock: Lock, plan: Plan) -> Entry:
    """Return what the manifest keeps of one lock."""
    packages = {package.name: package for package in lock.pylock.packages}
    family = {}
    for name in lock.family:
        wheel = (packages[name].wheels or ())[0]  # type: ignore[index]
        family[name] = f"{lock.version(name)} {wheel.filename} sha256:{wheel.hashes['sha256']}"
    return Entry(
        plan=lock.plan_digest,
        inputs=plan.inputs(),
        catalog=str(lock.pylock.tool["envsmith"]["catalog"]) if lock.pylock.tool else "",
        family=family,
        packages=len(packages),
        files={name: sha256_of(content) for name, content in lock_files(lock).items()},
        decisions=tuple(decision.to_json() for decision in lock.decisions),
        unsatisfied=tuple(str(item) for item in lock.unsatisfied),
    )


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
