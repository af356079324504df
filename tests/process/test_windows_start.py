"""Programs of Windows, played on POSIX by scripts with Windows's endings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from envsmith.errors import ToolError
from envsmith.process import windows_start
from envsmith.process.capture import run_teed
from envsmith.process.runner import Processes, run_attached

pytestmark = pytest.mark.skipif(os.name == "nt", reason="scripts with Windows's endings")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A PATH with relative entries; `git.exe` is in the current folder and in the last entry."""
    monkeypatch.setattr(windows_start, "_IS_WINDOWS", True)
    for place in ("project/git.exe", "project/tools/git.exe", "programs/git.exe", "programs/tool.cmd"):
        file = tmp_path / place
        file.parent.mkdir(exist_ok=True, parents=True)
        file.write_text(f'#!/bin/sh\necho {file.parent.name} "$@" > {tmp_path}/started\n', "utf-8")
        file.chmod(0o755)
    monkeypatch.chdir(tmp_path / "project")
    return os.pathsep.join(["", ".", "tools", str(tmp_path / "none"), f'"{tmp_path / "programs"}"'])


def test_a_plain_name_is_found_on_path_and_not_in_the_current_folder(tmp_path: Path, path: str) -> None:
    env, started = {"PATH": path, "PATHEXT": ".PY;.EXE"}, tmp_path / "started"
    assert run_attached(["git", "a"], env) == 0
    assert started.read_text("utf-8") == "programs a\n"
    assert run_teed(["git.exe", "b"], env).status == 0
    assert started.read_text("utf-8") == "programs b\n"
    assert Processes().run(["git", "c"], env=env, timeout_s=60, cwd=tmp_path / "project").status == 0
    assert started.read_text("utf-8") == "programs c\n"
    assert Processes().run([Path("tools/git"), "d"], env=env, timeout_s=60).status == 0
    assert started.read_text("utf-8") == "tools d\n"


def test_a_plain_name_of_the_current_folder_alone_is_not_found(tmp_path: Path, path: str) -> None:
    env = {"PATH": path.rpartition(os.pathsep)[0]}
    with pytest.raises(FileNotFoundError, match="not found on PATH"):
        run_attached(["git"], env)
    with pytest.raises(ToolError, match=r"TOL001: git: cannot start: not found on PATH"):
        run_teed(["git"], env)
    with pytest.raises(ToolError, match=r"TOL001: git: cannot start: not found on PATH"):
        Processes().run(["git"], env=env, timeout_s=60)
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize("argument", ["a&whoami", "50%", '"', "a\nb", "(x)", "^", "a b|c"])
def test_cmd_gets_no_argument_that_it_would_interpret(tmp_path: Path, path: str, argument: str) -> None:
    with pytest.raises(ToolError, match="TOL006") as caught:
        run_attached(["tool", "-v", argument], {"PATH": path})
    assert repr(argument) in caught.value.message
    with pytest.raises(ToolError, match="TOL006"):
        run_attached([f"{tmp_path}/programs/tool.cmd. ", argument], {"PATH": path})
    assert not (tmp_path / "started").exists()


def test_plain_arguments_of_a_batch_file_and_all_of_a_program_pass(tmp_path: Path, path: str) -> None:
    started = tmp_path / "started"
    assert run_attached(["tool", "--name=a b", r"C:\x"], {"PATH": path}) == 0
    assert started.read_text("utf-8").startswith("programs --name=a b C:")
    assert run_attached(["git", "a&whoami"], {"PATH": path}) == 0
    assert started.read_text("utf-8") == "programs a&whoami\n"
