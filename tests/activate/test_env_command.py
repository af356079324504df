"""``envsmith env``: the variables of a session, for people and for files that others read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from envsmith.activate.model import Activation
from tests.commands import Project
from tests.shells.places import write_scripts


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a profile and an environment with nothing in it; a session that needs clearing."""
    taken = {
        "PATH": "/x/site-packages/torch/lib:/usr/bin:/bin",
        "LD_LIBRARY_PATH": "/usr/local/cuda-11.8/lib64",
    }
    made = Project(root=tmp_path / "project", env={**taken, "CONDA_PREFIX": "/opt/conda"})
    made.profile("app", backend="cu128", python=["3.11"], platforms=["linux"], env={})
    text = made.root / "profiles" / "app.toml"
    text.write_text(text.read_text("utf-8").replace("env = {}\n", '[env]\nA = "x y"\n'))
    (made.root / ".venv" / "bin").mkdir(parents=True)
    return made


def test_people_get_lines(project: Project) -> None:
    lines = project.run("env", "app").out.splitlines()
    assert {"A=x y", "ENVSMITH_PROFILE=app", "# CONDA_PREFIX is unset", "# LD_LIBRARY_PATH is unset"} <= set(
        lines
    )
    assert f"PATH={project.root}/.venv/bin:/usr/bin:/bin" in lines


def test_programs_get_json(project: Project) -> None:
    found = json.loads(project.run("env", "app", "--json").out)
    assert (found["command"], found["status"]) == ("env", "ok")
    assert found["data"]["set"]["A"] == "x y"
    assert found["data"]["unset"] == ["LD_LIBRARY_PATH", "CONDA_PREFIX"]
    assert [(item["variable"], item["entry"]) for item in found["data"]["taken"]] == [
        ("PATH", "/x/site-packages/torch/lib"),
        ("LD_LIBRARY_PATH", "/usr/local/cuda-11.8/lib64"),
        ("CONDA_PREFIX", None),
    ]


def test_each_thing_taken_is_explained(project: Project) -> None:
    said = project.run("env", "app", "--explain").said
    assert "/x/site-packages/torch/lib is in an environment's packages" in said
    assert "CUDA toolkit of another major version" in said
    assert "CONDA_PREFIX (all) would make pip and uv use another environment" in said


def test_nothing_to_explain(project: Project) -> None:
    project.env = {"PATH": "/usr/bin:/bin", "LD_LIBRARY_PATH": "/x", "CONDA_PREFIX": ""}
    assert "CONDA_PREFIX" in project.run("env", "app", "--explain").out


@pytest.mark.parametrize(
    ("form", "line"),
    [("dotenv", "A='x y'"), ("systemd", 'A="x y"'), ("github", "A<<END\nx y\nEND"), ("envrc", "watch_file")],
)
def test_files_for_others(project: Project, form: str, line: str) -> None:
    ran = project.run("env", "app", "--format", form)
    assert (ran.status, line in ran.out) == (0, True)


def test_one_form_at_a_time(project: Project) -> None:
    ran = project.run("env", "app", "--explain", "--json")
    assert (ran.status, json.loads(ran.out)["errors"][0]["code"]) == (2, "USE001")


def inside(project: Project, *words: str, **changed: str) -> str:
    """Return what a command says in a session that another profile's script began."""
    write_scripts(
        project.root, Activation(profile="other", env={"OF_OTHER": "x"}, cuda_major=12), folder="other"
    )
    run = [
        "bash",
        "-c",
        '. lockfiles/other/activate.sh; "$@"',
        "bash",
        sys.executable,
        "-m",
        "envsmith",
        *words,
    ]
    env = {**project.environ(), "ENVSMITH_QUIET": "1", **changed}
    return subprocess.run(
        run, cwd=project.root, env=env, capture_output=True, encoding="utf-8", check=True
    ).stdout  # fmt: skip


def test_inside_a_session_it_explains_what_is_out_of_it(project: Project) -> None:
    assert inside(project, "env", "app", "--explain") == project.run("env", "app", "--explain").out
    assert "torch/lib" in inside(project, "env", "app", "--explain")


@pytest.mark.parametrize("form", ["dotenv", "systemd", "github"])
def test_inside_a_session_files_have_the_same_in_them(project: Project, form: str) -> None:
    text = inside(project, "env", "app", "--format", form)
    assert text == project.run("env", "app", "--format", form).out
    assert "PATH" in text


def test_nothing_of_another_profiles_session_is_in_a_command(project: Project) -> None:
    text = inside(project, "run", "app", "--", "env", OF_MINE="y")
    names = {line.partition("=")[0] for line in text.splitlines()}
    assert not [name for name in names if name.startswith("_ENVSMITH")]
    assert ("OF_OTHER" in names, "OF_MINE" in names, "A" in names) == (False, True, True)
