"""Wheels listed without a hash."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envsmith.errors import ResolveError
from envsmith.index.hashing import NoDownloads
from envsmith.model.listing import VersionMetadata
from envsmith.model.target import Target
from envsmith.model.wheel import Wheel
from envsmith.plan.candidates import CandidateSet
from envsmith.plan.wheel_hashes import complete, skipped
from tests.plan.made import HEX, asked, plan, row, target

TAGS = "cp312-cp312-manylinux_2_28_x86_64.whl"
NIGHTLY = row(f"torch-2.8.0.dev20250606+cu128-{TAGS}", sha256=None)
OLDER = row(f"torch-2.8.0.dev20250602+cu128-{TAGS}", sha256=None)
TRITON = row(f"pytorch_triton-3.3.1+gitc8757738-{TAGS}", sha256=None)
KNOWN = {
    NIGHTLY: VersionMetadata(
        name="torch",
        version="2.8.0.dev20250606+cu128",
        requires_dist=("pytorch-triton==3.3.1+gitc8757738; sys_platform == 'linux'", "sympy"),
    ),
    OLDER: VersionMetadata(name="torch", version="2.8.0.dev20250602+cu128", requires_dist=()),
    TRITON: VersionMetadata(name="pytorch-triton", version="3.3.1+gitc8757738", requires_dist=()),
}
LAST = row(f"torch-2.7.0+cu128-{TAGS}")


class Hashes:
    """A hasher that knows every wheel, and keeps the order of the questions."""

    def __init__(self) -> None:
        self.wheels: list[Wheel] = []

    def sha256(self, wheel: Wheel) -> str | None:
        self.wheels.append(wheel)
        return HEX


def candidates(*hashed: Wheel) -> CandidateSet:
    return CandidateSet(slice=plan(rows=hashed).slice, unhashed=KNOWN, decisions=())


def hashed(found: CandidateSet, *requirements: str, where: Target | None = None) -> list[Wheel]:
    """The wheels that are hashed for requirements."""
    hasher = Hashes()
    complete(found, asked(*requirements), where or target(), hasher)
    return hasher.wheels


def skips(found: CandidateSet, *requirements: str) -> list[str]:
    return [item.message for item in skipped(found, found.slice, asked(*requirements))]


def test_the_newest_is_hashed_with_what_it_requires() -> None:
    assert hashed(candidates(), "torch") == [NIGHTLY, TRITON]


def test_markers_are_judged_on_the_target() -> None:
    assert hashed(candidates(), "torch", where=target(platform="windows")) == [NIGHTLY]


def test_what_has_a_hash_needs_none() -> None:
    assert hashed(candidates(row(f"torch-2.8.0+cu128-{TAGS}")), "torch") == []


def test_a_pin_that_only_an_unhashed_wheel_answers_needs_it() -> None:
    assert hashed(candidates(LAST), "torch==2.8.0.dev20250602") == [OLDER]


def test_computed_hashes_complete_the_slice_and_are_noted() -> None:
    found = complete(candidates(), asked("torch"), target(platform="windows"), Hashes())
    assert found.slice.projects["torch"] == (replace(NIGHTLY, sha256=HEX),)
    assert [item.version for item in found.slice.metadata] == ["2.8.0.dev20250606+cu128"]
    (decision,) = found.decisions
    assert (decision.code, decision.subject) == ("RES109", "torch")
    assert NIGHTLY.filename in decision.message


def test_the_refusal_names_every_file() -> None:
    with pytest.raises(ResolveError) as caught:
        complete(candidates(), asked("torch"), target(), NoDownloads())
    error = caught.value
    assert (error.code, error.exit_code) == ("RES041", 1)
    assert [text for _, text in error.details] == [NIGHTLY.filename, TRITON.filename]


def test_a_newer_version_without_hash_is_told_of() -> None:
    found = candidates(LAST)
    (decision,) = skipped(found, found.slice, asked("torch"))
    assert (decision.code, decision.subject) == ("RES113", "torch")
    assert "torch 2.8.0.dev20250606+cu128 skipped" in decision.message
    assert "2.7.0+cu128" in decision.message


def test_what_a_requirement_leaves_out_or_was_hashed_is_not_told_of() -> None:
    found = candidates(LAST)
    assert skips(found, "torch")
    assert skips(found, "torch<2.8.0.dev0") == []
    assert skips(found, "torchvision") == []
    assert skips(found, "torch", "torch<2.8.0.dev0") == []
    pin = "torch==2.8.0.dev20250606"
    assert skips(complete(found, asked(pin), target(), Hashes()), "torch") == []
