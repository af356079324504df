from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from envsmith.ci.cli import read_template
from envsmith.ci.service_formats import FORMATS, WRITERS, CiPipeline, github, gitlab
from envsmith.config.pyproject_settings import SERVICES, CiSettings
from envsmith.model.shell import quote_ps1

NASTY = (
    """it's "a" $(touch b) `c` ${{ secrets.X }} #d: e {f} [g] & *h !i |> %j @K@ @SETUP@ \\n \U0001f600 é"""
)
template = read_template
PINNED = ("actions/checkout@1 # v1", "actions/setup-python@2 # v2", "actions/cache@3 # v3")


def load(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def pipeline(**values: object) -> CiPipeline:
    return CiPipeline(ci=CiSettings(**values), runner="ubuntu-24.04", actions=PINNED)  # type: ignore[arg-type]


def steps_of(texts: Mapping[str, str], job: str) -> list[Mapping[str, str]]:
    return load(texts[".github/workflows/envsmith.yml"])["jobs"][job]["steps"]  # type: ignore[no-any-return]


def evaluated(text: str) -> str:
    return text.replace("${{ '${{' }}", "${{")


def said(command: str, behind: str, folder: Path) -> list[str]:
    """Return the words that the shell makes of what stands behind a text."""
    words = command.partition(behind)[2]
    done = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {words}"],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert not list(folder.iterdir())
    return done.stdout.split("\0")[:-1]


def test_every_action_is_pinned_and_no_value_stands_in_a_command() -> None:
    texts = github(pipeline(), template)
    for text in texts.values():
        for job in load(text)["jobs"].values():
            for step in job["steps"]:
                assert step.get("uses", "actions/checkout@1") in {pin.split(" ")[0] for pin in PINNED}
                assert "${{" not in step.get("run", "")


def test_permissions_are_few() -> None:
    texts = github(pipeline(), template)
    assert load(texts[".github/workflows/envsmith.yml"])["permissions"] == {"contents": "read"}
    relock = load(texts[".github/workflows/envsmith-relock.yml"])
    assert relock["permissions"] == {}
    assert relock["jobs"]["relock"]["permissions"] == {"contents": "write", "pull-requests": "write"}


def test_a_job_for_each_part() -> None:
    texts = github(CiPipeline(ci=CiSettings(), parts=3, runner="x", actions=PINNED), template)
    jobs = load(texts[".github/workflows/envsmith.yml"])["jobs"]
    assert list(jobs) == ["locks", "test-1", "test-2", "test-3"]
    assert sorted(jobs["locks"]["outputs"]) == ["count", "matrix-1", "matrix-2", "matrix-3"]
    assert jobs["test-3"]["if"] == "needs.locks.outputs.matrix-3 != ''"
    assert jobs["test-1"]["if"] == "needs.locks.outputs.count != '0'"


@pytest.mark.parametrize("word", [NASTY, "${{", "a b", "-x:y.z", "$HOME", "a\\", "'", '"', "#", "*"])
def test_words_of_a_project_stay_words(word: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    texts = github(pipeline(setup=(f"echo {word}",), test=("run", word)), template)
    *_, setup, _, _, test = steps_of(texts, "test-1")
    assert evaluated(setup["run"]) == f"echo {word}\n"
    assert said(evaluated(test["run"]), "-- ", tmp_path / "empty") == ["run", word]
    found = load(
        gitlab(pipeline(setup=(f"echo {word}",), test=("run", word)), template)[".gitlab/envsmith-jobs.yml"]
    )
    assert found[".envsmith-linux"]["before_script"] == [f"echo {word}"]
    assert said(found[".envsmith-linux"]["script"][-1], "-- ", tmp_path / "empty") == ["run", word]
    assert found[".envsmith-windows"]["script"][-1].partition("'--' ")[2] == f"run {quote_ps1(word)}"


def test_a_folder_is_one_word(tmp_path: Path) -> None:
    texts = github(CiPipeline(ci=CiSettings(), folder=NASTY, runner="x", actions=PINNED), template)
    assert said(evaluated(steps_of(texts, "test-1")[4]["run"]), "--trust ", tmp_path) == ["-o", NASTY]
    relock = load(texts[".github/workflows/envsmith-relock.yml"])["jobs"]["relock"]
    assert evaluated(relock["env"]["LOCKFILES"]) == NASTY


def test_what_a_project_wishes() -> None:
    wish = pipeline(profiles=("a", "b"), has_cpu_fallback=True)
    assert (
        "envsmith matrix a b --cpu-fallback --format github"
        in github(wish, template)[".github/workflows/envsmith.yml"]
    )
    assert (
        "envsmith matrix a b --cpu-fallback --format gitlab" in gitlab(wish, template)[".gitlab/envsmith.yml"]
    )


def test_what_is_run_where_nothing_is_said() -> None:
    assert CiPipeline(ci=CiSettings(), has_pytest=True).test == ("python", "-m", "pytest")
    assert CiPipeline(ci=CiSettings()).test[:2] == ("python", "-c")


def test_every_service_has_a_format() -> None:
    assert tuple(FORMATS) == SERVICES
    assert set(WRITERS) <= set(FORMATS)
