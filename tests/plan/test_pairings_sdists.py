"""Source distributions: whose requirements are still to be read."""

from __future__ import annotations

from envsmith.model.listing import VersionMetadata
from envsmith.plan.pairings import amendment, unread
from tests.plan.made import as_source, package, plan, resolution

READ = VersionMetadata(name="opuslib", version="3.0.1", requires_dist=("six",))


def test_unread_names_what_has_no_wheel() -> None:
    answer = resolution(as_source("opuslib", "3.0.1"), package("six", "1.17.0"))
    assert [(name, version) for name, version, _ in unread(plan(), answer)] == [("opuslib", "3.0.1")]


def test_what_was_read_is_not_read_again() -> None:
    answer = resolution(as_source("opuslib", "3.0.1"))
    given = plan().amended(amendment((READ,)))
    assert given.sdist_metadata() == (READ,)
    assert unread(given, answer) == ()


def test_another_version_is_read_anew() -> None:
    given = plan().amended(amendment((READ,)))
    assert len(unread(given, resolution(as_source("opuslib", "3.0.2")))) == 1


def test_people_are_told() -> None:
    (decision,) = amendment((READ,)).decisions
    assert decision.code == "RES112"
    assert "opuslib 3.0.1" in decision.message
