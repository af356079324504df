"""`envsmith matrix`, as people and CI services run it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import repositories
from tests.commands import Project
from tests.locks import LINUX, WINDOWS, folder_files
from tests.wheelhouses import artifact, lock_files


@pytest.fixture
def made(tmp_path: Path) -> Project:
    """A project with a lock for a GPU and one for the CPU, of one torch."""
    made = Project(root=tmp_path / "project", env={"COLUMNS": "200", "GITHUB_OUTPUT": ""})
    for profile, backend in (("cu128", "cu128"), ("plain", "cpu")):
        write(made, profile, backend, "2.11.0")
    return made


def write(made: Project, profile: str, backend: str, torch: str) -> None:
    folder = made.root / "lockfiles" / profile
    folder.mkdir(parents=True, exist_ok=True)
    locks = dict.fromkeys((LINUX, WINDOWS), (f"torch=={torch}+{backend}",))
    for name, content in folder_files(profile, locks, backend=backend).items():
        (folder / name).write_bytes(content)


def test_for_people(made: Project) -> None:
    ran = made.run("matrix")
    assert ran.status == 0, ran.said
    head, *rows = [line.split() for line in ran.out.splitlines()]
    assert head == ["lock", "torch", "needs", "cache", "key"]
    assert [row[:3] for row in rows] == [
        [f"cu128/{LINUX}", "2.11.0+cu128", "GPU"],
        [f"cu128/{WINDOWS}", "2.11.0+cu128", "GPU"],
        [f"plain/{LINUX}", "2.11.0+cpu", "CPU"],
        [f"plain/{WINDOWS}", "2.11.0+cpu", "CPU"],
    ]


def test_sizes_where_they_are_known(made: Project) -> None:
    item = artifact(
        "https://127.0.0.1:9/torch-1-py3-none-any.whl", b"12345", filename="torch-1-py3-none-any.whl"
    )
    folder = made.root / "lockfiles/known"
    folder.mkdir()
    for name, content in lock_files("known", {LINUX: [item]}).items():
        (folder / name).write_bytes(content)
    head, row = (line.split() for line in made.run("matrix", "known").out.splitlines())
    assert head[3:5] == ["download", "disk"]
    assert row[3:8] == ["5", "bytes", "≥", "5", "bytes"]
    (job,) = json.loads(made.run("matrix", "known", "--json").out)["data"]["jobs"]
    assert (job["disk_bytes"], job["disk_unknown"]) == (5, "")


def test_for_github(made: Project, tmp_path: Path) -> None:
    output = tmp_path / "output"
    made.env["GITHUB_OUTPUT"] = str(output)
    ran = made.run("matrix", "--format", "github", "plain")
    assert ran.status == 0, ran.said
    assert [entry["runner"] for entry in json.loads(ran.out)["include"]] == ["ubuntu-24.04", "windows-2025"]
    told = dict(line.split("=", 1) for line in output.read_text("utf-8").splitlines())
    assert told == {"count": "2", "parts": "1", "matrix": ran.out.strip(), "matrix-1": ran.out.strip()}


def test_in_parts(made: Project, tmp_path: Path) -> None:
    output = tmp_path / "output"
    made.env["GITHUB_OUTPUT"] = str(output)
    ran = made.run("matrix", "--format", "github", "--max", "3")
    assert [len(json.loads(line)["include"]) for line in ran.out.splitlines()] == [3, 1]
    assert "4 jobs exceed one matrix: split into matrix-1, matrix-2" in ran.err
    names = [line.partition("=")[0] for line in output.read_text("utf-8").splitlines()]
    assert names == ["count", "parts", "matrix-1", "matrix-2"]
    refused = made.run("matrix", "--format", "github", "--max", "257")
    assert refused.status == 2
    assert "github allows at most 256 jobs" in refused.said


def test_the_projects_own_runners_and_the_way_without_a_gpu(made: Project) -> None:
    ran = made.run("matrix", "cu128", "--format", "azure")
    assert ran.status == 1
    assert "RES140" in ran.said
    ran = made.run("matrix", "cu128", "--format", "azure", "--cpu-fallback")
    legs = json.loads(ran.out)
    assert {leg["profile"] for leg in legs.values()} == {"plain"}
    assert [leg["stands_for"] for leg in legs.values()] == [f"cu128/{LINUX}", f"cu128/{WINDOWS}"]
    (made.root / "pyproject.toml").write_text(
        '[tool.envsmith.ci.azure]\nlinux-x86_64-gpu = "our-t4"\n', "utf-8"
    )
    ran = made.run("matrix", "cu128", "--format", "azure", "--cpu-fallback")
    assert [leg["runner"] for leg in json.loads(ran.out).values()] == ["our-t4", "windows-2025"]


def test_for_gitlab_and_for_programs(made: Project) -> None:
    ran = made.run("matrix", "plain", "--format", "gitlab")
    assert ran.status == 0
    assert '  tags: ["saas-linux-small-amd64"]\n' in ran.out
    ran = made.run("matrix", "plain", "--json")
    jobs = json.loads(ran.out)["data"]["jobs"]
    assert [job["name"] for job in jobs] == [f"plain/{LINUX}", f"plain/{WINDOWS}"]
    assert made.run("matrix", "plain", "--format", "json").out == ran.out


def test_only_changed(made: Project) -> None:
    repositories.make(made.root)
    repositories.commit(made.root, {}, "before")
    write(made, "plain", "cpu", "2.12.0")
    ran = made.run("matrix", "--only-changed", "before", "--json")
    assert {job["profile"] for job in json.loads(ran.out)["data"]["jobs"]} == {"plain"}
    ran = made.run("matrix", "cu128", "--only-changed", "before")
    assert (ran.status, ran.out) == (0, "no locks changed since before\n")
    ran = made.run("matrix", "--only-changed", "nowhere")
    assert (ran.status, ran.out) == (2, "")
    assert "USE010" in ran.err


def test_what_cannot_be_told(made: Project) -> None:
    ran = made.run("matrix", "other")
    assert ran.status == 1
    assert "LCK040" in ran.err
    ran = made.run("matrix", "-o", "../elsewhere")
    assert ran.status == 2
    assert "outside the project" in ran.said


def test_a_slip_of_the_pen_and_the_command_that_was_run(tmp_path: Path) -> None:
    project = Project(root=tmp_path / "project")
    ran = project.run("matrix")
    assert "PRF042" in ran.err
    assert "where     envsmith matrix\n" in ran.err
    folder = project.root / "lockfiles/plain"
    folder.mkdir(parents=True)
    for name, content in folder_files("plain", {LINUX: ("torch==2.11.0+cpu",)}, backend="cpu").items():
        (folder / name).write_bytes(content)
    for words in (("matrix", "plan"), ("export", "plan", "--format", "constraints")):
        ran = project.run(*words)
        assert ran.status == 1
        assert "LCK040" in ran.err
        assert "did you mean plain?" in ran.err
