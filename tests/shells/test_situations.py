"""Every situation in every shell: inside, after, and the shell's own state."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.shells.drivers import DRIVERS, Driver
from tests.shells.places import ENVSMITH, made_project
from tests.shells.situations import SITUATIONS, Situation, check


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda item: item.name.replace(" ", "-"))
@pytest.mark.parametrize("driver", DRIVERS, ids=lambda item: item.name, indirect=True)
def test_all_is_as_it_should_be(driver: Driver, situation: Situation, around: Path, tmp_path: Path) -> None:
    if driver.name in situation.apart:
        pytest.skip(f"{driver.name} cannot be in this situation")
    if situation.flags and driver.name not in situation.flags:
        pytest.skip(f"{driver.name} has no such options")
    place = made_project(tmp_path / situation.project.format(), around, guard=situation.guard)
    assert check(situation, driver, ENVSMITH, place, tmp_path / "run") == []
