"""Changed inputs that make a lock stale."""

from __future__ import annotations

from envsmith.lock.inputs.changed_inputs import changed


def test_changed_tells_both_values() -> None:
    old: dict[str, str | list[str]] = {"cutoff": "a", "requirement": ["six", "torch"], "gone": "x"}
    new: dict[str, str | list[str]] = {"cutoff": "b", "requirement": ["six", "torch>=2"]}
    assert list(changed(old, new)) == [
        ("cutoff", "a → b"),
        ("gone", "x → (none)"),
        ("requirement", "torch → torch>=2"),
    ]
    assert list(changed(old, old)) == []
