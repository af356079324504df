"""The live index with its overlay, as the workflows use them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from envsmith.errors import CatalogError, EnvsmithError, ToolError
from envsmith.index.cache import Overlay
from envsmith.index.reader import PyTorchIndex, ReadRequest
from envsmith.model.backend import Backend
from envsmith.model.listing import Listing

SILENCE_S = 600.0
"""Seconds for which a server that did not answer is not asked again by the way."""


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
        overlay: Overlay,
        projects: tuple[str, ...],
        tell: Callable[[EnvsmithError], None] = lambda _: None,
    ) -> None:
        self._index = index
        self._overlay = overlay
        self._projects = projects
        self._tell = tell

    def refresh(
        self, channel: str, backend: Backend, known: Listing | None, *, deadline_s: float, max_age: timedelta
    ) -> Listing:
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

    def kept(self, channel: str, backend: Backend) -> Listing | None:
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
