"""`envsmith ci init`, as people run it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands import Project
from tests.distribution import strangers
from tests.locks import LINUX, WINDOWS, folder_files

FILES = {
    "github": [".github/workflows/envsmith.yml", ".github/workflows/envsmith-relock.yml"],
    "gitlab": [".gitlab-ci.yml", ".gitlab/envsmith.yml", ".gitlab/envsmith-jobs.yml"],
}

SETUP = "[tool.envsmith.ci]\nsetup = ['python -m pip install ./envsmith']\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(root=tmp_path / "project")
    folder = made.root / "lockfiles/plain"
    folder.mkdir(parents=True)
    pins = ("pytest==9.0.0", "torch==2.11.0+cpu")
    for name, content in folder_files("plain", {LINUX: pins, WINDOWS: pins}, backend="cpu").items():
        (folder / name).write_bytes(content)
    made.root.joinpath("pyproject.toml").write_text(SETUP, "utf-8")
    return made


@pytest.mark.parametrize("form", FILES)
def test_written_once_and_then_as_they_are(form: str, project: Project) -> None:
    ran = project.run("ci", "init", "--format", form)
    assert ran.status == 0, ran.said
    assert [line.split() for line in ran.out.splitlines()] == [
        [word, name] for word in ("new", "wrote") for name in FILES[form]
    ]
    assert 'envsmith run "$' in "".join((project.root / name).read_text("utf-8") for name in FILES[form])
    assert "-- python -m pytest" in "".join((project.root / name).read_text("utf-8") for name in FILES[form])
    assert project.run("ci", "init", "--format", form, "--check").status == 0
    ran = project.run("ci", "init", "--format", form, "--json")
    assert json.loads(ran.out)["data"] == {"changes": [], "written": [], "lacks_include": False}


def test_jobs_that_would_wait_for_ever_are_told(project: Project) -> None:
    folder = project.root / "lockfiles/gpu"
    folder.mkdir()
    for name, content in folder_files("gpu", {LINUX: ("torch==2.11.0+cu128",)}).items():
        (folder / name).write_bytes(content)
    ran = project.run("ci", "init", "--format", "github")
    assert ran.status == 0, ran.said
    assert "1 job will wait for a self-hosted runner with the labels self-hosted, linux, x64, gpu" in ran.said
    assert "will wait" not in project.run("ci", "init", "--format", "gitlab").said, "it lends such machines"
    own = '[tool.envsmith.ci.github]\nlinux-x86_64-gpu = ["self-hosted", "t4"]\n'
    for more in ("cpu-fallback = true\n", own):
        project.root.joinpath("pyproject.toml").write_text(SETUP + more, "utf-8")
        ran = project.run("ci", "init", "--format", "github", "--yes")
        assert ran.status == 0, ran.said
        assert "will wait" not in ran.said


def test_nothing_is_replaced_without_being_shown(project: Project) -> None:
    own, other = (project.root / name for name in FILES["github"])
    own.parent.mkdir(parents=True)
    own.write_text("on: push\n", "utf-8")
    ran = project.run("ci", "init", "--format", "github")
    assert ran.status == 2
    assert "USE002" in ran.err
    assert "-on: push\n" in ran.out
    assert own.read_text("utf-8") == "on: push\n"
    assert not other.exists(), "all or nothing"
    ran = project.run("ci", "init", "--format", "github", "--check")
    assert ran.status == 1
    assert ran.out.splitlines()[-2:] == [f"differs   {FILES['github'][0]}", f"missing   {FILES['github'][1]}"]
    ran = project.run("ci", "init", "--format", "github", "--json")
    assert ran.status == 1
    assert [item["is_new"] for item in json.loads(ran.out)["data"]["changes"]] == [False, True]
    ran = project.run("ci", "init", "--format", "github", "--yes")
    assert ran.status == 0, ran.said
    assert "-on: push\n" in ran.out
    assert other.exists()
    assert project.run("ci", "init", "--format", "github", "--check").status == 0


def test_a_pipeline_of_ones_own_stays_as_it_is(project: Project) -> None:
    own = project.root / ".gitlab-ci.yml"
    own.write_text("other: { script: [make] }\n", "utf-8")
    ran = project.run("ci", "init", "--format", "gitlab", "--yes")
    assert ran.status == 0
    assert (
        "note      .gitlab-ci.yml does not include them; add: include: [{ local: .gitlab/envsmith.yml }]"
        in ran.out
    )
    assert own.read_text("utf-8") == "other: { script: [make] }\n"
    assert project.run("ci", "init", "--format", "gitlab", "--check").status == 1
    ran = project.run("ci", "init", "--format", "gitlab", "--json")
    assert (ran.status, json.loads(ran.out)["data"]["lacks_include"]) == (1, True)
    own.write_text("# include: .gitlab/envsmith.yml\nother: { script: [make] }\n", "utf-8")
    assert project.run("ci", "init", "--format", "gitlab", "--check").status == 1, "that is a comment"
    own.write_text("include: [{ local: .gitlab/envsmith.yml }]\nother: { script: [make] }\n", "utf-8")
    assert project.run("ci", "init", "--format", "gitlab", "--check").status == 0


def test_more_locks_than_one_matrix_of_github_holds(project: Project) -> None:
    for number in range(257):
        folder = project.root / f"lockfiles/p{number}"
        folder.mkdir()
        for name, content in folder_files(
            f"p{number}", {LINUX: ("torch==2.11.0+cpu",)}, backend="cpu"
        ).items():
            (folder / name).write_bytes(content)
    assert project.run("ci", "init", "--format", "github").status == 0
    text = (project.root / FILES["github"][0]).read_text("utf-8")
    assert [f"\n  test-{number}:\n" in text for number in (1, 2, 3)] == [True, True, False]
    assert 'if [ "$PARTS" -gt 2 ]' in text


def test_what_cannot_be_written(project: Project) -> None:
    project.root.joinpath("pyproject.toml").write_text(f"{SETUP}profiles = ['other']\n", "utf-8")
    ran = project.run("ci", "init", "--format", "github")
    assert ran.status == 1
    assert "LCK040" in ran.err
    assert not project.root.joinpath(".github").exists()
    assert project.run("ci", "init", "--format", "azure").status == 2


@pytest.mark.parametrize("form", FILES)
@pytest.mark.parametrize("text", [None, "[tool.envsmith.ci]\ncpu-fallback = true\n"])
def test_nothing_is_written_that_would_install_a_strangers_envsmith(
    form: str, text: str | None, project: Project
) -> None:
    place = project.root / "pyproject.toml"
    place.write_text(text, "utf-8") if text else place.unlink()
    for words in ((), ("--yes",), ("--check",), ("--json", "--yes")):
        ran = project.run("ci", "init", "--format", form, *words)
        assert ran.status == 2
        assert "PRF046" in ran.said
        assert "tool.envsmith.ci.setup" in ran.said
        assert "a different project" in ran.said
    assert not [name for name in FILES[form] if (project.root / name).exists()]
    assert not list(strangers(ran.said))
