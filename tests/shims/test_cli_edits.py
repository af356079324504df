from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.commands import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(root=tmp_path)
    project.profile("own", backend="cpu", python=["3.11"], platforms=["linux"])
    return project


def written(project: Project, name: str = "own") -> dict[str, Any]:
    return tomllib.loads((project.root / "profiles" / f"{name}.toml").read_text("utf-8"))


def test_add_and_remove_show_and_write(project: Project) -> None:
    before = written(project)
    words = ("torch-safe-globals", "torchaudio-legacy-api", "--allow", "pkg.shapes.Shape")
    ran = project.run("shims", "add", *words, "--yes")
    assert ran.status == 0, ran.said
    assert '+safe-globals = ["pkg.shapes.Shape"]' in ran.out.splitlines()
    assert "envsmith lock own; envsmith install own" in ran.err
    assert written(project)["shims"] == ["torch-safe-globals", "torchaudio-legacy-api"]
    ran = project.run("shims", "add", *words, "--yes")
    assert (ran.status, ran.out) == (0, "nothing to change in own\n")
    ran = project.run("shims", "add", "--allow", "pkg.shapes.Round", "--yes")
    assert written(project)["safe-globals"] == ["pkg.shapes.Shape", "pkg.shapes.Round"]
    assert project.run("shims", "remove", "torchaudio-legacy-api", "torch-safe-globals", "--yes").status == 0
    assert written(project) == before


def test_nothing_is_written_unasked(project: Project) -> None:
    before = written(project)
    ran = project.run("shims", "add", "torchaudio-legacy-api")
    assert (ran.status, "USE002" in ran.said) == (2, True)
    ran = project.run("shims", "add", "torchaudio-legacy-api", "--json")
    assert ran.status == 1
    data = json.loads(ran.out)["data"]
    assert (data["written"], data["file"]) == ([], "profiles/own.toml")
    assert '+shims = ["torchaudio-legacy-api"]' in data["diff"]
    assert written(project) == before


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("torch-safe-globals",), "PRF016"),
        (("torchaudio",), "PRF005"),
        (("torch-legacy", "--profile", "nowhere"), "PRF005"),
        (("torch-safe-globals", "--allow", "os.system"), "PRF005"),
        (("torchaudio-legacy-api", "--profile", "cu130"), "PRF017"),
        (("torchaudio-legacy-api", "--profile", "nowhere"), "PRF013"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    project: Project, words: tuple[str, ...], code: str
) -> None:
    before = written(project)
    ran = project.run("shims", "add", *words, "--yes")
    assert (ran.status, code in ran.said) == (2, True), ran.said
    assert written(project) == before


def test_what_an_extended_profile_asks_for_is_taken_back(project: Project) -> None:
    project.profile("more", extends="own")
    assert project.run("shims", "add", "torchaudio-legacy-api", "--profile", "own", "--yes").status == 0
    assert project.run("shims", "remove", "torchaudio-legacy-api", "--profile", "more", "--yes").status == 0
    assert written(project, "more")["shims"] == []
    ran = project.run("shims", "add", "torchaudio-legacy-api", "--yes")
    assert (ran.status, "--profile: more, own" in ran.said) == (2, True)


def test_an_unknown_shim_is_told_before_all_else(tmp_path: Path) -> None:
    bare = Project(root=tmp_path / "bare")
    for verb in ("add", "remove"):
        ran = bare.run("shims", verb, "torch-legacy", "--yes")
        assert ran.status == 2
        assert "PRF005" in ran.err
        assert "torch-legacy" in ran.err
