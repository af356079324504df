"""The project's own CI files are what the command writes, and a service would take them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from envsmith.catalog.ci import read_actions
from tests.built import ROOT
from tests.pipelines.checkers import actionlint, schema
from tests.pipelines.machine import load

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


@pytest.mark.parametrize("form", ["github", "gitlab"])
def test_they_are_as_they_would_be_written(form: str) -> None:
    words = [sys.executable, "-m", "envsmith", "ci", "init", "--format", form, "--check"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_they_are_valid() -> None:
    assert len(WORKFLOWS) == 3
    assert schema("github", *WORKFLOWS) == actionlint(*WORKFLOWS) == ""
    assert schema("gitlab", ROOT / ".gitlab-ci.yml", *sorted((ROOT / ".gitlab").glob("*.yml"))) == ""
    assert {"local": ".gitlab/envsmith.yml"} in load(ROOT / ".gitlab-ci.yml")["include"]


def test_all_use_the_same_actions() -> None:
    pinned = {action.pinned for action in read_actions()}
    lines = [line for path in WORKFLOWS for line in path.read_text("utf-8").splitlines() if "uses:" in line]
    assert lines
    assert {line.partition("uses: ")[2] for line in lines} <= pinned
