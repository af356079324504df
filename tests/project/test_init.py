"""``envsmith init``: a first profile, shown before it is written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import Project, Ran

MINE = ("--backend", "cu134", "--profile", "mine", "--python", "3.12", "--platform", "linux", "--yes")


def init(root: Path, *words: str) -> Ran:
    return Project(root=root).run("init", *words)


def test_a_folder_without_anything(tmp_path: Path) -> None:
    ran = init(tmp_path, "--backend", "cpu", "--python", "3.12", "--platform", "linux", "--yes")
    assert ran.status == 0, ran.said
    text = (tmp_path / "profiles/cpu.toml").read_text("utf-8")
    assert text == (
        'summary = "CPU"\nbackend = "cpu"\npython = ["3.12"]\nplatforms = ["linux"]\nrequirements = ["torch"]\n'
    )
    assert (tmp_path / "pyproject.toml").read_text("utf-8") == '[tool.envsmith]\ndefault-profiles = ["cpu"]\n'
    assert '+backend = "cpu"' in ran.out.splitlines()
    assert "not locked yet" in Project(root=tmp_path).run("lock", "--check").out


def test_a_project_keeps_its_file_and_its_requirements(tmp_path: Path) -> None:
    before = '# mine\n[project]\nname = "a"\nversion = "1"\ndependencies = ["torch"]  # all\n'
    (tmp_path / "pyproject.toml").write_text(before, "utf-8")
    assert init(tmp_path, *MINE).status == 0
    after = (tmp_path / "pyproject.toml").read_text("utf-8")
    assert after == f'{before}\n[tool.envsmith]\ndefault-profiles = ["mine"]\n'
    assert "requirements" not in (tmp_path / "profiles/mine.toml").read_text("utf-8")


def test_a_requirements_file_is_recorded_and_locked(project: Project) -> None:
    (project.root / "profiles/mine.toml").unlink()
    (project.root / "requirements.txt").write_text("torchaudio\n", "utf-8")
    ran = project.run("init", *MINE)
    assert ran.status == 0, ran.said
    assert 'requirements-from = "requirements.txt"' in (project.root / "pyproject.toml").read_text("utf-8")
    assert "requirements" not in (project.root / "profiles/mine.toml").read_text("utf-8")
    ran = project.run("lock", "--offline")
    assert ran.status == 0, ran.said
    assert set(project.pins("mine", "cp312-manylinux_2_28_x86_64")) == {"torch", "torchaudio"}
    assert project.run("lock", "--check").status == 0
    assert project.run("add", "torchvision", "--offline").status == 0
    assert (project.root / "requirements.txt").read_text("utf-8") == "torchaudio\ntorchvision\n"
    assert project.run("lock", "--check").status == 0


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pyproject.toml", "[tool.poetry.dependencies]\nsix = '1'\n"),
        ("Pipfile", "[packages]\nsix = '*'\n"),
        ("setup.cfg", "[options]\ninstall_requires = six\n"),
    ],
)
def test_the_list_of_another_tool_comes_before_a_requirements_file(
    tmp_path: Path, file: str, text: str
) -> None:
    (tmp_path / file).write_text(text, "utf-8")
    (tmp_path / "requirements.txt").write_text("rich\n", "utf-8")
    assert init(tmp_path, *MINE).status == 0
    assert "requirements-from" not in (tmp_path / "pyproject.toml").read_text("utf-8")
    assert "requirements" not in (tmp_path / "profiles/mine.toml").read_text("utf-8")


def test_a_link_out_of_the_project_is_not_read(tmp_path: Path) -> None:
    root = tmp_path / "project"
    assert init(root, *MINE).status == 0
    (tmp_path / "secret.txt").write_text("hunter2==1\n", "utf-8")
    (root / "wanted.txt").symlink_to(tmp_path / "secret.txt")
    pyproject = root / "pyproject.toml"
    pyproject.write_text(pyproject.read_text("utf-8") + 'requirements-from = "wanted.txt"\n', "utf-8")
    ran = Project(root=root).run("lock", "--check")
    assert ran.status == 2
    assert "PRF025" in ran.err
    assert "hunter2" not in ran.said


def test_an_existing_profile_is_refused_and_a_second_one_added(tmp_path: Path) -> None:
    assert init(tmp_path, *MINE).status == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.toml")}
    ran = init(tmp_path, *MINE)
    assert (ran.status, ran.out) == (2, "")
    assert "PRF048" in ran.err
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.toml")} == before
    assert init(tmp_path, "--backend", "cpu", "--yes").status == 0
    assert 'default-profiles = ["mine", "cpu"]\n' in (tmp_path / "pyproject.toml").read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "--backend"),
        (("--yes",), "--backend"),
        (("--backend", "cpu"), "--yes"),
        (("--backend", "gpu", "--yes"), "PRF010"),
        (("--backend", "cpu", "--profile", "../x", "--yes"), "PRF006"),
        (("--backend", "cpu", "--platform", "beos", "--yes"), "PRF011"),
        (("--backend", "cpu", "--python", "2.7", "--yes"), "PRF012"),
    ],
)
def test_without_terminal_or_with_invalid_values_nothing_is_written(
    tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    ran = init(tmp_path, *words)
    assert ran.status == 2, ran.said
    assert told in ran.err
    assert not [path for path in tmp_path.rglob("*.toml") if "cache" not in path.parts]


@pytest.mark.skipif(sys.platform == "win32", reason="opens a pseudo terminal")
@pytest.mark.parametrize(("answers", "status"), [("\ny\n", 0), ("cu128\ny\n", 0), ("\nn\n", 1)])
def test_on_a_terminal_the_backend_is_asked_for(tmp_path: Path, answers: str, status: int) -> None:
    ours, theirs = os.openpty()
    env = {**Project(root=tmp_path).environ(), "ENVSMITH_OVERRIDE_CUDA_DRIVER": ""}
    process = subprocess.Popen(
        [sys.executable, "-m", "envsmith", "init"],
        cwd=tmp_path,
        env=env,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    os.write(ours, answers.encode())
    out, _ = process.communicate(timeout=120)
    os.close(ours)
    assert process.returncode == status
    written = sorted((tmp_path / "profiles").glob("*.toml"))
    if status:
        assert not written
    else:
        assert len(written) == 1
        assert b"+default-profiles" in out
    if answers.startswith("cu128"):
        assert written[0].name == "cu128.toml"
