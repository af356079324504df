"""Over the sources of real packages nothing that they import is let go, and what they do not import is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.fetching import install
from bench.scan_page import PAGE
from tests.scan.packages import ANSWERS, MODULES, NO, NOT_USING, USING, judge


@pytest.mark.online
@pytest.mark.parametrize("name", ANSWERS)
def test_a_real_package(name: str, tmp_path: Path) -> None:
    install(tmp_path / "code", name)
    found = judge(tmp_path)
    assert not set(found.imported) & set(found.dropped), "let go, though imported"
    assert found.answers == ANSWERS[name]
    unused = [module for module, answer in zip(MODULES, ANSWERS[name], strict=True) if answer == NO]
    assert list(found.dropped) == unused
    assert found.files_read


def test_there_are_enough_of_both() -> None:
    assert len(USING) >= 20
    assert all(set(answers) != {NO} for answers in USING.values())
    assert len(NOT_USING) >= 10


def test_the_page_of_results_has_each_package_with_its_answers() -> None:
    row = re.compile(r"^\| `([^`]+)` \| [\d,]+ \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
    rows = row.findall(PAGE.read_text("utf-8"))
    assert {name: tuple(word.strip("* ") for word in words) for name, *words in rows} == ANSWERS
