from __future__ import annotations

from dataclasses import replace

import pytest

from envsmith.catalog.shims import read_shims, read_users
from envsmith.model.shim import LEGACY_API
from envsmith.shims.status import CAN_GO, NEEDED, UNKNOWN, ShimCheckResult, ShimState, judge

FACTS = {row.name: row for row in read_shims()}
NEW = ShimCheckResult(
    versions={"torchaudio": "2.11.0", "torch": "2.11.0"},
    is_needed=True,
    reasons=("torchaudio 2.11.0 has no info", "its load cannot read a WAV file"),
)
OLD = ShimCheckResult(versions={"torchaudio": "2.8.0", "torch": "2.8.0"}, reasons=("it reads",))


def judged(name: str, off: ShimCheckResult, on: ShimCheckResult | None = None) -> ShimState:
    on = on or ShimCheckResult(versions=off.versions, active=(name,))
    return judge(FACTS[name], read_users(), (on, off), requested=(name,))


def test_what_is_absent_is_needed() -> None:
    state = judged(LEGACY_API, NEW, replace(OLD, active=(LEGACY_API,), added={LEGACY_API: ("info", "load")}))
    assert (state.need, state.added, state.is_active) == (NEEDED, ("info", "load"), True)
    assert state.reasons == NEW.reasons
    assert state.until[0].startswith("torchaudio 2.9 and later need it (")


def test_what_is_there_can_go() -> None:
    state = judged(LEGACY_API, OLD)
    assert state.need == CAN_GO
    assert state.reasons == ("it reads",)


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


def test_a_shim_that_does_not_help_is_told() -> None:
    on = replace(NEW, active=(LEGACY_API,), failed={"torchaudio": "why"}, failures=("load fails",))
    assert judged(LEGACY_API, NEW, on).reasons == (*NEW.reasons, "torchaudio: why", "load fails")


def test_a_shim_that_is_not_there_is_not_blamed() -> None:
    state = judged(LEGACY_API, NEW, NEW)
    assert not state.is_active
    assert len(state.reasons) == 2
