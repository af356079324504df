from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from envsmith.catalog import Catalog
from envsmith.errors import CatalogError, EnvsmithError, ToolError
from envsmith.index.sources import ListingSources, LivePyTorch
from envsmith.model.backend import Backend
from envsmith.model.listing import IndexListing

CATALOG = Catalog.embedded()
CU128, CU130 = Backend.parse("cu128"), Backend.parse("cu130")
SILENT, BROKEN = ToolError("TOL031", "no answer"), CatalogError("CAT030", "no index page")


def snapshot(backend: Backend = CU128, retrieved: str = "2099-01-01") -> IndexListing:
    found = CATALOG.listing("stable", backend)
    assert found
    return replace(found, retrieved=retrieved)


@dataclass
class Live(LivePyTorch):
    """A fake live index."""

    error: EnvsmithError | None = None
    keeps: IndexListing | EnvsmithError | None = None
    is_silent: bool = False
    asked: list[Backend] = field(default_factory=list)

    def refresh(
        self,
        channel: str,
        backend: Backend,
        known: IndexListing | None,
        *,
        deadline_s: float,
        max_age: timedelta,
    ) -> IndexListing:
        assert (channel, known is not None, deadline_s > 0, max_age >= timedelta(0)) == (
            "stable",
            True,
            True,
            True,
        )
        self.asked.append(backend)
        if self.error:
            raise self.error
        return snapshot(backend)

    def cached(self, channel: str, backend: Backend) -> IndexListing | None:
        assert (channel, backend.family) == ("stable", "cuda")
        if isinstance(self.keeps, EnvsmithError):
            raise self.keeps
        return self.keeps

    def is_backing_off(self) -> bool:
        return self.is_silent


def sources(
    live: Live, mode: str = "auto", *, is_online: bool = True
) -> tuple[ListingSources, list[EnvsmithError]]:
    told: list[EnvsmithError] = []
    return ListingSources(CATALOG, mode, lambda: live, is_online=is_online, warn=told.append), told


def name(found: ListingSources, backend: Backend = CU128) -> str:
    sourced = found.get("stable", backend)
    assert sourced
    return sourced.name


EMBEDDED = f"embedded {CATALOG.listing('stable', CU128).retrieved}"  # type: ignore[union-attr]


def test_embedded_asks_nobody() -> None:
    live = Live()
    found, told = sources(live, "embedded")
    assert name(found) == EMBEDDED
    assert (live.asked, told) == ([], [])


def test_the_live_index_is_made_once_and_not_for_the_snapshot() -> None:
    made: list[Live] = []

    def make() -> Live:
        made.append(Live())
        return made[-1]

    assert name(ListingSources(CATALOG, "embedded", make, is_online=True, warn=lambda _: None)) == EMBEDDED
    assert made == []
    found = ListingSources(CATALOG, "auto", make, is_online=True, warn=lambda _: None)
    assert [name(found), name(found, CU130)] == ["live 2099-01-01"] * 2
    assert len(made) == 1


def test_sources_are_announced_when_they_are_used() -> None:
    used: list[str] = []
    found = ListingSources(
        CATALOG, "embedded", Live, is_online=True, warn=lambda _: None, announce=used.append
    )
    assert found.known("stable", CU128)
    assert found.get("stable", Backend.parse("cu999")) is None
    assert used == []
    assert name(found) == EMBEDDED
    assert used == [EMBEDDED]


def test_auto_takes_the_server_and_asks_once_per_index() -> None:
    live = Live()
    found, told = sources(live)
    assert [name(found), name(found), name(found, CU130)] == ["live 2099-01-01"] * 3
    assert (live.asked, told) == ([CU128, CU130], [])


def test_silent_server_is_asked_once_a_run() -> None:
    live = Live(error=SILENT)
    found, told = sources(live)
    assert name(found) == EMBEDDED
    assert name(found, CU130).startswith("embedded")
    assert (live.asked, told) == ([CU128], [SILENT])


def test_server_silent_lately_is_not_asked() -> None:
    live = Live(is_silent=True)
    found, told = sources(live)
    assert name(found) == EMBEDDED
    assert (live.asked, [error.code for error in told]) == ([], ["TOL036"])


def test_broken_page_keeps_others_from_nothing() -> None:
    live = Live(error=BROKEN)
    found, told = sources(live)
    assert name(found) == EMBEDDED
    assert name(found, CU130).startswith("embedded")
    assert (live.asked, told) == ([CU128, CU130], [BROKEN, BROKEN])


def test_what_was_kept_is_next() -> None:
    found, _ = sources(Live(error=SILENT, keeps=snapshot(retrieved="2098-01-01")))
    assert name(found) == "overlay 2098-01-01"


def test_older_than_the_snapshot_is_left() -> None:
    found, _ = sources(Live(error=SILENT, keeps=snapshot(retrieved="2020-01-01")))
    assert name(found) == EMBEDDED


def test_damaged_overlay_is_told() -> None:
    found, told = sources(Live(error=SILENT, keeps=BROKEN))
    assert name(found) == EMBEDDED
    assert told == [SILENT, BROKEN]


def test_offline_asks_nobody() -> None:
    live = Live(keeps=snapshot())
    found, told = sources(live, is_online=False)
    assert name(found) == "overlay 2099-01-01"
    assert (live.asked, told) == ([], [])


@pytest.mark.parametrize("error", [SILENT, BROKEN])
def test_live_or_nothing(error: EnvsmithError) -> None:
    found, _ = sources(Live(error=error), "live")
    with pytest.raises(type(error)):
        found.get("stable", CU128)


def test_live_without_leave_means_what_was_read_last() -> None:
    live = Live(keeps=snapshot())
    assert name(sources(live, "live", is_online=False)[0]) == "overlay 2099-01-01"
    assert live.asked == []


def test_known_rows_ask_nobody() -> None:
    live = Live(keeps=snapshot(retrieved="2098-01-01"))
    found, _ = sources(live)
    known = found.known("stable", CU128)
    assert known
    assert known.retrieved == "2098-01-01"
    assert live.asked == []


def test_unknown_index() -> None:
    found, _ = sources(Live(), "embedded")
    assert found.get("stable", Backend.parse("cu999")) is None
    assert found.known("stable", Backend.parse("cu999")) is None
