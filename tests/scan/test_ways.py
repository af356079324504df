"""The answer is right for each way of using, or not using, a package."""

from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.model.usage import ANSWERS, SearchedModule
from envsmith.usage.scan import read_usage
from tests.scan.more_ways import EVERY
from tests.scan.ways import Way


@pytest.mark.parametrize("way", EVERY, ids=lambda way: way.name)
def test_the_answer_is_right(way: Way, tmp_path: Path) -> None:
    way.write(tmp_path)
    usage = read_usage(tmp_path, [SearchedModule(module=module) for module in way.answers])
    assert {module: usage.answer([module]) for module in way.answers} == way.answers, usage


def test_there_are_enough_ways_each_with_a_name_of_its_own_and_every_answer() -> None:
    assert len(EVERY) >= 60
    assert len({way.name for way in EVERY}) == len(EVERY)
    assert {way.answers["torchvision"] for way in EVERY} == set(ANSWERS)
