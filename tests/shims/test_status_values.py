from __future__ import annotations

import pytest

from envsmith.shims.status import NEEDED, ShimCheckResult, ShimState


def test_what_a_process_said() -> None:
    told = ShimCheckResult.from_json(
        {
            "versions": {"torch": "2.8.0"},
            "active": ["torch-safe-globals"],
            "added": {"torch-safe-globals": ["a.B"]},
            "failed": {"a.C": "is not a class or function"},
            "is_needed": True,
            "reasons": ["why"],
        }
    )
    assert (told.active, told.added) == (("torch-safe-globals",), {"torch-safe-globals": ("a.B",)})
    assert (told.is_needed, told.reasons, told.error, told.failures) == (True, ("why",), "", ())


def test_an_answer_of_another_form_is_none() -> None:
    with pytest.raises(KeyError):
        ShimCheckResult.from_json({"versions": {}})


def test_a_state_as_plain_values() -> None:
    state = ShimState(
        name="torch-safe-globals",
        is_requested=True,
        is_active=False,
        added=(),
        need=NEEDED,
        reasons=("why",),
        until=("when",),
    )
    assert state.to_json() == {
        "name": "torch-safe-globals",
        "asked": True,
        "active": False,
        "added": [],
        "need": "needed",
        "reasons": ["why"],
        "until": ["when"],
    }
