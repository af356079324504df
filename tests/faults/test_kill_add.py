"""Killed or interrupted at any moment, ``envsmith add`` leaves files and locks whole, old or new."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter

import pytest

from tests.faults.lock_states import LockStates

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and signals process groups")
MOMENTS = int(os.environ.get("ENVSMITH_TEST_KILLS", "5"))
OLD = '[project]\nname = "app"\nversion = "1"\ndependencies = [\n    "torch",  # all\n]\n'
NEW = OLD.replace("# all\n", '# all\n    "torchvision",\n')
ADD = ("add", "torchvision", "--profile", "any", "--offline")
REMOVE = ("remove", "torchvision", "--profile", "any", "--offline")


def test_killed_at_moments_spread_over_the_run(states: LockStates) -> None:
    """Between the edit and the lock there is a moment with the new file and the old lock: `lock` completes it."""
    pyproject = states.project.root / "pyproject.toml"
    pyproject.write_text(OLD, "utf-8")
    ran = states.project.run("lock", "any", "--offline")
    assert ran.status == 0, ran.said
    seen: Counter[str] = Counter()
    locks = {OLD: states.project.locks("any")}
    begun = time.monotonic()
    assert states.project.run(*ADD).status == 0
    length_s = time.monotonic() - begun
    locks[NEW] = states.project.locks("any")
    text = pyproject.read_text("utf-8")
    assert text == NEW
    for number in range(MOMENTS):
        with states.started(*(REMOVE if text == NEW else ADD)) as run:
            time.sleep(length_s * (number + 0.5) / MOMENTS)
            run.send(signal.SIGKILL, to_group=bool(number % 2))
            status, _ = run.end()
        text = pyproject.read_text("utf-8")
        assert text in (OLD, NEW)
        assert states.project.run("lock", "any", "--check").status in (0, 1)  # completes a write of the locks
        found = states.project.locks("any")
        assert found in locks.values()
        seen["killed" if status == -signal.SIGKILL else "ended before"] += 1
        if found != locks[text]:
            seen["between"] += 1
            assert states.project.run("lock", "any", "--offline").status == 0
            assert states.project.locks("any") == locks[text]
    assert seen["killed"] >= MOMENTS // 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_after_the_edit_everything_is_restored(
    states: LockStates, number: signal.Signals
) -> None:
    pyproject = states.project.root / "pyproject.toml"
    pyproject.write_text(OLD, "utf-8")
    assert states.project.run("lock", "any", "--offline").status == 0
    before = states.project.locks("any")
    with states.started(*ADD) as run:
        until = time.monotonic() + 60
        while pyproject.read_text("utf-8") == OLD and time.monotonic() < until:
            time.sleep(0.001)
        run.send(number, to_group=True)
        status, said = run.end()
    assert status == 130, said
    assert pyproject.read_text("utf-8") == OLD
    assert states.project.locks("any") == before
    assert not list(states.project.root.glob(".envsmith-new-*"))
