"""Why torch is older than it could be, told by its cause."""

from __future__ import annotations

from dataclasses import replace

from packaging.requirements import Requirement

from envsmith.config.requirement import SourcedRequirement
from envsmith.model.listing import VersionMetadata
from envsmith.plan import pairings
from envsmith.plan.model import Amendment, ResolutionPlan
from tests.plan.made import asked, of_row, plan, resolution, row

TAGS = "cp312-cp312-manylinux_2_28_x86_64.whl"
TORCH_8, TORCH_11 = row(f"torch-2.8.0+cu128-{TAGS}"), row(f"torch-2.11.0+cu128-{TAGS}")
AUDIO_8, AUDIO_11 = row(f"torchaudio-2.8.0+cu128-{TAGS}"), row(f"torchaudio-2.11.0+cu128-{TAGS}")


def with_metadata(given: ResolutionPlan, *needs: tuple[str, str, str]) -> ResolutionPlan:
    found = tuple(
        VersionMetadata(name=name, version=version, requires_dist=(text,)) for name, version, text in needs
    )
    return replace(given, slice=replace(given.slice, metadata=found))


def messages(given: ResolutionPlan, *packages: object) -> list[str]:
    return [item.message for item in pairings.notice(given, resolution(*packages))]  # type: ignore[arg-type]


def test_the_newest_torch_needs_no_telling() -> None:
    assert messages(plan("torch", rows=(TORCH_8, TORCH_11)), of_row(TORCH_11)) == []


def test_a_pinned_torch_needs_no_telling() -> None:
    assert messages(plan("torch==2.8.0", rows=(TORCH_8, TORCH_11)), of_row(TORCH_8)) == []


def test_a_partner_that_goes_with_an_older_torch_only_is_named() -> None:
    given = plan("torch", "torchaudio", rows=(TORCH_8, TORCH_11, AUDIO_8))
    given = with_metadata(given, ("torchaudio", "2.8.0+cu128", "torch==2.8.0"))
    (told,) = messages(given, of_row(TORCH_8), of_row(AUDIO_8))
    assert told.startswith("torch held at 2.8.0+cu128 (2.11.0+cu128 available): torchaudio 2.8.0, the newest")


def test_a_limit_on_a_partner_is_named_with_its_origin() -> None:
    given = plan("torch", rows=(TORCH_8, TORCH_11, AUDIO_8, AUDIO_11))
    limit = SourcedRequirement(
        requirement=Requirement("torchaudio<2.9"), origin="catalog: pyannote.audio<4,>=3"
    )
    given = given.amended(Amendment(decisions=(), constraints=(limit,)))
    (told,) = messages(given, of_row(TORCH_8), of_row(AUDIO_8))
    assert told.endswith("available): torchaudio<2.9 is required (pyannote.audio<4,>=3)")


def test_a_partner_that_goes_with_the_newest_torch_is_no_reason() -> None:
    given = plan("torch", "torchaudio", rows=(TORCH_8, TORCH_11, AUDIO_11))
    given = with_metadata(given, ("torchaudio", "2.11.0+cu128", "torch>=2.11"))
    (told,) = messages(given, of_row(TORCH_8), of_row(AUDIO_11))
    assert told.endswith("another package requires it")


def test_a_constraint_on_torch_itself_needs_no_telling() -> None:
    given = replace(plan("torch", rows=(TORCH_8, TORCH_11)), constraints=asked("torch<2.9"))
    assert messages(given, of_row(TORCH_8)) == []
