"""The line that says where rows come from, told as soon as it is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envsmith.console import output as render
from envsmith.errors import EnvsmithError, ToolError

if TYPE_CHECKING:
    from envsmith.index.listings import ListingSources, Sourced
    from envsmith.model.backend import Backend
    from envsmith.model.listing import Listing


class ToldListings:
    """Listings that tell standard error once which catalog they are from, and why not from a better one.

    Args:
        listings: finds the rows.
        reasons: filled by the listings with why the live index could not be used.
        quiet: say nothing.
    """

    def __init__(self, listings: ListingSources, reasons: list[EnvsmithError], *, quiet: bool) -> None:
        self._listings = listings
        self._reasons = reasons
        self._quiet = quiet
        self._told: set[str] = set()

    def get(self, channel: str, backend: Backend) -> Sourced | None:
        """Return the rows, or None where nothing is known of such an index."""
        found = self._listings.get(channel, backend)
        if found:
            self._tell(found.name)
        return found

    def known(self, channel: str, backend: Backend) -> Listing | None:
        """Return the rows at hand, without asking the server; None where there are none."""
        return self._listings.known(channel, backend)

    def _tell(self, name: str) -> None:
        why = [_reason(error) for error in self._reasons]
        self._reasons.clear()
        if self._quiet or (name in self._told and not why):
            return
        self._told.add(name)
        aside = f" ({'; '.join(why)})" if why else ""
        render.labelled("catalog", name + aside, err=True)


def _reason(error: EnvsmithError) -> str:
    if isinstance(error, ToolError):
        return "PyTorch's index did not answer; `envsmith catalog refresh` when it does"
    return f"a page of PyTorch's index cannot be trusted: {error.message}, {error.code}"
