"""The project's folder, found upwards or given with ``--project``; paths stay those of the user's folder."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.commands import Project
from tests.replay import ReplayIndex
from tests.replay_files import ReplayFile

SLUG = "cp312-manylinux_2_28_x86_64"


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with a lock; its index needs no server any more."""
    project = Project(root=tmp_path_factory.mktemp("locked") / "project")
    project.profile("mine", backend="cu134", python=["3.12"], platforms=["linux"], requirements=["torch"])
    made = ReplayFile.made("torch", "2.20.0+cu134", "cp312-cp312-manylinux_2_28_x86_64", [], index="cu134")
    with ReplayIndex([made]) as replay:
        project.index = replay.base
        assert project.run("catalog", "refresh", "cu134").status == 0
        ran = project.run("lock", "mine", "--offline", folder="src/deep")
    assert ran.status == 0, ran.said
    return project


@pytest.fixture
def project(locked: Project, tmp_path: Path) -> Project:
    root = tmp_path / "project"
    shutil.copytree(locked.root, root)
    return Project(root=root, index=locked.index)


def test_locks_are_written_in_the_project(project: Project) -> None:
    assert (project.root / "lockfiles/mine" / f"requirements.{SLUG}.txt").is_file()
    assert not list((project.root / "src").rglob("lockfiles"))
    assert not [
        path
        for path in (project.root / "lockfiles").rglob("*")
        if path.is_file() and b"project/" in path.read_bytes()
    ]


def test_from_a_subfolder_the_same_locks_are_current(project: Project) -> None:
    assert project.run("lock", "--check").status == 0
    for _ in range(2):  # planned, then from the answer cache
        assert project.run("lock", "--check", folder="src/deep").out == "current: mine\n"
    profile = project.root / "profiles/mine.toml"
    profile.write_text(profile.read_text("utf-8").replace('["torch"]', '["torch", "six"]'), "utf-8")
    assert project.run("lock", "--check", folder="src/deep").status == 1


def test_answers_of_two_folders_are_told_apart(project: Project) -> None:
    for name in ("one", "two"):
        shutil.copytree(project.root / "lockfiles", project.root / name / "locks")
    shutil.rmtree(project.root / "two/locks/mine")
    words = ("lock", "mine", "--check", "-o", "locks")
    assert [project.run(*words, folder=name).status for name in ("one", "one", "two")] == [0, 0, 1]


def test_errors_name_files_as_seen_from_the_users_folder(project: Project) -> None:
    with (project.root / "profiles/mine.toml").open("a", encoding="utf-8") as stream:
        stream.write("nonsense = 1\n")
    assert "../../profiles/mine.toml:6" in project.run("lock", "--check", folder="src/deep").err


def test_written_paths_can_be_pasted(project: Project) -> None:
    ran = project.run("lock", "--offline", "--upgrade", "--dry-run", folder="src/deep")
    assert str(project.root / "lockfiles/mine") in ran.out, ran.said


def test_requirements_are_those_of_the_users_folder_and_recorded_relative_to_the_project(
    project: Project,
) -> None:
    (project.root / "src/deep").mkdir(parents=True, exist_ok=True)
    (project.root / "src/deep/wanted.in").write_text("torch>=2.20\n", "utf-8")
    ran = project.run("lock", "mine", "-r", "wanted.in", "--offline", folder="src/deep")
    assert ran.status == 0, ran.said
    assert project.manifest("mine").remembered.requirements_files == ("src/deep/wanted.in",)
    assert project.run("lock", "mine", "--check").status == 0
    assert project.run("lock", "mine", "--check", folder="src").status == 0


def test_a_command_runs_in_the_users_folder(project: Project) -> None:
    (project.root / ".venv/bin").mkdir(parents=True)
    show = "import os; print(os.getcwd(), os.environ['VIRTUAL_ENV'])"
    for words in (("run", "mine"), ("-q", "run", "mine")):  # the fast path, and the one over click
        ran = project.run(*words, "--", sys.executable, "-c", show, folder="src/deep")
        assert ran.out.split() == [f"{project.root}/src/deep", f"{project.root}/.venv"], ran.said


def test_the_words_of_a_command_are_its_own(project: Project) -> None:
    (project.root / ".venv/bin").mkdir(parents=True)
    ran = project.run("run", "mine", "--", "echo", "--project", "nowhere")
    assert ran.out == "--project nowhere\n", ran.said


def test_activation_names_the_environment_of_the_project(project: Project) -> None:
    (project.root / ".venv/bin").mkdir(parents=True)
    ran = project.run("activate", "--shell", "bash", folder="src/deep")
    assert str(project.root / "lockfiles/mine/activate.sh") in ran.out, ran.said


@pytest.mark.parametrize("words", [("--project", "project"), ("--project=./project",), ("--project", "")])
def test_a_project_can_be_given(project: Project, words: tuple[str, ...]) -> None:
    outside = Project(root=project.root.parent, index=project.index)
    outside.env["ENVSMITH_CACHE_DIR"] = str(project.root / "cache")
    words = tuple(word or str(project.root) for word in words)
    assert outside.run(*words, "lock", "--check").status == 0
    assert outside.run("lock", "--check", *words).out == "current: mine\n"
    (outside.root / "wanted.in").write_text("torch>=2.20\n", "utf-8")
    assert outside.run("lock", "mine", "-r", "wanted.in", "--offline", *words).status == 0
    assert not (outside.root / "lockfiles").exists()


@pytest.mark.parametrize("words", [("--project", "nowhere"), ("--project=",), ("--project",)])
def test_a_project_that_does_not_exist_is_refused(tmp_path: Path, words: tuple[str, ...]) -> None:
    ran = Project(root=tmp_path).run("lock", "--check", *words)
    assert (ran.status, ran.out) == (2, "")
    assert "USE001" in ran.err
    assert "--project" in ran.err


def test_the_given_folder_is_the_project_itself(project: Project) -> None:
    (project.root / "src").mkdir(exist_ok=True)
    ran = project.run("--project", ".", "lock", "--check", folder="src")
    assert "PRF042" in ran.err
    assert "use --project .." in ran.err
