from __future__ import annotations

import sys
from pathlib import Path

import pytest

from envsmith.errors import InstallError
from envsmith.install.links import check_place, check_runner


def test_where_nothing_or_an_environment_is_one_may_stand(tmp_path: Path) -> None:
    check_place(tmp_path / "nothing")
    for mark in ("pyvenv.cfg", "conda-meta"):
        (tmp_path / mark / "bin").mkdir(parents=True)
        (tmp_path / mark / mark).touch()
        check_place(tmp_path / mark)
    (tmp_path / "empty").mkdir()
    check_place(tmp_path / "empty")
    (tmp_path / "link").symlink_to("nowhere")
    check_place(tmp_path / "link")


def test_nothing_else_makes_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "results.csv").touch()
    (tmp_path / "pyproject.toml").touch()
    for name in ("data", "pyproject.toml"):
        with pytest.raises(InstallError, match="cannot be created here"):
            check_place(tmp_path / name)
    (tmp_path / "project" / "src").mkdir(parents=True)
    (tmp_path / "project" / "pyvenv.cfg").touch()
    monkeypatch.chdir(tmp_path / "project" / "src")
    for folder in (tmp_path / "project", Path.cwd()):
        with pytest.raises(InstallError, match="contains the working directory"):
            check_place(folder)


def test_the_environment_that_runs_this_stays(tmp_path: Path) -> None:
    (tmp_path / "project" / ".venv").mkdir(parents=True)
    (tmp_path / "link").symlink_to("project")
    for link in (tmp_path / "project" / ".venv", tmp_path / "link" / ".venv"):
        with pytest.raises(InstallError, match="ENV033"):
            check_runner(link, tmp_path / "project" / ".venv")
    (tmp_path / "generation").mkdir()
    (tmp_path / "current").symlink_to("generation")
    check_runner(tmp_path / "current", tmp_path / "generation")
    check_runner(tmp_path / ".venv")
    with pytest.raises(InstallError, match="ENV033"):
        check_runner(Path(sys.prefix))
