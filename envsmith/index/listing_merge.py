"""Join what a page lists with what was known before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from envsmith.index.page_rows import PageRow
from envsmith.model.listing import HOST, Listing, Metadata, Release
from envsmith.model.wheel import Wheel

Key = tuple[str, str]
"""Project and version text."""


def join_listings(first: Listing | None, second: Listing | None) -> dict[Key, Release]:
    """Return the releases of two listings; of a version both know, all rows, the first one's winning."""
    releases: dict[Key, Release] = {}
    for listing in (second, first):
        if listing is None:
            continue
        for project, versions in listing.projects.items():
            for version, release in versions.items():
                releases[project, version] = _joined(release, releases.get((project, version)))
    return releases


def merge_rows(page: Iterable[PageRow], known: Iterable[Wheel], *, keep_unlisted: bool) -> tuple[Wheel, ...]:
    """Return the wheels of one project: those of the page, with what is known of each added.

    A hash that differs from the known one is taken, and the known one kept as withdrawn. A yanked file is
    left out, known or not.

    Args:
        page: rows of the page.
        known: wheels of the same project and index.
        keep_unlisted: whether known wheels that the page no longer lists stay.
    """
    before = {wheel.filename: wheel for wheel in known}
    merged: dict[str, Wheel] = {}
    for row in page:
        old = before.pop(row.wheel.filename, None)
        if not row.yanked:
            merged[row.wheel.filename] = row.wheel if old is None else _updated(row.wheel, old)
    if keep_unlisted:
        merged |= before
    return tuple(merged[name] for name in sorted(merged))


def reusable_metadata(known: Mapping[Key, Release], wheels: Iterable[Wheel]) -> dict[Key, Metadata]:
    """Return the known metadata that still speaks of these wheels: none of its version has other bytes."""
    current = {wheel.filename: wheel.sha256 for wheel in wheels}
    return {
        key: release.metadata
        for key, release in known.items()
        if release.metadata is not None
        and all(row[1] is None or current.get(row[0], row[1]) == row[1] for row in release.rows)
    }


def _joined(first: Release, second: Release | None) -> Release:
    if second is None:
        return first
    names = {row[0] for row in first.rows}
    return replace(
        first,
        rows=tuple(sorted((*first.rows, *(row for row in second.rows if row[0] not in names)))),
        metadata=first.metadata or second.metadata,
    )


def _updated(new: Wheel, old: Wheel) -> Wheel:
    if new.sha256 is not None and old.sha256 is not None and new.sha256 != old.sha256:
        withdrawn = {*old.withdrawn, old.sha256} - {new.sha256}
        return replace(new, withdrawn=tuple(sorted(withdrawn)))
    # A page's time is the object's last change: a copy moves it. The bytes were there at the earlier one.
    times = [time for time in (new.upload_time, old.upload_time) if time]
    return replace(
        new,
        url=old.url if old.url.startswith(HOST) and not new.url.startswith(HOST) else new.url,
        sha256=new.sha256 or old.sha256,
        upload_time=min(times, default=None),
        withdrawn=old.withdrawn,
    )
