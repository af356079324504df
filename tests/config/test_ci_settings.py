from __future__ import annotations

import pytest

from envsmith.config.pyproject_settings import CiSettings, ProjectSettings
from envsmith.errors import ProfileError


def read(text: str) -> CiSettings:
    return ProjectSettings.from_pyproject(f"[tool.envsmith.ci]\n{text}\n", "pyproject.toml").ci


def test_what_a_project_wishes() -> None:
    found = read(
        "profiles = ['a']\nsetup = ['  pip install x ', 'echo']\ntest = ['a b', 'c']\ncpu-fallback = true\n"
        "github.linux-x86_64 = 'big'"
    )
    assert found.profiles == ("a",)
    assert found.setup == ("pip install x", "echo")
    assert found.test == ("a b", "c")
    assert found.has_cpu_fallback
    assert found.runners["github"].labels == {"linux-x86_64": ("big",)}


def test_nothing_said() -> None:
    found = read("")
    assert found == CiSettings()
    assert found.setup == (), "what PyPI has by the name of envsmith is another project"


@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        ("setup = 'x'", "PRF004", "setup"),
        ("setup = []", "PRF005", "setup"),
        (r'setup = ["a\nb"]', "PRF005", "setup[0]"),
        (r'test = ["a", "\u2028"]', "PRF005", "test[1]"),
        (r'test = ["\uFEFF"]', "PRF005", "test[0]"),
        ("profiles = ['A B']", "PRF006", "profiles[0]"),
        ("cpu-fallback = 'yes'", "PRF004", "cpu-fallback"),
        ("tests = ['a']", "PRF003", "tests"),
    ],
)
def test_what_is_refused(text: str, code: str, where: str) -> None:
    with pytest.raises(ProfileError) as caught:
        read(text)
    error = caught.value.parts[0] if caught.value.parts else caught.value
    assert (error.code, error.where.endswith(f"tool.envsmith.ci.{where}")) == (code, True), error.where
