"""What becomes of a backend or channel that has ended, by the profile's own rule and by the cutoff."""

from __future__ import annotations

import pytest

from envsmith.catalog import Catalog
from envsmith.config.profile import Profile
from envsmith.errors import ResolveError
from envsmith.model.backend import Backend
from envsmith.model.target import Platform, Python
from envsmith.plan.backend_lifecycle import settle

BEFORE, AFTER = "2026-04-01T00:00:00Z", "2026-11-20T09:00:00Z"


def profile(backend: str, on_retired: str, channel: str = "stable") -> Profile:
    return Profile(
        name="made",
        backend=Backend.parse(backend),
        channel=channel,
        on_retired=on_retired,
        python=(Python.parse("3.12"),),
        platforms=(Platform.parse("linux"),),
    )


@pytest.mark.parametrize(
    ("backend", "channel", "rule", "cutoff", "taken", "codes"),
    [
        ("cu130", "stable", "error", AFTER, "cu130 stable", []),
        ("cpu", "nightly", "error", AFTER, "cpu nightly", []),
        # cu128 ended in May 2026: at a cutoff before, it is as alive as any other.
        ("cu128", "stable", "error", BEFORE, "cu128 stable", []),
        ("cu128", "stable", "stable", AFTER, "cu128 stable", ["RES104"]),
        ("cu128", "stable", "successor", AFTER, "cu130 stable", ["RES105"]),
        # Its nightlies ended on 2026-04-07.
        ("cu128", "nightly", "error", BEFORE, "cu128 nightly", []),
        ("cu128", "nightly", "stable", AFTER, "cu128 stable", ["RES103", "RES104"]),
        ("cu128", "nightly", "successor", AFTER, "cu130 nightly", ["RES105"]),
        # One step after the other, until something is alive.
        ("cu118", "stable", "successor", AFTER, "cu130 stable", ["RES105"]),
    ],
)
def test_settle(backend: str, channel: str, rule: str, cutoff: str, taken: str, codes: list[str]) -> None:
    course = settle(profile(backend, rule, channel), Catalog.embedded(), cutoff)
    assert f"{course.backend} {course.channel}" == taken
    assert [decision.code for decision in course.decisions] == codes


def test_the_end_names_what_follows_and_its_driver() -> None:
    (decision,) = settle(profile("cu128", "stable"), Catalog.embedded(), AFTER).decisions
    assert decision.message == "CUDA 12.8 · torch 2.11.0 is its last; cu130 follows (driver ≥ 580)"
    assert decision.evidence[0].endswith("2026-11-20")


@pytest.mark.parametrize("channel", ["stable", "nightly"])
def test_the_rule_error_refuses(channel: str) -> None:
    with pytest.raises(ResolveError) as caught:
        settle(profile("cu128", "error", channel), Catalog.embedded(), AFTER)
    assert caught.value.code == "RES010"
    assert "cu130 follows" in caught.value.message
    assert "on-retired" in caught.value.hint
