"""The workflows for GitHub, their steps done one by one on fresh machines."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from envsmith.ci import service_formats
from tests.ci.test_service_formats import template
from tests.install.locked import add_torch
from tests.pipelines.conftest import Site
from tests.pipelines.machine import Machine, load, run_job
from tests.pipelines.test_valid import wish
from tests.repositories import git

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="does the steps of a job for Linux")
GH = """#!/bin/sh
echo "$@" >> "$HOME/gh.log"
case "$1 $2" in "pr list") cat "$HOME/open" 2>/dev/null || true ;; esac
"""


def jobs(machine: Machine, name: str = "envsmith") -> Any:
    return load(machine.work / f".github/workflows/{name}.yml")["jobs"]


def test_lock_check_install_verify_and_test_in_order(site: Site) -> None:
    first = site.machine("first")
    steps, outputs = run_job(first, jobs(first)["locks"], {})
    assert [step.status for step in steps] == [0, 0, 0, 0], steps[-1].out
    assert outputs["count"] == "1"
    (entry,) = json.loads(outputs["matrix-1"])["include"]
    assert entry["runner"] == ["self-hosted", "linux", "x64", "gpu"]
    context = {f"matrix.{name}": str(value) for name, value in entry.items()}

    second = site.machine("second")
    steps, _ = run_job(second, jobs(second)["test-1"], context)
    assert [step.name.split(" ", 2)[:2] for step in steps] == [
        ["uv", "pip"],
        ["envsmith", "install"],
        ["envsmith", "verify"],
        ["envsmith", "run"],
    ], steps[-1].out
    assert [step.status for step in steps] == [0, 0, 0, 0], steps[-1].out
    assert "tested 2.20.0+cu134" in steps[-1].out
    assert not (second.work / "made-it").exists()

    # What is kept under the job's key is enough for the next machine: the wheel is not fetched again.
    third = site.machine("third")
    cached = load_step(second)["with"]["path"].split()
    for folder in cached:
        (third.work / folder).parent.mkdir(parents=True, exist_ok=True)
        (second.work / folder).rename(third.work / folder)
    before = wheels_fetched(site)
    steps, _ = run_job(third, jobs(third)["test-1"], context)
    assert steps[-1].status == 0, steps[-1].out
    assert wheels_fetched(site) == before > 0


def load_step(machine: Machine) -> Any:
    """Return the step that keeps files from run to run."""
    steps = jobs(machine)["test-1"]["steps"]
    return next(step for step in steps if step.get("uses", "").startswith("actions/cache@"))


def wheels_fetched(site: Site) -> int:
    return sum(path.endswith(".whl") for path, _ in site.replay.requests)


def test_a_stale_lock_ends_the_run(site: Site) -> None:
    profile = site.shop.project.root / "profiles/own.toml"
    profile.write_text(profile.read_text("utf-8").replace('["torch"]', '["torch", "six"]'), "utf-8")
    site.commit("asks for something else")
    machine = site.machine("one")
    steps, outputs = run_job(machine, jobs(machine)["locks"], {})
    assert (steps[-1].name, steps[-1].status) == ("envsmith lock --check", 1)
    assert "→ six" in steps[-1].out
    assert outputs["count"] == ""


def test_a_change_is_opened_and_brought_up_to_date(site: Site) -> None:
    machine = site.machine("one")
    machine.script("gh", GH)
    job = jobs(machine, "envsmith-relock")["relock"]
    steps, _ = run_job(machine, job, {})
    assert [step.status for step in steps] == [0, 0, 0], steps[-1].out
    assert not (machine.root / "home/gh.log").exists(), "nothing changes: nothing is opened"

    add_torch(site.replay, "2.21.0+cu134")
    machine = site.machine("two")
    machine.script("gh", GH)
    steps, _ = run_job(machine, job, {})
    assert [step.status for step in steps] == [0, 0, 0, 0], steps[-1].out
    body = (machine.root / "temp/body.md").read_text("utf-8")
    assert body.startswith("## own at HEAD → own: torch 2.20.0+cu134 → 2.21.0+cu134")
    assert (machine.root / "temp/summary").read_text("utf-8") == body
    changed = git(site.origin, "diff", "--name-only", "main", "envsmith/relock").splitlines()
    assert changed
    assert all(Path(name).parts[:2] == ("lockfiles", "own") for name in changed)
    said = (machine.root / "home/gh.log").read_text("utf-8").splitlines()
    assert said[1].startswith("pr create --head envsmith/relock --title Update locks")

    # The same machine once more stands for the week after: the pull request is still open.
    assert machine.run("git switch --quiet main").status == 0
    (machine.root / "home/open").write_text("7\n", "utf-8")
    steps, _ = run_job(machine, job, {})
    assert steps[-1].status == 0, steps[-1].out
    said = (machine.root / "home/gh.log").read_text("utf-8").splitlines()
    assert said[3].startswith("pr edit 7 --body-file")


def step_of(name: str) -> str:
    """Return the text of a step of the relock."""
    texts = service_formats.github(wish("plain"), template)
    found = YAML(typ="safe", pure=True).load(texts[".github/workflows/envsmith-relock.yml"])
    (text,) = (
        step["run"] for step in found["jobs"]["relock"]["steps"] if step.get("name", "").startswith(name)
    )
    return str(text)


@pytest.mark.parametrize(
    ("status", "said", "ended"), [(0, "same", 0), (1, "changed", 0), (1, "", 1), (2, "half", 2)]
)
def test_a_diff_that_fails_is_a_failure(status: int, said: str, ended: int, tmp_path: Path) -> None:
    script = f"envsmith() {{ printf '%s' '{said}'; return {status}; }}\n{step_of('Compare with')}"
    env = {
        "RUNNER_TEMP": ".",
        "GITHUB_STEP_SUMMARY": "summary",
        "GITHUB_OUTPUT": "output",
        "PATH": os.environ["PATH"],
    }
    words = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == ended, done.stderr
    told = tmp_path / "output"
    assert (told.read_text("utf-8") if told.exists() else "") == ("" if ended else f"status={status}\n")


@pytest.mark.skipif(not shutil.which("jq"), reason="has no jq, whose language the filter is in")
@pytest.mark.parametrize(
    ("opened", "number"),
    [([], ""), ([(6, True)], ""), ([(6, True), (7, False)], "7"), ([(7, False), (8, False)], "7")],
)
def test_the_pull_request_of_a_fork_is_not_taken_for_ours(
    opened: list[tuple[int, bool]], number: str
) -> None:
    found = re.search(r"--jq '([^']*)'", step_of("Open or update"))
    assert found
    said = json.dumps([{"number": item, "isCrossRepository": is_fork} for item, is_fork in opened])
    done = subprocess.run(["jq", "-r", found[1]], input=said, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == number


@pytest.mark.parametrize(
    ("length", "is_cut"), [(100, False), (60_000, False), (60_001, True), (200_000, True)]
)
def test_a_long_diff_says_where_the_rest_is(length: int, is_cut: bool, tmp_path: Path) -> None:
    """A pull request's text has at most 65,536 characters, and none may be half of one."""
    line = "12 → 130, ≥ 77\n"
    lines = line * (length // len(line.encode()) - 1)
    whole = "x" * (length - len(lines.encode()) - 1) + "\n" + lines
    assert len(whole.encode()) == length
    (tmp_path / "diff.md").write_text(whole, "utf-8")
    script = f"git() {{ :; }}\ngh() {{ :; }}\n{step_of('Open or update')}"
    env = {
        "RUNNER_TEMP": ".",
        "LOCKFILES": "lockfiles",
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_REPOSITORY": "a/b",
        "GITHUB_RUN_ID": "7",
        "PATH": os.environ["PATH"],
    }
    words = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    body = (tmp_path / "body.md").read_text("utf-8")
    assert len(body) < 65_536
    note = "\nThe rest is in the summary of https://github.example/a/b/actions/runs/7\n"
    assert body.endswith(note) == is_cut
    told = body.removesuffix(note)
    assert whole.startswith(told)
    assert told.endswith("\n")
    assert (told == whole) != is_cut
