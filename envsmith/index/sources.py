"""The live index with its overlay, as the workflows use them.

Where rows come from: PyTorch's live index, what was read of it before, or the snapshot.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from envsmith.catalog import Catalog
from envsmith.errors import CatalogError, EnvsmithError, ToolError
from envsmith.index.cache import ListingCache
from envsmith.index.reader import PyTorchIndex, ReadRequest
from envsmith.model.backend import Backend
from envsmith.model.listing import IndexListing

SILENCE_S = 600.0
"""Seconds for which a server that did not answer is not asked again by the way."""
MODES = ("auto", "embedded", "live")
PATIENCE_S = 3.0
LIVE_S = 120.0
DAY = timedelta(days=1)


class LivePyTorch:
    """Reads one server's indexes and keeps what it read.

    Args:
        index: the server.
        overlay: where it keeps.
        projects: whose pages are read.
        tell: hears of versions that cannot be used, for what they require could not be read.
    """

    def __init__(
        self,
        index: PyTorchIndex,
        overlay: ListingCache,
        projects: tuple[str, ...],
        tell: Callable[[EnvsmithError], None] = lambda _: None,
    ) -> None:
        self._index = index
        self._overlay = overlay
        self._projects = projects
        self._tell = tell

    def refresh(
        self,
        channel: str,
        backend: Backend,
        known: IndexListing | None,
        *,
        deadline_s: float,
        max_age: timedelta,
    ) -> IndexListing:
        """Read the pages and return the rows, joined with what was known.

        Versions without readable requirements are told as CAT040.

        Raises:
            ToolError: when the server does not answer in time.
            CatalogError: when a page cannot be trusted, or there is no such index.
        """
        request = ReadRequest(
            channel=channel,
            backend=backend,
            projects=self._projects,
            deadline_s=deadline_s,
            known=known,
            max_age=max_age,
        )
        try:
            reading = self._index.read(request)
        except ToolError:
            self._mark(is_silent=True)
            raise
        self._mark(is_silent=False)
        if reading.problems:
            self._tell(_left_out(request.index, reading.problems))
        return reading.listing

    def was_silent_lately(self) -> bool:
        """Say whether the server was asked within the last ten minutes and did not answer."""
        try:
            return 0 <= time.time() - self._mark_path().stat().st_mtime < SILENCE_S
        except OSError:
            return False

    def _mark_path(self) -> Path:
        return self._overlay.root / f"silent-{self._overlay.name}"

    def _mark(self, *, is_silent: bool) -> None:
        """Remember silence as the time of an empty file; a cache that cannot be written remembers nothing."""
        try:
            if is_silent:
                self._overlay.root.mkdir(parents=True, exist_ok=True)
                self._mark_path().touch()
                os.utime(self._mark_path())
            else:
                self._mark_path().unlink(missing_ok=True)
        except OSError:
            return

    def kept(self, channel: str, backend: Backend) -> IndexListing | None:
        """Return what was read before, without asking the server.

        Raises:
            CatalogError: when the file in the overlay is damaged.
        """
        return self._overlay.read_listing(channel, backend)


def _left_out(index: str, problems: tuple[EnvsmithError, ...]) -> CatalogError:
    count = "a version is" if len(problems) == 1 else f"{len(problems)} versions are"
    first = problems[0]
    return CatalogError(
        "CAT040",
        f"{count} left out, for what they require could not be read: {first}",
        where=index,
        hint=first.hint,
        parts=problems,
    )


class LiveIndex(Protocol):
    """PyTorch's index as the workflows need it."""

    def refresh(
        self,
        channel: str,
        backend: Backend,
        known: IndexListing | None,
        *,
        deadline_s: float,
        max_age: timedelta,
    ) -> IndexListing:
        """Read the pages and return the rows, joined with what was known.

        Raises:
            ToolError: when the server does not answer in time.
            CatalogError: when a page cannot be trusted, or there is no such index.
        """
        ...

    def kept(self, channel: str, backend: Backend) -> IndexListing | None:
        """Return what was read before, without asking the server."""
        ...

    def was_silent_lately(self) -> bool:
        """Say whether the server did not answer a short while ago."""
        ...


class ListingSources:
    """Chooses a listing, and tells once per index when it is not the one hoped for.

    Args:
        catalog: has the snapshot.
        mode: one of MODES; ``live`` without leave to ask the server means what was read of it last.
        live: reads the live index, and what was kept of it.
        is_online: whether the server may be asked at all.
        tell: hears why the live index could not be used.
    """

    def __init__(
        self,
        catalog: Catalog,
        mode: str,
        live: LiveIndex,
        *,
        is_online: bool,
        tell: Callable[[EnvsmithError], None],
    ) -> None:
        self._catalog = catalog
        self._mode = mode
        self._live = live
        self._tell = tell
        self._found: dict[tuple[str, Backend], ListingWithSource | None] = {}
        self._is_online = is_online
        self._is_reachable = is_online

    def get(self, channel: str, backend: Backend) -> ListingWithSource | None:
        """Return the rows of an index, or None where nothing is known of it.

        Raises:
            ToolError: in mode ``live``, when the server does not answer.
            CatalogError: in mode ``live``, when a page cannot be trusted.
        """
        key = (channel, backend)
        if key not in self._found:
            self._found[key] = self._choose(channel, backend)
        return self._found[key]

    def known(self, channel: str, backend: Backend) -> IndexListing | None:
        """Return the rows at hand, without asking the server; None where there are none."""
        found = self._found.get((channel, backend))
        if found is None and self._mode != "embedded":
            found = self._kept(channel, backend)
        return found.listing if found else self._catalog.listing(channel, backend)

    def _choose(self, channel: str, backend: Backend) -> ListingWithSource | None:
        snapshot = self._catalog.listing(channel, backend)
        embedded = (
            ListingWithSource(listing=snapshot, name=f"embedded {snapshot.retrieved}") if snapshot else None
        )
        if self._mode == "embedded":
            return embedded
        if self._mode == "live" and self._is_online:
            found = self._live.refresh(channel, backend, snapshot, deadline_s=LIVE_S, max_age=timedelta(0))
            return ListingWithSource(listing=found, name=f"live {found.retrieved}")
        kept = self._answered(channel, backend, snapshot) or self._kept(channel, backend)
        if kept is None or (snapshot and kept.listing.retrieved < snapshot.retrieved):
            # A newer envsmith brought a newer snapshot than what was once read.
            return embedded
        return kept

    def _answered(
        self, channel: str, backend: Backend, snapshot: IndexListing | None
    ) -> ListingWithSource | None:
        """Ask the server; a silent one is asked once a run, not once per index."""
        if not self._is_reachable:
            return None
        if self._live.was_silent_lately():
            self._is_reachable = False
            self._tell(ToolError("TOL036", "PyTorch's index did not answer some minutes ago"))
            return None
        try:
            found = self._live.refresh(channel, backend, snapshot, deadline_s=PATIENCE_S, max_age=DAY)
        except ToolError as error:
            self._is_reachable = False
            self._tell(error)
            return None
        except CatalogError as error:
            self._tell(error)
            return None
        return ListingWithSource(listing=found, name=f"live {found.retrieved}")

    def _kept(self, channel: str, backend: Backend) -> ListingWithSource | None:
        try:
            found = self._live.kept(channel, backend)
        except CatalogError as error:
            self._tell(error)
            return None
        return ListingWithSource(listing=found, name=f"overlay {found.retrieved}") if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingWithSource:
    """A listing, and where it came from."""

    listing: IndexListing
    name: str
    """``embedded 2026-11-20``, ``live 2026-11-21``."""
