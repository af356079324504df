from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands import Project
from tests.install.made import PROFILE, Shop
from tests.install.test_shims import audio as audio_shop

audio = audio_shop


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(root=tmp_path)
    project.profile(
        "own", backend="cpu", python=["3.11"], platforms=["linux"], shims=["torchaudio-legacy-api"]
    )
    return project


def test_list_says_what_there_is_and_who_asks(project: Project) -> None:
    ran = project.run("shims", "list", "--json")
    data = json.loads(ran.out)["data"]
    assert [(row["name"], row["profiles"]) for row in data] == [
        ("torchaudio-legacy-api", ["own"]),
        ("torch-safe-globals", []),
    ]
    ran = project.run("shims", "list")
    assert "torchaudio 2.9 and later" in ran.out
    assert "no profile of this project" in ran.out


def test_status_of_an_environment_with_and_without(audio: Shop) -> None:
    assert audio.install().status == 0
    ran = audio.project.run("shims", "status", "--json")
    (state,) = json.loads(ran.out)["data"]
    assert (state["active"], state["asked"], state["need"]) == (True, True, "needed")
    assert "AudioMetaData" in state["added"]
    (audio.project.root / "profiles" / f"{PROFILE}.toml").write_text(
        'backend = "cpu"\npython = ["3.11"]\nplatforms = ["linux"]\n', "utf-8"
    )
    ran = audio.project.run("shims", "status")
    assert "active, but not in the profile" in ran.said
    assert "needed torchaudio 2.11.0 has no AudioMetaData" in ran.said
    assert audio.install().status == 0
    assert "has no shims, and its profile lists none" in audio.project.run("shims", "status").said


def test_status_without_an_environment(project: Project) -> None:
    ran = project.run("shims", "status")
    assert (ran.status, "ENV050" in ran.said) == (2, True)
