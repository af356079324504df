"""`envsmith diff`, as people run it."""

from __future__ import annotations

import json
from pathlib import Path

from tests import repositories
from tests.commands import Project
from tests.locks import LINUX, WINDOWS, folder_files


def lock(project: Project, profile: str, *pins: str) -> None:
    folder = project.root / "lockfiles" / profile
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in folder_files(profile, {LINUX: pins, WINDOWS: pins}).items():
        (folder / name).write_bytes(content)


def test_since_the_last_commit(tmp_path: Path) -> None:
    project = Project(root=tmp_path / "project", env={"COLUMNS": "200"})
    lock(project, "app", "torch==2.10.0+cu128", "numpy==2.0.0")
    lock(project, "other", "torch==2.10.0+cu128")
    repositories.make(project.root)
    repositories.commit(project.root, {}, "before")
    lock(project, "app", "torch==2.11.0+cu128", "numpy==1.9.0")
    ran = project.run("diff")
    assert ran.status == 0, ran.said
    assert ran.out.splitlines()[0].startswith("app at HEAD → app: torch 2.10.0+cu128 → 2.11.0+cu128")
    assert ran.out.endswith("\n\nunchanged other at HEAD → other\n")
    ran = project.run("diff", "before", "--format", "md")
    assert ran.out.startswith("## app at before → app: torch 2.10.0+cu128 → 2.11.0+cu128")
    assert "| numpy | 2.0.0 | 1.9.0 | **older** |" in ran.out
    assert "other" not in ran.out
    assert project.run("diff", "before", "--exit-code").status == 1
    assert project.run("diff", "HEAD:other", "other", "--exit-code").status == 0
    ran = project.run("diff", "app", "other", "--json")
    (found,) = json.loads(ran.out)["data"]["profiles"]
    assert (found["before"], found["after"]) == ("app", "other")
    assert [item["kind"] for item in found["packages"]] == ["down", "removed"]
    assert project.run("diff", "app", "other", "--format", "json").out == ran.out


def test_what_means_nothing(tmp_path: Path) -> None:
    project = Project(root=tmp_path / "project")
    ran = project.run("diff", "no-such-thing")
    assert (ran.status, ran.out) == (2, "")
    assert "USE012" in ran.err
    ran = project.run("diff")
    assert ran.status == 2
    assert "USE011" in ran.err
