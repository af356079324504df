"""The first line of a lock: which catalog its rows are from, and why not a better one."""

from __future__ import annotations

from typing import cast

import pytest

from envsmith.catalog import Catalog
from envsmith.errors import CatalogError, EnvsmithError, ToolError
from envsmith.index.sources import ListingSources, ListingWithSource
from envsmith.lock.output import AnnouncedListings
from envsmith.model.backend import Backend
from envsmith.model.listing import IndexListing

CU128, CPU, CU999 = (Backend.parse(name) for name in ("cu128", "cpu", "cu999"))


class Listings:
    """Answers with the snapshot, after noting why it is not the live index."""

    def __init__(self, reasons: list[EnvsmithError], *errors: EnvsmithError) -> None:
        self._reasons = reasons
        self._errors = list(errors)
        self._listing = Catalog.embedded().listing("stable", CPU)

    def get(self, channel: str, backend: Backend) -> ListingWithSource | None:
        assert channel == "stable"
        self._reasons += self._errors
        self._errors.clear()
        if backend == CU999 or self._listing is None:
            return None
        return ListingWithSource(listing=self._listing, name="embedded 2026-11-20")

    def known(self, channel: str, backend: Backend) -> IndexListing | None:
        assert (channel, backend) == ("stable", CPU)
        return self._listing


def told(*errors: EnvsmithError, quiet: bool = False) -> AnnouncedListings:
    reasons: list[EnvsmithError] = []
    return AnnouncedListings(cast("ListingSources", Listings(reasons, *errors)), reasons, quiet=quiet)


def test_the_catalog_is_told_once(capfd: pytest.CaptureFixture[str]) -> None:
    listings = told()
    assert listings.get("stable", CPU)
    assert listings.get("stable", CU128)
    shown = capfd.readouterr()
    assert (shown.out, shown.err) == ("", "catalog   embedded 2026-11-20\n")


def test_a_silent_server_is_told_in_words_with_what_to_do(capfd: pytest.CaptureFixture[str]) -> None:
    told(ToolError("TOL030", "NameResolutionError: Failed to resolve")).get("stable", CPU)
    assert capfd.readouterr().err == (
        "catalog   embedded 2026-11-20 (PyTorch's index did not answer; `envsmith catalog refresh` when it does)\n"
    )


def test_a_page_that_cannot_be_trusted_is_told_with_its_code(capfd: pytest.CaptureFixture[str]) -> None:
    told(CatalogError("CAT031", "two hashes for one file")).get("stable", CPU)
    shown = capfd.readouterr().err
    assert "cannot be trusted: two hashes for one file, CAT031" in shown


def test_quiet_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    told(ToolError("TOL030", "x"), quiet=True).get("stable", CPU)
    assert capfd.readouterr().err == ""


def test_an_index_nobody_knows_is_not_told(capfd: pytest.CaptureFixture[str]) -> None:
    assert told().get("stable", CU999) is None
    assert capfd.readouterr().err == ""


def test_what_is_at_hand_is_given_without_a_word(capfd: pytest.CaptureFixture[str]) -> None:
    assert told(ToolError("TOL030", "x")).known("stable", CPU)
    assert capfd.readouterr().err == ""
