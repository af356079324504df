from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands import Project
from tests.locks import LINUX, folder_files


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project inside another one that has locks."""
    folder = tmp_path / "project/lockfiles/plain"
    folder.mkdir(parents=True)
    for name, content in folder_files("plain", {LINUX: ("torch==2.11.0+cpu",)}, backend="cpu").items():
        (folder / name).write_bytes(content)
    inner = tmp_path / "project/src/deep"
    inner.mkdir(parents=True)
    (inner / "pyproject.toml").write_text('[project]\nname = "inner"\n', "utf-8")
    return Project(root=inner)


@pytest.mark.parametrize(
    "words",
    [
        ("install",),
        ("install", "plain"),
        ("verify",),
        ("run", "--", "true"),
        ("lock", "--check"),
        ("matrix",),
        ("export", "plain", "--format", "uv"),
        ("download", "plain", "-d", "wheels"),
        ("activate", "plain", "--shell", "bash"),
    ],
)
def test_the_folder_around_that_has_the_locks_is_named(words: tuple[str, ...], project: Project) -> None:
    ran = project.run(*words)
    assert ran.status != 0
    assert "../../lockfiles: use --project ../.." in ran.err, ran.err


def test_json_says_it_too(project: Project) -> None:
    ran = project.run("matrix", "plain", "--json")
    assert "use --project ../.." in json.loads(ran.out)["errors"][0]["hint"]


def test_nothing_is_said_where_the_locks_are_or_where_none_are_around(
    project: Project, tmp_path: Path
) -> None:
    for root in (tmp_path / "project", tmp_path / "elsewhere"):
        ran = Project(root=root).run("matrix", "nosuch")
        assert ran.status == 1
        assert "use --project" not in ran.err
    assert "use --project" not in project.run("select", "--python", "2.7").err
