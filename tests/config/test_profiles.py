from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.config.profile_reader import parse
from envsmith.config.profiles import ProfileStore
from envsmith.errors import EnvsmithError, ProfileError

OWN = 'backend = "cpu"\npython = ["3.12"]\nplatforms = ["linux"]\n'
SHIPPED = {
    "ai-no-vision": 6,
    "cpu-minimal": 12,
    "cu126": 6,
    "cu128": 6,
    "cu128-nightly-rtx50": 4,
    "cu130": 6,
    "cu132": 4,
    "macos": 3,
    "rocm": 3,
    "xpu": 4,
}


def own(folder: Path, name: str, text: str) -> None:
    (folder / "profiles").mkdir(exist_ok=True)
    (folder / "profiles" / f"{name}.toml").write_text(text)


def test_the_shipped_profiles_are_these(tmp_path: Path) -> None:
    assert [name for name, _ in ProfileStore.of_project(tmp_path).names()] == sorted(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_each_shipped_profile_reads_and_shows_itself(tmp_path: Path, name: str) -> None:
    profile = ProfileStore.of_project(tmp_path).resolve(name)
    assert len(profile.targets()) == SHIPPED[name]
    assert profile.summary
    assert "torch" in {item.name for item in profile.sourced_requirements()}
    assert parse(profile.to_toml(), "shown", name) == profile


@pytest.mark.parametrize("name", ["cpu-minimal", "ai-no-vision"])
def test_cpu_profiles_hide_gpus(tmp_path: Path, name: str) -> None:
    assert dict(ProfileStore.of_project(tmp_path).resolve(name).env) == {"CUDA_VISIBLE_DEVICES": ""}


def test_the_nightly_profile_of_case_c(tmp_path: Path) -> None:
    profile = ProfileStore.of_project(tmp_path).resolve("cu128-nightly-rtx50")
    assert (profile.channel, profile.on_retired, profile.gpu) == ("nightly", "stable", ("RTX 5080",))


def test_own_folder_then_pyproject_then_shipped(tmp_path: Path) -> None:
    table = "[tool.envsmith.profiles.{}]\nsummary = 'pyproject'\n" + OWN
    (tmp_path / "pyproject.toml").write_text(table.format("cu130") + table.format("mine"))
    own(tmp_path, "mine", "summary = 'folder'\n" + OWN)
    profiles = ProfileStore.of_project(tmp_path)
    assert profiles.resolve("mine").summary == "folder"
    assert profiles.resolve("cu130").summary == "pyproject"
    assert (
        profiles.resolve("cu130").where("python") == "pyproject.toml:4: tool.envsmith.profiles.cu130.python"
    )
    assert profiles.resolve("cu128").summary.startswith("CUDA 12.8")
    assert dict(profiles.names())["mine"] == "profiles/mine.toml"
    assert dict(profiles.names())["cu130"] == "pyproject.toml"
    assert dict(profiles.names())["cu128"] == "shipped profiles/cu128.toml"


def test_an_own_profile_extends_a_shipped_one(tmp_path: Path) -> None:
    own(tmp_path, "audio", 'extends = "cu126"\nrequirements = ["torch", "torchaudio"]\n')
    profile = ProfileStore.of_project(tmp_path).resolve("audio")
    assert profile.requirements == ("torch", "torchaudio")
    assert str(profile.backend) == "cu126"
    assert profile.where("python").startswith("profiles/cu126.toml:")


def test_an_unknown_profile_gets_a_suggestion(tmp_path: Path) -> None:
    with pytest.raises(ProfileError) as caught:
        ProfileStore.of_project(tmp_path).resolve("cu12")
    assert caught.value.code == "PRF013"
    assert "did you mean cu1" in caught.value.hint
    assert "ai-no-vision" in caught.value.hint


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "A", "", "a\0b", "__init__"])
def test_a_name_never_becomes_another_path(tmp_path: Path, name: str) -> None:
    (tmp_path / "x.toml").write_text(OWN)
    with pytest.raises(ProfileError) as caught:
        ProfileStore.of_project(tmp_path).load(name)
    assert caught.value.code == "PRF006"


@pytest.mark.parametrize(
    ("data", "code", "where"),
    [
        (b"\xff", "PRF031", "profiles/mine.toml:1"),
        (b"a = ", "PRF001", "profiles/mine.toml:1"),
        (b"\xef\xbb\xbfx = 1", "PRF002", "profiles/mine.toml"),
    ],
)
def test_malformed_files(tmp_path: Path, data: bytes, code: str, where: str) -> None:
    own(tmp_path, "mine", "")
    (tmp_path / "profiles" / "mine.toml").write_bytes(data)
    with pytest.raises(ProfileError) as caught:
        ProfileStore.of_project(tmp_path).resolve("mine")
    assert (caught.value.code, caught.value.where) == (code, where)


def test_a_folder_named_as_a_profile(tmp_path: Path) -> None:
    (tmp_path / "profiles" / "mine.toml").mkdir(parents=True)
    with pytest.raises(EnvsmithError) as caught:
        ProfileStore.of_project(tmp_path).resolve("mine")
    assert caught.value.code == "PRF031"
    assert "mine" not in dict(ProfileStore.of_project(tmp_path).names())
