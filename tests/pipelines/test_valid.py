"""What is written for CI services, judged by what their users judge it with."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from envsmith.catalog.actions import read_actions
from envsmith.catalog.runners import runners_of
from envsmith.model.ci_settings import CiSettings
from envsmith.model.job import Job
from envsmith.model.runners import Runners
from envsmith.rules import pipelines
from envsmith.rules.matrix import Machines, make_jobs, on_runners, to_azure, to_github, to_gitlab
from envsmith.rules.pipelines import Pipeline
from tests.built import ROOT
from tests.locks import LINUX, MAC, WINDOWS, kept
from tests.pipelines.checkers import actionlint, schema
from tests.rules.test_pipelines import NASTY, template

GUIDE = (ROOT / "docs/guide/ci.md").read_text("utf-8")
LOCKS = [kept(f"p-{number}/{slug}", backend="cpu") for number in range(3) for slug in (LINUX, WINDOWS, MAC)]
WISHES = {
    "plain": CiSettings(),
    "nasty": CiSettings(
        profiles=("a", "b.c"),
        setup=(NASTY, f"- {NASTY}", "# x"),
        test=("x", NASTY, "-v:a.b"),
        has_cpu_fallback=True,
    ),
}


def jobs(service: str) -> list[Job]:
    machines = Machines(own=Runners(), lent=runners_of(service).runners)
    locks = [lock for lock in LOCKS if service != "azure" or lock.target.platform.os != "macos"]
    return list(on_runners(make_jobs(locks, "lockfiles"), machines, service))


def written(tmp_path: Path, texts: dict[str, str]) -> list[Path]:
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    return [tmp_path / name for name in texts]


def wish(name: str, parts: int = 1) -> Pipeline:
    return Pipeline(
        ci=WISHES[name],
        folder="lockfiles" if name == "plain" else NASTY,
        parts=parts,
        runner="ubuntu-24.04",
        actions=tuple(action.pinned for action in read_actions()),
    )


@pytest.mark.parametrize("name", WISHES)
@pytest.mark.parametrize("parts", [1, 3])
def test_workflows_for_github(name: str, parts: int, tmp_path: Path) -> None:
    paths = written(tmp_path, pipelines.github(wish(name, parts), template))
    assert schema("github", *paths) == ""
    found = actionlint(*paths)
    # ShellCheck has its views on what a project itself writes; what is ours must be beyond reproach.
    assert found == "" if name == "plain" else "syntax-check" not in found


@pytest.mark.parametrize("name", WISHES)
def test_pipelines_for_gitlab(name: str, tmp_path: Path) -> None:
    paths = written(tmp_path, pipelines.gitlab(wish(name), template))
    assert schema("gitlab", *paths) == ""


def test_a_matrix_for_gitlab(tmp_path: Path) -> None:
    (path,) = written(tmp_path, {"jobs.yml": to_gitlab(jobs("gitlab"), 2)})
    assert schema("gitlab", path) == ""


def test_a_matrix_for_azure(tmp_path: Path) -> None:
    printed = to_azure(jobs("azure"))
    text = (
        f"jobs:\n- job: test\n  strategy:\n    matrix: {printed}\n  pool:\n    vmImage: $(runner)\n"
        "  steps:\n  - script: echo $(profile)\n"
    )
    (path,) = written(tmp_path, {"azure-pipelines.yml": text})
    assert schema("azure", path) == ""
    (path,) = written(tmp_path, {"azure-pipelines.yml": text.replace(printed, "[1]")})
    assert schema("azure", path) != "", "the schema knows what a matrix is"


def test_a_matrix_for_github(tmp_path: Path) -> None:
    printed = json.loads(to_github(jobs("github")))
    text = (
        f"on: push\njobs:\n  test:\n    strategy:\n      matrix: {json.dumps(printed)}\n"
        "    runs-on: ${{ matrix.runner }}\n    steps:\n      - run: echo\n"
    )
    (path,) = written(tmp_path, {".github/workflows/x.yml": text})
    assert schema("github", path) == actionlint(path) == ""


def test_the_judges_refuse_what_is_wrong(tmp_path: Path) -> None:
    steps = "    steps:\n      - run: echo ${{ matrix.x }}\n        usess: y\n"
    bad = f"on: push\njobs:\n  test:\n    runs-on: ubuntu-24.04\n{steps}"
    (path,) = written(tmp_path, {".github/workflows/x.yml": bad})
    assert "usess" in actionlint(path)
    assert "usess" in schema("github", path)
    (path,) = written(tmp_path, {"x.yml": "job:\n  script: [a]\n  retry: [1]\n"})
    assert schema("gitlab", path)


@pytest.mark.parametrize("service", ["github", "gitlab", "azure"])
def test_what_the_guide_shows(service: str, tmp_path: Path) -> None:
    section = re.split(r"^### ", GUIDE, flags=re.MULTILINE)
    (text,) = (part for part in section if part.lower().startswith(service))
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert blocks
    for block in blocks:
        whole = {"github": "on: push\n", "azure": "steps:\n", "gitlab": ""}[service] + block
        (path,) = written(tmp_path, {".github/workflows/x.yml": whole})
        assert schema(service, path) == ""
        assert service != "github" or actionlint(path) == ""
