from dataclasses import replace

import pytest

from envsmith.model.finding import Decision
from envsmith.model.listing import VersionMetadata
from envsmith.plan.model import Amendment, digest_of
from tests.values import OTHER_HEX, asked, plan, slice_of, target, torch, wheel

NEWER, OLDER = torch("2.11.0+cu128"), torch("2.10.0+cu128")


def test_digest_does_not_depend_on_order() -> None:
    one = plan("torch", "numpy<2", slice_=slice_of(NEWER, OLDER), moved={"a": "1", "b": "2"})
    other = plan("numpy<2", "torch", slice_=slice_of(OLDER, NEWER), moved={"b": "2", "a": "1"})
    assert one.digest() == other.digest()


@pytest.mark.parametrize(
    "change",
    [
        {"target": target("3.13")},
        {"target": target(platform="windows")},
        {"target": target(backend="cu130")},
        {"channel": "nightly"},
        {"requirements": asked("torch>2")},
        {"constraints": asked("numpy<2")},
        {"overrides": asked("numpy<2")},
        {"excludes": ("torchvision",)},
        {"allow_sdist": ("opuslib",)},
        {"env": {"A": "1"}},
        {"pypi_builds": {"torch": "2.15.0"}},
        {"asked": "cu128 nightly"},
        {"index": "pypi"},
    ],
)
def test_digest_depends_on_every_input(change: dict[str, object]) -> None:
    first = plan("torch", slice_=slice_of(NEWER, OLDER))
    changed = replace(first, **change)  # type: ignore[arg-type]
    assert changed.digest() != first.digest()
    assert changed.inputs() != first.inputs()


def test_day_and_catalog_are_no_input() -> None:
    first = plan("torch", slice_=slice_of(NEWER, OLDER))
    for change in (
        {"cutoff_utc": "2026-11-21T00:00:00Z"},
        {"moved": {"numpy": "2026-11-21T00:00:00Z"}},
        {"slice": slice_of(NEWER, replace(OLDER, sha256=OTHER_HEX))},
        {"constraints": asked("numpy<2", origin="catalog: torch==2.2.*")},
    ):
        assert replace(first, **change).inputs() == first.inputs()


def test_places_and_amendments_are_no_part_of_the_digest() -> None:
    first = plan("torch")
    amendment = Amendment(decisions=(), constraints=asked("torch<2.10"), excludes=("torchaudio",))
    assert first.amended(amendment).digest() == first.digest()
    assert replace(first, requirements=asked("torch", origin="elsewhere:9")).digest() == first.digest()


def test_amendments_add_up() -> None:
    decision = Decision(subject="a", kind="noted", message="m")
    metadata = VersionMetadata(name="opuslib", version="3", requires_dist=())
    amended = (
        plan("torch")
        .amended(Amendment(decisions=(decision,), requirements=asked("numpy"), sdist_metadata=(metadata,)))
        .amended(Amendment(decisions=(decision,), constraints=asked("torch<2.10"), excludes=("triton",)))
    )
    assert [item.name for item in amended.all_requirements()] == ["torch", "numpy"]
    assert [str(item.requirement) for item in amended.all_constraints()] == ["torch<2.10"]
    assert amended.all_excludes() == ("triton",)
    assert amended.all_decisions() == (decision, decision)
    assert amended.sdist_metadata() == (metadata,)


def test_slice_digest_sees_bytes_and_requirements() -> None:
    row = wheel("torch-2.11.0+cu128-cp312-cp312-win_amd64.whl")
    first = slice_of(row)
    described = VersionMetadata(name="torch", version="2.11.0+cu128", requires_dist=("filelock",))
    assert slice_of(replace(row, sha256=OTHER_HEX)).digest() != first.digest()
    assert replace(first, metadata=(described,)).digest() != first.digest()
    assert replace(first, url="https://mirror.example").digest() == first.digest()


def test_digest_of_plain_values() -> None:
    assert digest_of({"b": 1, "a": [1, "x"]}) == digest_of({"a": [1, "x"], "b": 1})
    assert digest_of(["ab"]) != digest_of(["a", "b"])
