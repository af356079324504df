"""What would change an answer: for each decision that touched a package, the way to another one.

Explain: why a package is in a lock, and where it comes from, read from the files on disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from packaging.utils import canonicalize_name
from packaging.version import Version

from envsmith.catalog import Catalog
from envsmith.lockfile.manifest import FILENAME, TargetRecord
from envsmith.lockfile.pins import requirements_lines
from envsmith.lockfile.pylock import read_pylock
from envsmith.lockfile.store import decisions_of, read_manifest
from envsmith.model.backend import Backend
from envsmith.model.finding import Decision
from envsmith.model.listing import IndexListing
from envsmith.plan.ports import Files

# Codes of decisions, as docs/reference/findings.md has them.
_DROPPED_BY_PROFILE, _SUBSTITUTED, _DROPPED, _STAYS = "RES101", "RES111", "RES114", "RES115"


def changes(name: str, decisions: Iterable[Decision]) -> tuple[str, ...]:
    """Return what would undo what was decided about a package, in sentences without a subject.

    Args:
        name: normalised.
        decisions: those that a lock keeps of it.
    """
    return tuple(dict.fromkeys(way for item in decisions for way in _ways_to_keep(name, item)))


def _ways_to_keep(name: str, decision: Decision) -> Iterator[str]:
    keep = f'family.{name} = "keep" in the profile' if name in ("torchvision", "torchaudio") else ""
    if decision.code == _DROPPED_BY_PROFILE:
        yield keep or f"leaving {name} out of what the profile drops"
    elif decision.code == _DROPPED:
        yield "a use in the project's files, or a package that requires it"
        yield keep or f"leaving {name} out of the profile's `prune`"
    elif decision.code == _SUBSTITUTED and decision.subject == name:
        yield f"naming {name} under `family` in the profile as the member to keep"
    elif decision.code == _STAYS:
        # Who requires it stands in the sentence alone; where nobody does, uses of it keep it.
        requirers = decision.message.partition(" stays: required by ")[2]
        yield (
            f"doing without what requires it: {requirers}" if requirers else "taking out the uses named here"
        )


def elsewhere(name: str, listings: Iterable[IndexListing]) -> tuple[str, ...]:
    """Return what asking for other backends would bring of a torch-family project, or that they have none.

    Args:
        name: normalised.
        listings: rows of other backends, stable channel.
    """
    return tuple(f"--backend {listing.backend}: {_newest(name, listing)}" for listing in listings)


def _newest(name: str, listing: IndexListing) -> str:
    versions = [Version(text) for text in listing.projects.get(name, {})]
    return f"{name} up to {max(versions).public} exists" if versions else f"no {name} exists for it"


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
    ways: tuple[str, ...] = ()
    """What brings it in where it is not asked for: ``timm ← ultralytics ← requirements.in:3``."""
    roots: tuple[str, ...] = ()
    """The packages asked for that bring it in."""
    changes: tuple[str, ...] = ()
    """What would change the answer."""


class ExplainFacts(Protocol):
    """Rows of indexes at hand."""

    def known(self, channel: str, backend: Backend) -> IndexListing | None:
        """Return the rows at hand, without asking any server; None where there are none."""
        ...


def explain(
    package: str, folder: Path, *, catalog: Catalog, files: Files, listings: ExplainFacts | None = None
) -> tuple[Explanation, ...]:
    """Return one explanation per lock of a profile that holds a package or decided on it.

    Raises:
        LockError: LCK001 or LCK002 where a file is malformed.
    """
    found = files.read_files(folder)
    manifest = read_manifest(found, str(folder / FILENAME))
    name = canonicalize_name(package)
    if manifest is None:
        return ()
    told = tuple(
        explanation
        for slug, entry in sorted(manifest.targets.items())
        for explanation in _of_target(name, slug, entry, found, manifest.profile, catalog)
    )
    if (
        listings is None
        or not any(item.version for item in told)
        or name not in {item.name for item in catalog.projects()}
    ):
        return told
    backends = {Backend.parse(str(entry.inputs["backend"])) for entry in manifest.targets.values()}
    others = elsewhere(name, _successors(backends, catalog, listings))
    return tuple(replace(item, changes=(*item.changes, *others)) if item.version else item for item in told)


def _successors(backends: set[Backend], catalog: Catalog, listings: ExplainFacts) -> Iterator[IndexListing]:
    """Yield the rows of the newer backends of the same family that still get builds."""
    for facts in catalog.backends():
        newer = all(facts.backend.family == own.family and facts.backend > own for own in backends)
        if newer and facts.stable_end is None and (listing := listings.known("stable", facts.backend)):
            yield listing


def _of_target(
    name: str, slug: str, entry: TargetRecord, found: Mapping[str, bytes], profile: str, catalog: Catalog
) -> Iterator[Explanation]:
    text = found.get(f"requirements.{slug}.txt", b"").decode("utf-8", "replace")
    pinned = {line.name: line for line in requirements_lines(text) if line.name}
    pin = pinned.get(name)
    ways = _shortest_ways(name, {name: line.requirers for name, line in pinned.items()})
    decisions = tuple(
        item for item in decisions_of(entry) if name in (canonicalize_name(item.subject), item.subject)
    )
    if not pin and not decisions:
        return
    index, wheel = _origin(found.get(f"pylock.{slug}.toml"), slug, name)
    yield Explanation(
        profile=profile,
        slug=slug,
        name=name,
        version=pin.version if pin else "",
        askers=pin.requirers if pin else (),
        index=index,
        wheel=wheel,
        sha256=pin.sha256[-1] if pin and pin.sha256 else "",
        decisions=decisions,
        bounds=tuple(_bounds(name, {name: line.version for name, line in pinned.items()}, catalog))
        if pin
        else (),
        ways=tuple(" ← ".join(way) for way in ways),
        roots=tuple(dict.fromkeys(way[-2] for way in ways)),
        changes=changes(name, decisions),
    )


def _shortest_ways(name: str, askers: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """Return the shortest way from a package to each place that brings it in by another package."""
    ways: dict[str, tuple[str, ...]] = {}
    queue: list[tuple[str, ...]] = [(name,)]
    seen = {name}
    for way in queue:
        for asker in askers.get(way[-1], ()):
            if asker not in askers and len(way) > 1:
                ways.setdefault(asker, (*way[1:], asker))
            elif asker in askers and asker not in seen:
                seen.add(asker)
                queue.append((*way, asker))
    return list(ways.values())


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
