"""Files that a lock records: they count as known on a machine whose index listing lacks them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from envsmith.lockfile.manifest import Manifest
from envsmith.lockfile.whole import is_url_of
from envsmith.model.backend import Backend
from envsmith.model.listing import Entry, IndexListing, Metadata, Release, default_url, index_name


def known_files(
    listing: IndexListing | None, kept: Manifest | None, channel: str, backend: Backend
) -> IndexListing | None:
    """Return a listing completed with the torch-family files of a lock; None if there is neither.

    What the listing says of a file, and of the requirements of a version, comes before what the lock says.

    Args:
        listing: of the index on this machine.
        kept: manifest of the lock; its files of other indexes are left out.
        channel: of the index.
        backend: of the index.
    """
    rows = list(_rows(kept, channel, backend)) if kept else []
    if kept is None or not rows:
        return listing
    if listing is None:
        listing = IndexListing(
            channel=channel, backend=backend, retrieved=kept.cutoff_utc[:10], source="the lock"
        )
    projects = {name: dict(releases) for name, releases in listing.projects.items()}
    for name, version, entry in rows:
        releases = projects.setdefault(name, {})
        release = releases.get(version) or Release(
            index=listing.index, name=name, version=version, entries=(), metadata=None
        )
        if all(known[0] != entry[0] for known in release.entries):
            release = replace(
                release, entries=tuple(sorted((*release.entries, entry), key=lambda item: item[0]))
            )
        if release.metadata is None:
            release = replace(release, metadata=_metadata(kept, name, version))
        releases[version] = release
    return replace(
        listing,
        projects=MappingProxyType({name: MappingProxyType(found) for name, found in projects.items()}),
    )


def _rows(kept: Manifest, channel: str, backend: Backend) -> Iterator[tuple[str, str, Entry]]:
    index = index_name(channel, backend)
    for record in kept.targets.values():
        if (record.channel, record.backend) != (channel, backend):
            continue
        for name, pin in record.family.items():
            if (
                name not in record.from_pypi
                and name not in record.routes
                and is_url_of(pin.url, pin.filename)
            ):
                url = None if pin.url == default_url(index, pin.filename) else pin.url
                yield name, pin.version, (pin.filename, pin.sha256, pin.uploaded or None, url, (), None)


def _metadata(kept: Manifest, name: str, version: str) -> Metadata | None:
    found: Mapping[str, object] | None = next(
        (row for row in kept.metadata if (row["name"], row["version"]) == (name, version)), None
    )
    if found is None:
        return None
    return Metadata(
        requires_dist=tuple(found["requires-dist"]),  # type: ignore[arg-type]
        requires_python=str(found.get("requires-python", "")) or None,
        confidence="exact",
        basis="the lock",
    )
