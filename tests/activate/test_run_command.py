"""``envsmith run``: a command in the environment, without any shell between."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.commands import Project

SHOW = "import os, sys; print(*sys.argv[1:], sep='|'); print(os.environ.get(sys.argv[1], 'unset'))"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a profile and an environment with nothing in it."""
    made = Project(root=tmp_path / "a project", env={"PATH": "/x/site-packages/torch/lib:/usr/bin:/bin"})
    made.profile("app", backend="cu128", python=["3.11"], platforms=["linux"], requirements=["torch"])
    with (made.root / "profiles" / "app.toml").open("a", encoding="utf-8") as file:
        file.write('[env]\nGREETING = "it\'s $HOME; `x`"\n')
    (made.root / ".venv" / "bin").mkdir(parents=True)
    return made


def shows(project: Project, name: str, *words: str) -> list[str]:
    ran = project.run("run", "app", "--", sys.executable, "-S", "-c", SHOW, name, *words)
    assert ran.status == 0, ran.said
    return ran.out.splitlines()


def test_the_command_has_the_environment_and_its_words_as_they_are(project: Project) -> None:
    words = ("-q", "--json", "$HOME", "a b", "*", "", "-v", "--", "it's")
    assert shows(project, "GREETING", *words) == ["|".join(["GREETING", *words]), "it's $HOME; `x`"]


def test_path_is_clean(project: Project) -> None:
    assert shows(project, "PATH")[1] == f"{project.root}/.venv/bin:/usr/bin:/bin"


def test_programs_of_the_environment_come_first(project: Project) -> None:
    program = project.root / ".venv" / "bin" / "env"
    program.write_text("#!/bin/sh\necho mine\n")
    program.chmod(0o755)
    assert project.run("run", "app", "--", "env").out == "mine\n"


def test_its_status_is_ours(project: Project) -> None:
    assert project.run("run", "app", "--", "sh", "-c", "exit 77").status == 77
    assert project.run("run", "app", "--", "sh", "-c", "kill -9 $$").status == -9


@pytest.mark.parametrize(
    ("words", "code", "status"),
    [
        (("run", "app"), "USE001", 2),
        (("run", "app", "--"), "USE001", 2),
        (("run", "app", "true"), "USE001", 2),
        (("run", "none", "--", "true"), "PRF013", 2),
        (("run", "../app", "--", "true"), "PRF006", 2),
        (("run", "--", "true"), "PRF045", 2),
        (("run", "app", "--", "no-such-program"), "TOL001", 2),
    ],
)
def test_what_cannot_be_run(project: Project, words: tuple[str, ...], code: str, status: int) -> None:
    ran = project.run(*words)
    assert (ran.status, ran.out) == (status, "")
    assert code in ran.err


def test_no_environment(project: Project) -> None:
    project.env["ENVSMITH_PREFIX"] = str(project.root / "elsewhere")
    ran = project.run("run", "app", "--", "true")
    assert (ran.status, "ENV050" in ran.err, "elsewhere" in ran.said) == (2, True, True)


def test_the_environment_says_which_profile_it_was_built_for(project: Project) -> None:
    (project.root / ".venv" / "envsmith.json").write_text('{"profile": "app"}')
    assert project.run("run", "--", "sh", "-c", "echo $ENVSMITH_PROFILE").out == "app\n"


def test_a_command_without_dashes_is_shown_with_them(project: Project) -> None:
    ran = project.run("run", "app", "python", "-V")
    assert (ran.status, ran.out) == (2, "")
    assert "envsmith run app -- python -V" in ran.err
