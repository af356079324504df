from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.cli.main import main


def test_nothing_to_return_to_is_told_and_nothing_left(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["rollback"]) == 2
    assert "ENV030" in capfd.readouterr().err
    assert not list(project.iterdir())


def test_what_others_made_stays_where_it_is(project: Path) -> None:
    (project / ".venv").mkdir()
    (project / ".venv" / "theirs").touch()
    assert main(["rollback"]) == 2
    assert (project / ".venv" / "theirs").exists()
