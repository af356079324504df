"""``envsmith activate``: the one line a shell reads."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from envsmith.activate.model import Activation
from envsmith.activate.scripts import activation_files
from envsmith.templates import read_template
from tests.commands import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose name needs quoting, with a profile, its scripts and an environment."""
    made = Project(root=tmp_path / "it's a $(project)")
    made.profile("app", backend="cpu", python=["3.11"], platforms=["linux"])
    (made.root / ".venv" / "bin").mkdir(parents=True)
    folder = made.root / "lockfiles" / "app"
    folder.mkdir(parents=True)
    for name, content in activation_files(Activation(profile="app"), read_template).items():
        (folder / name).write_bytes(content)
    return made


def test_the_line_reads_the_script_beside_the_lock(project: Project) -> None:
    quoted = str(project.root).replace("'", "'\\''")
    assert project.run("activate", "app", "--shell", "zsh").out == f". '{quoted}/lockfiles/app/activate.sh'\n"


def test_the_environments_own_script_goes_first(project: Project) -> None:
    shutil.copy(project.root / "lockfiles" / "app" / "activate.fish", project.root / ".venv" / "bin")
    assert project.run("activate", "app", "--shell", "fish").out.endswith("/.venv/bin/activate.fish'\n")


def test_another_tools_script_in_the_environment_is_not_ours(project: Project) -> None:
    (project.root / ".venv" / "bin" / "activate.fish").write_text("# made by another tool\n")
    assert "/lockfiles/app/" in project.run("activate", "app", "--shell", "fish").out


def test_a_shell_that_asks_is_known_and_can_read_the_answer(project: Project) -> None:
    read = 'eval "$("$PYTHON" -m envsmith activate app)"'
    script = f'{read}; echo "$VIRTUAL_ENV"; deactivate; echo "${{VIRTUAL_ENV-none}}"'
    env = {**project.environ(), "VIRTUAL_ENV": "", "PYTHON": sys.executable}
    done = subprocess.run(
        ["bash", "-c", script], cwd=project.root, env=env,
        capture_output=True, encoding="utf-8", check=True,
    )  # fmt: skip
    assert done.stdout == f"{project.root}/.venv\n\n"


def test_no_script(project: Project) -> None:
    (project.root / "lockfiles" / "app" / "activate.sh").unlink()
    ran = project.run("activate", "app", "--shell", "sh")
    assert (ran.status, ran.out, "ENV054" in ran.err) == (2, "", True)


def test_a_committed_script_that_is_not_ours_is_not_run(project: Project) -> None:
    script = project.root / "lockfiles" / "app" / "activate.sh"
    text = script.read_bytes()
    script.write_bytes(text.replace(b"\n", b"\r\n"))
    assert project.run("activate", "app", "--shell", "sh").status == 0, "git may change line ends"
    script.write_bytes(text + b"touch /tmp/x\n")
    for words in (("activate", "app", "--shell", "sh"), ("env", "app", "--format", "envrc")):
        ran = project.run(*words)
        assert (ran.status, ran.out, "LCK038" in ran.err) == (1, "", True)
