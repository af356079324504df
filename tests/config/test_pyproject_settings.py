from __future__ import annotations

import pytest

from envsmith.config.profile_reader import resolve
from envsmith.config.pyproject_settings import ProjectSettings
from envsmith.errors import ProfileError

TEXT = """\
[tool.envsmith]
default-profiles = ["own", "cpu-minimal"]
sources = ["./src/", "tool"]
ci.github.linux-x86_64 = "mine"
rewrite = ["https://download.pytorch.org=https://u:secret@mirror.example/pytorch"]
[[tool.envsmith.index]]
name = "company"
url = "https://packages.example/simple"
[[tool.envsmith.index]]
url = "https://mirror.example/simple"
default = true
[tool.envsmith.profiles.own]
backend = "cpu"
python = ["3.12"]
platforms = ["linux"]
"""


def test_settings() -> None:
    settings = ProjectSettings.from_pyproject(TEXT, "pyproject.toml")
    assert settings.default_profiles == ("own", "cpu-minimal")
    assert settings.sources == ("src", "tool")
    assert settings.rewrite == ("https://download.pytorch.org=https://u:secret@mirror.example/pytorch",)
    assert [str(index) for index in settings.indexes] == [
        "company https://packages.example/simple",
        "mirror-example https://mirror.example/simple default",
    ]
    own = settings.profile("own")
    assert own is not None
    assert (
        resolve("own", lambda _: own).where("python")
        == "pyproject.toml:14: tool.envsmith.profiles.own.python"
    )
    assert settings.profile("other") is None


def test_rewrites_as_a_table() -> None:
    text = "[tool.envsmith.rewrite]\n'https://a.example' = 'https://b.example/x'\n"
    assert ProjectSettings.from_pyproject(text, "pyproject.toml").rewrite == (
        "https://a.example=https://b.example/x",
    )


@pytest.mark.parametrize("text", ["", "[tool]", "[tool.envsmith]", "[tool.other]\nenvsmith = 1", "tool = 1"])
def test_no_settings(text: str) -> None:
    assert ProjectSettings.from_pyproject(text, "pyproject.toml") == ProjectSettings()


@pytest.mark.parametrize(
    ("text", "code", "where", "hint"),
    [
        ("[tool.envsmith", "PRF001", ":1", "correct"),
        ("[tool]\nenvsmith = 1", "PRF004", ":2: tool.envsmith", "{ key = value }"),
        ("[tool.envsmith]\nprofile = {}", "PRF003", ":2: tool.envsmith.profile", "did you mean profiles"),
        ("[tool.envsmith]\nprofiles = []", "PRF004", ":2: tool.envsmith.profiles", "{ key = value }"),
        ("[tool.envsmith.profiles]\na = 1", "PRF004", ":2: tool.envsmith.profiles.a", "{ key = value }"),
        ("[tool.envsmith.profiles.'../a']", "PRF006", ":1: tool.envsmith.profiles.'../a'", "folder"),
        (
            "[tool.envsmith]\ndefault-profiles = 'a'",
            "PRF004",
            ":2: tool.envsmith.default-profiles",
            "brackets",
        ),
        ("[tool.envsmith]\nrewrite = 'x'", "PRF004", ":2: tool.envsmith.rewrite", "brackets"),
        ("[tool.envsmith]\nrewrite = ['x']", "PRF044", ":2: tool.envsmith.rewrite[0]", "mirror.example"),
        ("[tool.envsmith]\nrewrite = {a = 'b'}", "PRF044", ":2: tool.envsmith.rewrite.a", "mirror.example"),
        ("[tool.envsmith]\nrewrite = {a = 1}", "PRF004", ":2: tool.envsmith.rewrite.a", "quotes"),
        ("[tool.envsmith]\nsources = 'src'", "PRF004", ":2: tool.envsmith.sources", "brackets"),
        ("[tool.envsmith]\nsources = []", "PRF005", ":2: tool.envsmith.sources", "name at least one"),
        ("[tool.envsmith]\nsources = ['../a']", "PRF005", ":2: tool.envsmith.sources[0]", "relative"),
        ("[tool.envsmith]\nsources = ['/a']", "PRF005", ":2: tool.envsmith.sources[0]", "relative"),
        (
            "[tool.envsmith]\ndefault-profiles = ['A']",
            "PRF006",
            ":2: tool.envsmith.default-profiles[0]",
            "folder",
        ),
    ],
)
def test_malformed(text: str, code: str, where: str, hint: str) -> None:
    with pytest.raises(ProfileError) as caught:
        ProjectSettings.from_pyproject(text, "pyproject.toml")
    assert (caught.value.code, caught.value.where) == (code, f"pyproject.toml{where}")
    assert hint in caught.value.hint
