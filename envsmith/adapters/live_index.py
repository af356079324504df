"""The live index with its overlay, as the workflows use them."""

from __future__ import annotations

from datetime import timedelta

from envsmith.adapters.index_pages import PyTorchIndex, ReadRequest
from envsmith.adapters.overlay import Overlay
from envsmith.model.backend import Backend
from envsmith.model.listing import Listing


class LivePyTorch:
    """Reads one server's indexes and keeps what it read.

    Args:
        index: the server.
        overlay: where it keeps.
        projects: whose pages are read.
    """

    def __init__(self, index: PyTorchIndex, overlay: Overlay, projects: tuple[str, ...]) -> None:
        self._index = index
        self._overlay = overlay
        self._projects = projects

    def refresh(
        self, channel: str, backend: Backend, known: Listing | None, *, deadline_s: float, max_age: timedelta
    ) -> Listing:
        """Read the pages and return the rows, joined with what was known.

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
        return self._index.read(request).listing

    def kept(self, channel: str, backend: Backend) -> Listing | None:
        """Return what was read before, without asking the server.

        Raises:
            CatalogError: when the file in the overlay is damaged.
        """
        return self._overlay.read_listing(channel, backend)
