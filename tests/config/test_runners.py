from __future__ import annotations

import pytest

from envsmith.config.pyproject_settings import (
    ProjectSettings,
    Runners,
    check_key,
    keys_of,
    machine_of,
    needs_gpu,
)
from envsmith.errors import ProfileError
from tests.values import target


def test_keys_of_a_target_the_narrowest_first() -> None:
    assert keys_of(target(backend="cu128")) == ("linux-x86_64-cu128", "linux-x86_64-cuda", "linux-x86_64-gpu")
    assert keys_of(target(platform="macos", backend="cpu")) == ("macos-arm64",)
    assert machine_of(target(platform="windows")) == "windows-amd64"
    assert needs_gpu(target(backend="xpu"))


def test_the_narrowest_label_is_taken() -> None:
    lent = Runners(labels={"linux-x86_64": ("plain",), "linux-x86_64-gpu": ("gpu",)})
    own = Runners(labels={"linux-x86_64-cu128": ("self-hosted", "t4")})
    table = own.over(lent)
    assert table.find(target(backend="cu128")) == ("self-hosted", "t4")
    assert table.find(target(backend="cu130")) == ("gpu",)
    assert table.find(target(backend="cpu")) == ("plain",)
    assert table.find(target(platform="windows")) == ()


def test_a_project_names_its_own() -> None:
    text = (
        "[tool.envsmith.ci.github]\nlinux-x86_64-gpu = 'big'\nwindows-amd64 = ['a', 'b']\n"
        "[tool.envsmith.ci.gitlab]\n'linux-aarch64-rocm6.4' = 'amd'\n"
    )
    found = ProjectSettings.from_pyproject(text, "pyproject.toml").ci.runners
    assert found["github"].labels == {"linux-x86_64-gpu": ("big",), "windows-amd64": ("a", "b")}
    assert found["gitlab"].labels == {"linux-aarch64-rocm6.4": ("amd",)}
    assert "azure" not in found


@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        ("ci = 1", "PRF004", "tool.envsmith.ci"),
        ("ci = { jenkins = {} }", "PRF003", "tool.envsmith.ci.jenkins"),
        ("ci.github = 1", "PRF004", "tool.envsmith.ci.github"),
        ("ci.github.ubuntu = 'x'", "PRF005", "tool.envsmith.ci.github.ubuntu"),
        ("ci.github.linux-x86_64-cpu = 'x'", "PRF005", "tool.envsmith.ci.github.linux-x86_64-cpu"),
        ("ci.github.linux-x86_64 = []", "PRF005", "tool.envsmith.ci.github.linux-x86_64"),
        ("ci.github.linux-x86_64 = [1]", "PRF004", "tool.envsmith.ci.github.linux-x86_64[0]"),
        ("ci.github.linux-x86_64 = ''", "PRF005", "tool.envsmith.ci.github.linux-x86_64"),
    ],
)
def test_what_is_no_table_of_runners(text: str, code: str, where: str) -> None:
    with pytest.raises(ProfileError) as caught:
        ProjectSettings.from_pyproject(f"[tool.envsmith]\n{text}\n", "pyproject.toml")
    error = caught.value.parts[0] if caught.value.parts else caught.value
    assert error.code == code
    assert where in error.where


@pytest.mark.parametrize(
    "key", ["linux", "linux-amd64", "windows-x86_64", "linux-x86_64-", "linux-x86_64-cu1"]
)
def test_keys_that_name_no_machine(key: str) -> None:
    with pytest.raises(ProfileError, match="unknown machine"):
        check_key(key)
