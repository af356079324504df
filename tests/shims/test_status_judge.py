from __future__ import annotations

from dataclasses import replace

import pytest

from envsmith.catalog.shims import read_shims, read_users
from envsmith.model.shim import LEGACY_API, SAFE_GLOBALS
from envsmith.shims.status import CAN_GO, NEEDED, UNKNOWN, ShimCheckResult, ShimState, judge

FACTS = {row.name: row for row in read_shims()}
NEW = ShimCheckResult(
    versions={"torchaudio": "2.11.0", "torch": "2.11.0"},
    absent=("AudioMetaData", "info"),
    load="ImportError: TorchCodec is required",
)
OLD = ShimCheckResult(versions={"torchaudio": "2.8.0", "torch": "2.8.0"})


def judged(name: str, off: ShimCheckResult, on: ShimCheckResult | None = None, *names: str) -> ShimState:
    on = on or ShimCheckResult(versions=off.versions, active=(name,))
    return judge(FACTS[name], read_users(), (on, off), requested=(name,), names=names)


def test_what_is_absent_is_needed() -> None:
    state = judged(LEGACY_API, NEW, replace(OLD, active=(LEGACY_API,), added={LEGACY_API: ("info", "load")}))
    assert (state.need, state.added, state.is_active) == (NEEDED, ("info", "load"), True)
    assert state.reasons == (
        "torchaudio 2.11.0 has no AudioMetaData, info",
        "its load cannot read a WAV file: ImportError: TorchCodec is required",
    )
    assert state.until[0].startswith("torchaudio 2.9 and later need it (")


def test_what_is_there_can_go() -> None:
    state = judged(LEGACY_API, OLD)
    assert state.need == CAN_GO
    assert state.reasons == ("torchaudio 2.8.0 has all five names, and its load reads a WAV file",)


@pytest.mark.parametrize(
    ("version", "need"), [("3.4.0", NEEDED), ("4.0.0", CAN_GO), ("4.0.7", CAN_GO), ("not a version", NEEDED)]
)
def test_who_no_longer_needs_it_lets_it_go(version: str, need: str) -> None:
    state = judged(LEGACY_API, replace(NEW, versions={**NEW.versions, "pyannote.audio": version}))
    assert state.need == need
    assert ("unless your own code uses the names it adds" in state.reasons) == (need == CAN_GO)


def test_what_is_not_installed_can_go_and_what_cannot_be_imported_is_unknown() -> None:
    assert judged(LEGACY_API, ShimCheckResult(versions={})).reasons == ("torchaudio is not installed",)
    state = judged(LEGACY_API, replace(OLD, error="OSError: no"))
    assert (state.need, state.reasons) == (UNKNOWN, ("torchaudio 2.8.0 cannot be imported: OSError: no",))


def test_names_that_torch_refuses_are_needed_and_others_can_go() -> None:
    off = replace(OLD, refused={"a.B": "UnpicklingError: no"})
    state = judged(SAFE_GLOBALS, off, None, "a.B", "torch.Size")
    assert state.need == NEEDED
    assert state.reasons == ("torch 2.8.0 refuses a.B", "torch 2.8.0 loads torch.Size without it")
    assert judged(SAFE_GLOBALS, OLD, None, "torch.Size").need == CAN_GO
    assert judged(SAFE_GLOBALS, OLD).reasons == ("the profile lists no safe-globals",)


def test_checkpoints_decide_where_they_are_at_hand() -> None:
    refused = {"a.B": "UnpicklingError: no", "a.C": "UnpicklingError: no"}
    off = replace(OLD, refused=refused, files={"x.ckpt": ("a.B", "a.D"), "y.ckpt": ()})
    state = judged(SAFE_GLOBALS, off, None, "a.B", "a.C")
    assert state.need == NEEDED
    assert state.reasons == (
        "torch 2.8.0 refuses in x.ckpt: a.B, a.D",
        "torch 2.8.0 loads y.ckpt without it",
        "not in these checkpoints: a.C",
        "not allowed by the profile: a.D",
    )
    off = replace(OLD, refused=refused, files={"y.ckpt": (), "z.ckpt": ("(ValueError: no checkpoint)",)})
    assert judged(SAFE_GLOBALS, off, None, "a.B").need == CAN_GO


def test_a_shim_that_does_not_help_is_told() -> None:
    on = ShimCheckResult(
        versions=NEW.versions,
        active=(LEGACY_API,),
        load="ImportError: add soundfile",
        failed={"torchaudio": "why"},
    )
    assert judged(LEGACY_API, NEW, on).reasons[-2:] == (
        "torchaudio: why",
        "load fails even with the shim: ImportError: add soundfile",
    )
    on = ShimCheckResult(
        versions=OLD.versions, active=(SAFE_GLOBALS,), refused={"a.B": "its module cannot be imported"}
    )
    off = replace(OLD, refused={"a.B": "UnpicklingError: no"})
    assert judged(SAFE_GLOBALS, off, on, "a.B").reasons[-1] == (
        "a.B is refused even with the shim: its module cannot be imported"
    )


def test_a_shim_that_is_not_there_is_not_blamed() -> None:
    state = judged(LEGACY_API, NEW, NEW)
    assert not state.is_active
    assert len(state.reasons) == 2
