"""Explanations of a locked package: requirers, origin, decisions, reversals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import Version

from envsmith.catalog import Catalog
from envsmith.lock.kept_pins import pinned_lines
from envsmith.lockfile.manifest import FILENAME, TargetRecord
from envsmith.lockfile.pylock import read_pylock
from envsmith.lockfile.store import decisions_of, read_manifest
from envsmith.model.backend import Backend
from envsmith.model.finding import Decision
from envsmith.model.listing import IndexListing
from envsmith.plan.conflicts import SUBSTITUTED
from envsmith.plan.ports import Files, Listings
from envsmith.plan.pruning import NEEDED, UNUSED
from envsmith.plan.target_plan import DROPPED


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Facts on one package in one lock; the field names are the keys of ``--json``."""

    profile: str
    slug: str
    name: str
    version: str
    """Empty for a package that is not locked; the decisions have the reason."""
    askers: tuple[str, ...]
    """Places of direct requirements, and requiring packages."""
    index: str
    """Address of the index, or the place of a package that is from none; empty without the pylock file."""
    wheel: str
    sha256: str
    decisions: tuple[Decision, ...]
    bounds: tuple[str, ...]
    """Undeclared pairings from the catalog."""
    ways: tuple[str, ...] = ()
    """Chains of requirers: ``timm ← ultralytics ← requirements.in:3``."""
    roots: tuple[str, ...] = ()
    """Direct requirements at the end of the chains."""
    changes: tuple[str, ...] = ()
    """Changes that would reverse the decisions, and other backends."""


def explain(
    package: str, folder: Path, *, catalog: Catalog, files: Files, listings: Listings | None = None
) -> tuple[Explanation, ...]:
    """Return one explanation per lock of a profile that has a package or a decision on it.

    Raises:
        LockError: LCK001 or LCK002 when a file is malformed.
    """
    found = files.read_files(folder)
    manifest = read_manifest(found, str(folder / FILENAME))
    name = canonicalize_name(package)
    if manifest is None:
        return ()
    explanations = tuple(
        explanation
        for slug, entry in sorted(manifest.targets.items())
        for explanation in _of_target(name, slug, entry, found, manifest.profile, catalog)
    )
    if (
        listings is None
        or not any(item.version for item in explanations)
        or name not in {item.name for item in catalog.projects()}
    ):
        return explanations
    backends = {entry.backend for entry in manifest.targets.values()}
    others = other_backends(name, _successors(backends, catalog, listings))
    return tuple(
        replace(item, changes=(*item.changes, *others)) if item.version else item for item in explanations
    )


def _successors(backends: set[Backend], catalog: Catalog, listings: Listings) -> Iterator[IndexListing]:
    """Yield the listings of newer backends of the same kind that still get builds."""
    for facts in catalog.backends():
        newer = all(facts.backend.family == own.family and facts.backend > own for own in backends)
        if newer and facts.stable_end is None and (listing := listings.known("stable", facts.backend)):
            yield listing


def _of_target(
    name: str, slug: str, entry: TargetRecord, found: Mapping[str, bytes], profile: str, catalog: Catalog
) -> Iterator[Explanation]:
    pinned = pinned_lines(slug, found)
    pin = pinned.get(name)
    chains = _shortest_chains(name, {name: line.requirers for name, line in pinned.items()})
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
        index=index or (pin.source if pin else ""),
        wheel=wheel,
        sha256=pin.sha256[-1] if pin and pin.sha256 else "",
        decisions=decisions,
        bounds=tuple(_bounds(name, {name: line.version for name, line in pinned.items()}, catalog))
        if pin
        else (),
        ways=tuple(" ← ".join(chain) for chain in chains),
        roots=tuple(dict.fromkeys(chain[-2] for chain in chains)),
        changes=changes(name, decisions),
    )


def _shortest_chains(name: str, requirers: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """Return the shortest chain of requirers from a package to each place with a direct requirement."""
    chains: dict[str, tuple[str, ...]] = {}
    queue: list[tuple[str, ...]] = [(name,)]
    seen = {name}
    for chain in queue:
        for requirer in requirers.get(chain[-1], ()):
            if requirer not in requirers and len(chain) > 1:
                chains.setdefault(requirer, (*chain[1:], requirer))
            elif requirer in requirers and requirer not in seen:
                seen.add(requirer)
                queue.append((*chain, requirer))
    return list(chains.values())


def _origin(pylock: bytes | None, slug: str, name: str) -> tuple[str, str]:
    if pylock is None:
        return "", ""
    lock = read_pylock(pylock.decode("utf-8", "replace"), f"pylock.{slug}.toml")
    package = next((item for item in lock.packages if item.name == name), None)
    if package is None:
        return "", ""
    if package.wheels:
        return package.index or "", package.wheels[0].filename
    if package.archive:
        return package.archive.url or "", ""
    return package.index or "", package.sdist.filename if package.sdist else ""


def _bounds(name: str, pins: Mapping[str, str], catalog: Catalog) -> Iterator[str]:
    """Yield the undeclared pairings of this package with the other packages of the lock."""
    for pairing in catalog.pairings():
        other = canonicalize_name(pairing.when.name)
        related = {other, *(canonicalize_name(item.name) for item in pairing.needs), *pairing.same_cuda}
        if (
            name in related
            and pins.get(other)
            and pairing.when.specifier.contains(Version(pins[other]).public)
        ):
            yield f"{pairing.when}: {pairing.reason} (catalog: pairings, {pairing.retrieved})"


def changes(name: str, decisions: Iterable[Decision]) -> tuple[str, ...]:
    """Return the changes that would reverse the decisions on a package, each once.

    Args:
        name: normalised.
        decisions: those of a lock on the package.
    """
    return tuple(dict.fromkeys(text for item in decisions for text in _reversals(name, item)))


def _reversals(name: str, decision: Decision) -> Iterator[str]:
    keep = f'family.{name} = "keep" in the profile' if name in ("torchvision", "torchaudio") else ""
    if decision.code == DROPPED:
        yield keep or f"removing family.{name} from the profile"
    elif decision.code == UNUSED:
        yield "an import in the project's files, or a package that requires it"
        yield keep or f"removing {name} from `prune` in the profile"
    elif decision.code == SUBSTITUTED and decision.subject == name:
        yield f"choosing {name} under `family` in the profile"
    elif decision.code == NEEDED:
        # The requirers are part of the message only; without them, uses in the project keep the package.
        requirers = decision.message.partition(" stays: required by ")[2]
        yield (
            f"removing the packages that require it: {requirers}" if requirers else "removing the uses above"
        )


def other_backends(name: str, listings: Iterable[IndexListing]) -> tuple[str, ...]:
    """Return the newest version of a torch-family project for other backends.

    Args:
        name: normalised.
        listings: of other backends, stable channel.
    """
    return tuple(f"--backend {listing.backend}: {_newest(name, listing)}" for listing in listings)


def _newest(name: str, listing: IndexListing) -> str:
    versions = [Version(text) for text in listing.projects.get(name, {})]
    return f"{name} up to {max(versions).public} exists" if versions else f"no {name} exists for it"
