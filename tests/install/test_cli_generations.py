from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.cli.main import main


@pytest.mark.usefixtures("project")
def test_nothing_was_built(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["generations"]) == 0
    assert "no environments found" in capfd.readouterr().err
    assert not list(project.iterdir()), "a question leaves nothing behind"


@pytest.mark.usefixtures("project")
def test_at_least_one_is_kept(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["generations", "--keep", "0"]) == 2
    assert "USE001" in capfd.readouterr().err
