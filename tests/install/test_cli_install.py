"""The command as a whole is tested in tests/install; here its words."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from envsmith.cli.main import main


@pytest.mark.parametrize("words", [(), ("--frozen",)])
@pytest.mark.usefixtures("project")
def test_a_profile_that_was_never_locked_is_told(
    words: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["install", "cpu-minimal", *words]) == 1
    said = capfd.readouterr().err
    assert "LCK005" in said
    assert "hint: envsmith lock cpu-minimal" in said


def test_a_stale_lock_is_refused(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    committed = Path(__file__).parents[2] / "lockfiles" / "cpu-minimal"
    shutil.copytree(committed, project / "lockfiles" / "cpu-minimal")
    (project / "profiles").mkdir()
    text = 'extends = "macos"\nbackend = "cpu"\nrequirements = ["torch<2.13"]\n'
    (project / "profiles" / "cpu-minimal.toml").write_text(text, "utf-8")
    assert main(["install", "cpu-minimal"]) == 1
    said = capfd.readouterr().err
    assert "LCK003" in said
    assert "torch<2.13" in said
    assert not (project / ".venv").exists()


@pytest.mark.usefixtures("project")
def test_without_any_lock_a_name_is_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["install"]) == 2
    assert "USE001" in capfd.readouterr().err
