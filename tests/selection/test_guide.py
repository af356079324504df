"""What the guide shows is what the command prints."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.commands import Project

GUIDE = (Path(__file__).parents[2] / "docs/guide/selecting.md").read_text("utf-8")
SHOWN = re.findall(r"^\$ envsmith (select[^\n]*)\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("words", "printed"), SHOWN, ids=[words for words, _ in SHOWN])
def test_the_guide_is_true(words: str, printed: str, tmp_path: Path) -> None:
    ran = Project(root=tmp_path / "project").run(*shlex.split(words))
    assert ran.out == printed


def test_the_guide_shows_something() -> None:
    assert len(SHOWN) >= 3
