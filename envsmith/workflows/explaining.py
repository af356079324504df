"""Explain: why a package is in a lock, and where it comes from, read from the files on disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import Version

from envsmith.catalog import Catalog
from envsmith.model.decision import Decision
from envsmith.model.lock import read_pylock
from envsmith.model.manifest import FILENAME, Entry
from envsmith.ports import Files
from envsmith.workflows.recording import PIN, decisions_of, pins_of, read_manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What is known of one package in one lock."""

    profile: str
    slug: str
    name: str
    version: str
    """Empty where the lock does not hold it: the decisions say why."""
    askers: tuple[str, ...]
    index: str
    """Address of the index; empty where only the requirements file is at hand."""
    wheel: str
    sha256: str
    decisions: tuple[Decision, ...]
    bounds: tuple[str, ...]
    """What the catalog says that no metadata declares."""


def explain(package: str, folder: Path, *, catalog: Catalog, files: Files) -> tuple[Explanation, ...]:
    """Return one explanation per lock of a profile that holds a package or decided on it.

    Raises:
        LockError: LCK001 or LCK002 where a file is malformed.
    """
    found = files.read_files(folder)
    manifest = read_manifest(found, str(folder / FILENAME))
    name = canonicalize_name(package)
    if manifest is None:
        return ()
    return tuple(
        explanation
        for slug, entry in sorted(manifest.targets.items())
        for explanation in _of_target(name, slug, entry, found, manifest.profile, catalog)
    )


def _of_target(
    name: str, slug: str, entry: Entry, found: Mapping[str, bytes], profile: str, catalog: Catalog
) -> Iterator[Explanation]:
    text = found.get(f"requirements.{slug}.txt", b"").decode("utf-8", "replace")
    pins = pins_of(text)
    version, askers, sha256 = _pin(text, name)
    decisions = tuple(
        item for item in decisions_of(entry) if name in (canonicalize_name(item.subject), item.subject)
    )
    if not version and not decisions:
        return
    index, wheel = _origin(found.get(f"pylock.{slug}.toml"), slug, name)
    yield Explanation(
        profile=profile,
        slug=slug,
        name=name,
        version=version,
        askers=askers,
        index=index,
        wheel=wheel,
        sha256=sha256,
        decisions=decisions,
        bounds=tuple(_bounds(name, pins, catalog)) if version else (),
    )


def _pin(requirements: str, name: str) -> tuple[str, tuple[str, ...], str]:
    """Read version, askers and the hash of one pin out of a requirements file of ours."""
    version, sha256, askers, inside = "", "", [], False
    for line in requirements.splitlines():
        if match := PIN.match(line):
            inside = match["name"] == name
            version = match["version"] if inside else version
        elif inside and line.strip().startswith("# via "):
            askers.append(line.strip().removeprefix("# via "))
        elif inside and line.strip().startswith("--hash=sha256:"):
            sha256 = line.strip().removeprefix("--hash=sha256:").rstrip(" \\")
    return version, tuple(askers), sha256


def _origin(pylock: bytes | None, slug: str, name: str) -> tuple[str, str]:
    if pylock is None:
        return "", ""
    lock = read_pylock(pylock.decode("utf-8", "replace"), f"pylock.{slug}.toml")
    package = next((item for item in lock.packages if item.name == name), None)
    if package is None:
        return "", ""
    if package.wheels:
        return package.index or "", package.wheels[0].filename
    return package.index or "", package.sdist.filename if package.sdist else ""


def _bounds(name: str, pins: Mapping[str, str], catalog: Catalog) -> Iterator[str]:
    """Yield what the catalog says of this package beside what the lock holds, and no metadata declares."""
    for pairing in catalog.pairings():
        other = canonicalize_name(pairing.when.name)
        touched = {other, *(canonicalize_name(item.name) for item in pairing.needs), *pairing.same_cuda}
        if name in touched and other in pins and pairing.when.specifier.contains(Version(pins[other]).public):
            yield f"{pairing.when}: {pairing.reason} (catalog: pairings, {pairing.retrieved})"
