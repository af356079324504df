"""Wheels listed without a hash."""

from __future__ import annotations

from envsmith.model.listing import VersionMetadata
from envsmith.plan.hashes import (
    computed_hash_decisions,
    refusal,
    skipped_decisions,
    with_hashes,
    without_hash,
)
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


def test_the_newest_is_wanted_with_what_it_requires() -> None:
    assert without_hash(plan().slice, KNOWN, asked("torch"), target()) == (NIGHTLY, TRITON)


def test_markers_are_judged_on_the_target() -> None:
    assert without_hash(plan().slice, KNOWN, asked("torch"), target(platform="windows")) == (NIGHTLY,)


def test_what_has_a_hash_needs_none() -> None:
    slice_ = plan(rows=(row(f"torch-2.8.0+cu128-{TAGS}"),)).slice
    assert without_hash(slice_, KNOWN, asked("torch"), target()) == ()


def test_a_pin_that_only_an_unhashed_wheel_answers_needs_it() -> None:
    slice_ = plan(rows=(row(f"torch-2.7.0+cu128-{TAGS}"),)).slice
    assert without_hash(slice_, KNOWN, asked("torch==2.8.0.dev20250602"), target()) == (OLDER,)


def test_with_hashes_completes_the_slice() -> None:
    slice_ = with_hashes(plan().slice, KNOWN, {NIGHTLY: HEX})
    (wheel,) = slice_.projects["torch"]
    assert wheel.sha256 == HEX
    assert [item.version for item in slice_.metadata] == ["2.8.0.dev20250606+cu128"]


def test_people_are_told_whose_hash_it_is() -> None:
    (decision,) = computed_hash_decisions({NIGHTLY: HEX})
    assert decision.code == "RES109"
    assert NIGHTLY.filename in decision.message


def test_the_refusal_names_every_file() -> None:
    error = refusal([NIGHTLY, TRITON])
    assert (error.code, error.exit_code) == ("RES041", 1)
    assert [text for _, text in error.details] == [NIGHTLY.filename, TRITON.filename]


def test_a_newer_version_without_hash_is_told_of() -> None:
    slice_ = plan(rows=(row(f"torch-2.7.0+cu128-{TAGS}"),)).slice
    (decision,) = skipped_decisions(slice_, KNOWN, asked("torch"))
    assert (decision.code, decision.subject) == ("RES113", "torch")
    assert "torch 2.8.0.dev20250606+cu128 skipped" in decision.message
    assert "2.7.0+cu128" in decision.message


def test_what_a_requirement_leaves_out_or_was_hashed_is_not_told_of() -> None:
    slice_ = plan(rows=(row(f"torch-2.7.0+cu128-{TAGS}"),)).slice
    assert skipped_decisions(slice_, KNOWN, asked("torch<2.8.0.dev0")) == ()
    assert skipped_decisions(slice_, KNOWN, asked("torchvision")) == ()
    assert skipped_decisions(slice_, KNOWN, asked("torch", "torch<2.8.0.dev0")) == ()
    assert (
        skipped_decisions(with_hashes(slice_, {NIGHTLY: KNOWN[NIGHTLY]}, {NIGHTLY: HEX}), {}, asked("torch"))
        == ()
    )
    hashed = with_hashes(slice_, KNOWN, {NIGHTLY: HEX})
    assert skipped_decisions(hashed, KNOWN, asked("torch")) == ()
