"""Every situation in every shell: inside, after, and the shell's own state."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.shells.drivers import DRIVERS, Driver
from tests.shells.places import ENVSMITH, made_project
from tests.shells.situations import SITUATIONS, Situation, check
from tests.shells.wine import CMD


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda item: item.name.replace(" ", "-"))
@pytest.mark.parametrize("driver", [*DRIVERS, CMD], ids=lambda item: item.name, indirect=True)
def test_all_is_as_it_should_be(driver: Driver, situation: Situation, around: Path, tmp_path: Path) -> None:
    if driver.name in situation.apart:
        pytest.skip(f"{driver.name} cannot be in this situation")
    if situation.flags and driver.name not in situation.flags:
        pytest.skip(f"{driver.name} has no such options")
    name = (driver.name == "cmd" and situation.on_windows) or situation.project.format()
    place = made_project(tmp_path / name, around, guard=situation.guard)
    assert check(situation, driver, ENVSMITH, place, tmp_path / "run") == []


def test_the_page_has_every_situation() -> None:
    """`python -m bench.situations` writes it; all of our cells must pass."""
    page = Path(__file__).parents[2] / "docs" / "reference" / "activation-situations.md"
    ours, theirs = re.findall(r"(?s)^## .*?(?=^## |\Z)", page.read_text("utf-8"), re.MULTILINE)
    for table in (ours, theirs):
        rows = re.findall(r"^\| (.+?) \|", table.replace("\\*", "*"), re.MULTILINE)
        assert rows[1:-1] == [situation.name for situation in SITUATIONS]
    good, run = re.findall(r"Passed: (\d+) of (\d+)", ours)[0]
    assert good == run
