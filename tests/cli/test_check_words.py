from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.cli.check_words import before_packages, runs_of


def written(project: Path, text: str) -> None:
    (project / "profiles").mkdir()
    own = 'summary = "a test"\nbackend = "cpu"\npython = ["3.11"]\nplatforms = ["linux"]\nrequirements = ["torch"]\n'
    (project / "profiles" / "mine.toml").write_text(own + text, "utf-8")


def test_commands_of_a_profile(project: Path) -> None:
    written(project, '[checks]\nruns = ["python -m a", "python -m b"]\n')
    assert runs_of("mine") == ("python -m a", "python -m b")


@pytest.mark.parametrize("text", ["", '[checks]\nruns = "python -m a"\n', "[checks]\nimports = []\n"])
def test_a_profile_without_commands(project: Path, text: str) -> None:
    written(project, text)
    assert runs_of("mine") == ()


@pytest.mark.usefixtures("project")
def test_a_profile_that_is_not_there() -> None:
    assert runs_of("none") == ()


def test_the_project_comes_first(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", f"/a:{project}::/b")
    assert before_packages() == (str(project), "/a", "/b")
