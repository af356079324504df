"""Sources of listings: PyTorch's live index, the cache of earlier reads, and the embedded snapshot."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Literal

from envsmith.errors import CatalogError, ChangedFileError, EnvsmithError, ToolError
from envsmith.model.backend import Backend
from envsmith.model.listing import IndexListing

if TYPE_CHECKING:
    from pathlib import Path

    from envsmith.catalog import Catalog
    from envsmith.index.cache import ListingCache
    from envsmith.index.reader import PyTorchIndex

CatalogMode = Literal["auto", "embedded", "live"]
BACK_OFF_S = 600.0
"""Seconds for which mode ``auto`` does not ask a server again that did not answer."""
AUTO_S = 3.0
LIVE_S = 120.0
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingWithSource:
    """A listing with the name of its source."""

    listing: IndexListing
    name: str
    """``embedded 2026-11-20``, ``live 2026-11-21``, ``overlay 2026-11-21`` (cached)."""


class LivePyTorch:
    """Reads the indexes of one server through a cache.

    Args:
        index: the server.
        listings: cache of its listings.
        projects: whose pages are read.
        warn: called with the versions left out because their requirements could not be read.
    """

    def __init__(
        self,
        index: PyTorchIndex,
        listings: ListingCache,
        projects: tuple[str, ...],
        warn: Callable[[EnvsmithError], None] = lambda _: None,
    ) -> None:
        self._index = index
        self._listings = listings
        self._projects = projects
        self._warn = warn

    def refresh(
        self,
        channel: str,
        backend: Backend,
        known: IndexListing | None,
        *,
        deadline_s: float,
        max_age: timedelta,
    ) -> IndexListing:
        """Read the pages of an index and return its listing, merged with the known one.

        Warns with CAT040 if versions are left out.

        Raises:
            ToolError: when the server does not answer in time.
            CatalogError: when a page is malformed, or there is no such index.
        """
        from envsmith.index.reader import ReadRequest

        request = ReadRequest(
            channel=channel,
            backend=backend,
            projects=self._projects,
            deadline_s=deadline_s,
            known=known,
            max_age=max_age,
        )
        try:
            found = self._index.read(request)
        except ToolError:
            self._mark(is_unreachable=True)
            raise
        self._mark(is_unreachable=False)
        if found.problems:
            self._warn(_left_out(request.index, found.problems))
        return found.listing

    def cached(self, channel: str, backend: Backend) -> IndexListing | None:
        """Return the listing read last, without a request.

        Raises:
            CatalogError: when the file in the cache is damaged.
        """
        return self._listings.read_listing(channel, backend)

    def is_backing_off(self) -> bool:
        """Say whether the server failed to answer within the last ten minutes."""
        try:
            return 0 <= time.time() - self._mark_path().stat().st_mtime < BACK_OFF_S
        except OSError:
            return False

    def _mark_path(self) -> Path:
        return self._listings.root / f"silent-{self._listings.name}"

    def _mark(self, *, is_unreachable: bool) -> None:
        """Store the time of a failure as that of an empty file, by the clock that `is_backing_off` reads."""
        try:
            if is_unreachable:
                self._listings.root.mkdir(parents=True, exist_ok=True)
                self._mark_path().touch()
                now_s = time.time()
                os.utime(self._mark_path(), (now_s, now_s))
            else:
                self._mark_path().unlink(missing_ok=True)
        except OSError:
            return  # without a writable cache each run asks the server


class ListingSources:
    """Chooses a listing per index, and warns once why it is not a better one.

    Args:
        catalog: has the snapshot.
        mode: ``auto`` prefers the live index, then the cache, then the snapshot; ``live`` without permission to
            use the network means the cache.
        live: makes the reader of the live index, when it is first needed.
        is_online: whether the network may be used.
        warn: called with the reasons why the live index could not be used.
        announce: called with the name of each source that is used.
    """

    def __init__(
        self,
        catalog: Catalog,
        mode: str,
        live: Callable[[], LivePyTorch],
        *,
        is_online: bool,
        warn: Callable[[EnvsmithError], None],
        announce: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._catalog = catalog
        self._mode = mode
        self._live = cache(live)
        self._warn = warn
        self._announce = announce
        self._found: dict[tuple[str, Backend], ListingWithSource | None] = {}
        self._is_online = is_online
        self._is_reachable = is_online

    def get(self, channel: str, backend: Backend) -> ListingWithSource | None:
        """Return the listing of an index, or None if no source has one.

        Raises:
            ToolError: in mode ``live``, when the server does not answer.
            CatalogError: in mode ``live``, when a page is malformed.
        """
        key = (channel, backend)
        if key not in self._found:
            self._found[key] = self._choose(channel, backend)
        if found := self._found[key]:
            self._announce(found.name)
        return self._found[key]

    def known(self, channel: str, backend: Backend) -> IndexListing | None:
        """Return the listing at hand without a request, or None if there is none."""
        found = self._found.get((channel, backend))
        if found is None and self._mode != "embedded":
            found = self._cached(channel, backend)
        return found.listing if found else self._catalog.listing(channel, backend)

    def _choose(self, channel: str, backend: Backend) -> ListingWithSource | None:
        snapshot = self._catalog.listing(channel, backend)
        embedded = (
            ListingWithSource(listing=snapshot, name=f"embedded {snapshot.retrieved}") if snapshot else None
        )
        if self._mode == "embedded":
            return embedded
        if self._mode == "live" and self._is_online:
            return self._refreshed(channel, backend, snapshot, deadline_s=LIVE_S, max_age=timedelta(0))
        found = self._answer(channel, backend, snapshot) or self._cached(channel, backend)
        if found is None or (snapshot and found.listing.retrieved < snapshot.retrieved):
            # A newer envsmith comes with a newer snapshot than the cache.
            return embedded
        return found

    def _answer(
        self, channel: str, backend: Backend, snapshot: IndexListing | None
    ) -> ListingWithSource | None:
        """Ask the server; after a failure not again in this run, whatever the index."""
        if not self._is_reachable:
            return None
        if self._live().is_backing_off():
            self._is_reachable = False
            self._warn(ToolError("TOL036", "PyTorch's index did not answer some minutes ago"))
            return None
        try:
            return self._refreshed(channel, backend, snapshot, deadline_s=AUTO_S, max_age=DAY)
        except ToolError as error:
            self._is_reachable = False
            self._warn(error)
        except ChangedFileError:
            raise
        except CatalogError as error:
            self._warn(error)
        return None

    def _refreshed(
        self,
        channel: str,
        backend: Backend,
        snapshot: IndexListing | None,
        *,
        deadline_s: float,
        max_age: timedelta,
    ) -> ListingWithSource:
        found = self._live().refresh(channel, backend, snapshot, deadline_s=deadline_s, max_age=max_age)
        return ListingWithSource(listing=found, name=f"live {found.retrieved}")

    def _cached(self, channel: str, backend: Backend) -> ListingWithSource | None:
        try:
            found = self._live().cached(channel, backend)
        except CatalogError as error:
            self._warn(error)
            return None
        return ListingWithSource(listing=found, name=f"overlay {found.retrieved}") if found else None


def _left_out(index: str, problems: tuple[EnvsmithError, ...]) -> CatalogError:
    count = "1 version is" if len(problems) == 1 else f"{len(problems)} versions are"
    first = problems[0]
    return CatalogError(
        "CAT040",
        f"{count} left out because their requirements could not be read: {first}",
        where=index,
        hint=first.hint,
        parts=problems,
    )
