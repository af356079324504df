from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envsmith.lock.nightly_age import LISTED, _days, aging
from envsmith.lockfile.manifest import FamilyPin
from envsmith.model.backend import Backend
from envsmith.model.listing import IndexListing, group_releases
from tests.values import HEX, torch

RETRIEVED = date(2026, 11, 20)


def nightly(days_before: int) -> str:
    return f"2.15.0.dev{RETRIEVED - timedelta(days=days_before):%Y%m%d}+cu130"


def listing(*versions: str) -> IndexListing:
    rows = [torch(version, index="nightly/cu130") for version in versions]
    return IndexListing(
        channel="nightly",
        backend=Backend.parse("cu130"),
        retrieved=str(RETRIEVED),
        source="made up",
        projects=group_releases(rows, {}),
    )


def notes(version: str, *versions: str) -> list[str]:
    family = {"torch": FamilyPin(version=version, filename="torch-x.whl", sha256=HEX)}
    found = list(aging(family, listing(version, *versions), "nightly/cp312-win_amd64"))
    assert {(item.code, item.severity) for item in found} <= {("TOL055", "note")}
    return [item.message for item in found]


@pytest.mark.parametrize(
    ("age", "known", "said"),
    [
        (0, 0, "leaves the index in about 60 days (the index lists the newest 60; 0 newer known"),
        (10, 5, "leaves the index in about 50 days (the index lists the newest 60; 5 newer known"),
        (59, 59, "leaves the index in about 1 day "),
        (97, 3, "most likely no longer in the index: built 97 days earlier"),
        (60, 60, "no longer in the index ("),
    ],
)
def test_how_close_a_nightly_is(age: int, known: int, said: str) -> None:
    (message,) = notes(nightly(age), *(nightly(days) for days in range(known)))
    assert said in message
    assert "as of 2026-11-20" in message


def test_backends_and_stable_versions_do_not_count() -> None:
    (message,) = notes(nightly(3), "2.15.0+cu130", nightly(1), nightly(1).replace("cu130", "cu132"))
    assert f"newest {LISTED}; 1 newer known" in message


def test_stable_pins_do_not_age() -> None:
    assert notes("2.14.1+cu130") == []


@given(st.dates(date(2020, 1, 1), date(2099, 12, 31)), st.dates(date(2020, 1, 1), date(2099, 12, 31)))
def test_days_are_those_of_the_calendar(one: date, other: date) -> None:
    assert _days(str(one)) - _days(f"{other:%Y%m%d}") == (one - other).days


def test_what_is_no_day_is_none() -> None:
    assert _days("sometime") == 0
