"""What is written for CI services, judged by what their users judge it with."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from envsmith.catalog.ci import read_actions, runners_of
from envsmith.ci import service_formats
from envsmith.ci.job import Job
from envsmith.ci.job_planning import Machines, make_jobs, on_runners
from envsmith.ci.service_formats import CiPipeline, to_azure, to_github, to_gitlab
from envsmith.config.pyproject_settings import CiSettings, Runners
from tests.built import ROOT
from tests.ci.test_service_formats import NASTY, template
from tests.locks import LINUX, MAC, WINDOWS, kept
from tests.pipelines.checkers import actionlint, schema

GUIDE = (ROOT / "docs/guide/ci.md").read_text("utf-8")
LOCKS = [kept(f"p-{number}/{slug}", backend="cpu") for number in range(3) for slug in (LINUX, WINDOWS, MAC)]
WISHES = {
    "plain": CiSettings(setup=("python -m pip install -r ci/envsmith.txt",)),
    "nasty": CiSettings(
        profiles=("a", "b.c"),
        setup=(NASTY, f"- {NASTY}", "# x"),
        test=("x", NASTY, "-v:a.b"),
        has_cpu_fallback=True,
    ),
}


def jobs(service: str) -> list[Job]:
    machines = Machines(own=Runners(), hosted=runners_of(service).runners)
    locks = [lock for lock in LOCKS if service != "azure" or lock.target.platform.os != "macos"]
    return list(on_runners(make_jobs(locks, "lockfiles"), machines, service))


def written(tmp_path: Path, texts: dict[str, str]) -> list[Path]:
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    return [tmp_path / name for name in texts]


def wish(name: str, parts: int = 1) -> CiPipeline:
    return CiPipeline(
        ci=WISHES[name],
        folder="lockfiles" if name == "plain" else NASTY,
        parts=parts,
        runner="ubuntu-24.04",
        actions=tuple(action.pinned for action in read_actions()),
    )


def of_github() -> dict[str, str]:
    """Return what there is for GitHub: each wish in one part and in three, a matrix in place, what the guide shows."""
    found: dict[str, str] = {}
    for name in WISHES:
        for parts in (1, 3):
            texts = service_formats.github(wish(name, parts), template)
            found |= {f"{name}-{parts}/{path}": text for path, text in texts.items()}
    found["plain-matrix/.github/workflows/x.yml"] = (
        f"on: push\njobs:\n  test:\n    strategy:\n      matrix: {to_github(jobs('github'))}\n"
        "    runs-on: ${{ matrix.runner }}\n    steps:\n      - run: echo\n"
    )
    guide = {f"plain-guide-{number}": block for number, block in enumerate(shown("github"))}
    return found | {f"{name}/.github/workflows/x.yml": f"on: push\n{text}" for name, text in guide.items()}


def of_gitlab() -> dict[str, str]:
    found = {"matrix.yml": to_gitlab(jobs("gitlab"), 2)}
    for name in WISHES:
        found |= {
            f"{name}/{path}": text for path, text in service_formats.gitlab(wish(name), template).items()
        }
    return found | {f"guide-{number}.yml": block for number, block in enumerate(shown("gitlab"))}


def of_azure() -> dict[str, str]:
    found = {f"guide-{number}.yml": block for number, block in enumerate(shown("azure"))}
    return {**found, "matrix.yml": azure_with(to_azure(jobs("azure")))}


def azure_with(matrix: str) -> str:
    return (
        f"jobs:\n- job: test\n  strategy:\n    matrix: {matrix}\n  pool:\n    vmImage: $(runner)\n"
        "  steps:\n  - script: echo $(profile)\n"
    )


def shown(service: str) -> list[str]:
    """Return the YAML that the guide shows for a service."""
    parts = re.split(r"^### ", GUIDE, flags=re.MULTILINE)
    (text,) = (part for part in parts if part.lower().startswith(service))
    found = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert found
    return found


@pytest.mark.parametrize(
    ("service", "texts"), [("github", of_github), ("gitlab", of_gitlab), ("azure", of_azure)]
)
def test_by_the_schema_that_the_service_publishes(
    service: str, texts: Callable[[], dict[str, str]], tmp_path: Path
) -> None:
    assert schema(service, *written(tmp_path, texts())) == ""


def test_by_actionlint(tmp_path: Path) -> None:
    paths = written(tmp_path, of_github())
    plain = [path for path in paths if path.relative_to(tmp_path).parts[0].startswith("plain")]
    assert actionlint(*plain) == ""
    # ShellCheck has its views on what a project itself writes; that it is still YAML, and ours, is what counts.
    found = actionlint(*(path for path in paths if path not in plain))
    assert set(re.findall(r" \[([a-z-]+)\]$", found, re.MULTILINE)) == {"shellcheck"}


def test_the_judges_refuse_what_is_wrong(tmp_path: Path) -> None:
    steps = "    steps:\n      - run: echo ${{ matrix.x }}\n        usess: y\n"
    bad = f"on: push\njobs:\n  test:\n    runs-on: ubuntu-24.04\n{steps}"
    (path,) = written(tmp_path, {".github/workflows/x.yml": bad})
    assert "usess" in actionlint(path)
    assert "usess" in schema("github", path)
    (path,) = written(tmp_path, {"gitlab.yml": "job:\n  script: [a]\n  retry: [1]\n"})
    assert "retry" in schema("gitlab", path)
    (path,) = written(tmp_path, {"azure.yml": azure_with("[1]")})
    assert schema("azure", path)
