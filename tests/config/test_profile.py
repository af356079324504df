from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest

from envsmith.config.profile import Profile, check_name
from envsmith.config.profile_reader import parse
from envsmith.errors import ProfileError
from envsmith.model.backend import Backend
from envsmith.model.target import Platform, Python

TEXT = """\
summary = "CUDA 12.8"
backend = "cu128"
python = [
  "3.12",
  "3.11",
]
platforms = ["windows", "linux"]
requirements = [
  "torch",
  "numpy >=1,<2; python_version<'3.12'",
]
allow-sdist = ["Opus_Lib"]
gpu = ["RTX 5080", "8.9"]
[env]
B = ""
A = "1\\n2"
"""


@pytest.fixture
def profile() -> Profile:
    return parse(TEXT, "profiles/x.toml", "x")


def test_defaults(profile: Profile) -> None:
    assert (profile.channel, profile.index, profile.on_retired) == ("stable", "pytorch", "error")
    assert dict(profile.family) == {"torchaudio": "keep", "torchvision": "keep"}
    assert (profile.constraints, profile.overrides, dict(profile.later)) == ((), (), {})


def test_collections_are_sorted_and_unchangeable(profile: Profile) -> None:
    assert [str(python) for python in profile.python] == ["3.11", "3.12"]
    assert profile.requirements == ('numpy<2,>=1; python_version < "3.12"', "torch")
    assert profile.gpu == ("8.9", "RTX 5080")
    assert profile.allow_sdist == ("opus-lib",)
    assert list(profile.env) == ["A", "B"]
    with pytest.raises(TypeError):
        profile.env["C"] = ""  # type: ignore[index]
    with pytest.raises(FrozenInstanceError):
        profile.name = "y"  # type: ignore[misc]


def test_targets_are_sorted(profile: Profile) -> None:
    assert [str(target) for target in profile.targets()] == [
        "cp311-manylinux_2_28_x86_64 (cu128)",
        "cp311-win_amd64 (cu128)",
        "cp312-manylinux_2_28_x86_64 (cu128)",
        "cp312-win_amd64 (cu128)",
    ]


def test_one_platform_by_two_names_is_one_target() -> None:
    text = (
        'backend = "cpu"\npython = ["3.12"]\nplatforms = ["linux", "manylinux_2_28_x86_64", "linux-x86_64"]'
    )
    assert len(parse(text, "x.toml", "x").targets()) == 1


def test_every_value_knows_its_place(profile: Profile) -> None:
    assert profile.where("backend") == "profiles/x.toml:2: backend"
    assert profile.where("python", "3.11") == "profiles/x.toml:5: python[1]"
    assert profile.where("platforms", Platform.parse("linux")) == "profiles/x.toml:7: platforms[1]"
    assert profile.where("allow_sdist", "opus-lib") == "profiles/x.toml:12: allow-sdist[0]"
    assert profile.where("env", "A") == "profiles/x.toml:16: env.A"
    assert profile.where("channel") == "profile x: channel"
    assert [(str(item.requirement), item.origin) for item in profile.sourced_requirements()] == [
        ('numpy<2,>=1; python_version < "3.12"', "profiles/x.toml:10"),
        ("torch", "profiles/x.toml:9"),
    ]


def test_the_command_line_replaces(profile: Profile) -> None:
    other = profile.with_overrides(backend="cpu", python=["3.13"], platforms=["macos", "linux"])
    assert [str(target) for target in other.targets()] == [
        "cp313-manylinux_2_28_x86_64 (cpu)",
        "cp313-macosx_14_0_arm64 (cpu)",
    ]
    assert other.where("python", "3.13") == "--python"
    assert other.where("requirements", "torch") == profile.where("requirements", "torch")
    assert profile.with_overrides() == profile


@pytest.mark.parametrize(
    ("overrides", "places"),
    [
        ({"backend": "cuda"}, ["--backend"]),
        ({"python": ["3", "4"], "platforms": ["plan9"]}, ["--python", "--python", "--platform"]),
        ({"platforms": ["macos"]}, ["--platform"]),
        ({"platforms": ["macos"], "backend": "rocm6.4"}, ["--platform"]),
    ],
)
def test_wrong_overrides_are_refused_all_at_once(
    profile: Profile, overrides: dict[str, Any], places: list[str]
) -> None:
    with pytest.raises(ProfileError) as caught:
        profile.with_overrides(**overrides)
    assert [part.where for part in caught.value.parts] == places
    assert all(part.hint for part in caught.value.parts)


def test_a_backend_from_the_command_line_that_the_platforms_do_not_have() -> None:
    text = 'backend = "cpu"\npython = ["3.12"]\nplatforms = ["linux", "macos"]'
    with pytest.raises(ProfileError) as caught:
        parse(text, "x.toml", "x").with_overrides(backend="cu130")
    assert caught.value.code == "PRF007"
    assert "cu130" in caught.value.message
    assert caught.value.where == "x.toml:3: platforms[1]"


def test_json_has_plain_values_under_the_keys_of_toml(profile: Profile) -> None:
    values = json.loads(json.dumps(profile.to_json()))
    assert values["on-retired"] == "error"
    assert values["platforms"] == ["linux", "win_amd64"], "an alias stays one: its floor may be raised"
    assert values["env"] == {"A": "1\n2", "B": ""}
    assert (values["name"], values["extends"]) == ("x", [])


def test_toml_reads_back(profile: Profile) -> None:
    assert parse(profile.to_toml(), "shown", "x") == profile
    assert profile.to_toml() == parse(profile.to_toml(), "shown", "x").to_toml()


def test_equality_is_of_what_is_asked_not_of_where(profile: Profile) -> None:
    assert profile == parse("\n\n" + TEXT, "elsewhere.toml", "x")
    assert profile != replace(profile, backend=Backend.parse("cu130"))
    assert profile != replace(profile, python=(Python.parse("3.11"),))


@pytest.mark.parametrize("name", ["a", "0", "cu128-nightly-rtx50", "a.b_c-d", "rocm6.4"])
def test_names(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "a..b",
        "A",
        "-a",
        ".a",
        "_a",
        "a/b",
        "a\\b",
        "a b",
        "é",
        "a\n",
        "a.",
        "con",
        "nul.x",
        "a" * 81,
    ],
)
def test_names_that_cannot_be_folders(name: str) -> None:
    with pytest.raises(ProfileError) as caught:
        check_name(name)
    assert caught.value.code == "PRF006"
    assert caught.value.hint
