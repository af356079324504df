from __future__ import annotations

import pytest

from envsmith.config.requirements.project_dependencies import from_pyproject
from envsmith.config.requirements.requirements_parser import RequirementsFile
from envsmith.errors import ProfileError

PROJECT = """\
[project]
name = "mine"
dependencies = ["utils", "torch"]
"""
WHL = "https://download.pytorch.org/whl"
URL = "https://packages.example/simple"


def read(text: str, *groups: str) -> RequirementsFile:
    found = from_pyproject(f"{PROJECT}{text}\n", "pyproject.toml", (), groups)
    assert found is not None
    return found


def refused(text: str, *groups: str) -> ProfileError:
    with pytest.raises(ProfileError) as caught:
        read(text, *groups)
    assert caught.value.where.startswith("pyproject.toml:")
    return caught.value


def test_groups_of_pdm() -> None:
    text = "[tool.pdm.dev-dependencies]\nTest_It = ['pytest']\nlocal = ['-e file:///${PROJECT_ROOT}/sub#egg=utils']"
    assert [str(item.requirement) for item in read(text, "test-it").requirements][2:] == ["pytest"]
    item = read(text, "local").requirements[2]
    assert (str(item.requirement), item.origin) == ("utils @ ./sub#editable=true", "pyproject.toml:6")


def test_groups_of_earlier_tools_are_combined_with_those_of_the_standard() -> None:
    groups = "[dependency-groups]\ndev = ['ruff']\nall = [{include-group = 'dev'}, 'tox']\n"
    text = f"{groups}[tool.pdm.dev-dependencies]\nDev = ['pytest']\n[tool.uv]\ndev-dependencies = ['mypy']\n"
    for name, more in (("dev", []), ("all", ["tox"]), ("*", ["tox"])):
        found = [str(item.requirement) for item in read(text, name).requirements]
        assert found[2:] == ["ruff", "mypy", "pytest", *more]


def test_resolution_of_pdm() -> None:
    text = """\
[tool.pdm.resolution]
excludes = ["Nose"]
respect-source-order = true
[tool.pdm.resolution.overrides]
six = "1.16"
numpy = ">=1.26,<2"
"""
    found = read(text)
    assert [(str(item.requirement), item.origin) for item in found.overrides] == [
        ("six==1.16", "pyproject.toml:8"),
        ("numpy<2,>=1.26", "pyproject.toml:9"),
    ]
    assert (found.excludes, found.notes) == (("nose",), ())
    assert refused(text + "utils = 'https://files.example/utils-1.whl'").code == "PRF052"
    assert refused(text + "utils = 'latest'").code == "PRF020"


def test_sources_of_pdm() -> None:
    text = "[[tool.pdm.source]]\nname = '{}'\nurl = '{}'\n{}"
    assert [str(item) for item in read(text.format("own", URL, "")).indexes] == [f"own {URL}"]
    assert [str(item) for item in read(text.format("pypi", URL, "")).indexes] == [f"pypi {URL} default"]
    assert [line.backend for line in read(text.format("x", f"{WHL}/cpu", "")).pytorch_lines] == ["cpu"]
    found = read(text.format("own", URL, "include_packages = ['Utils', 'other']"))
    assert ([item.name for item in found.index_sources], found.indexes) == (["utils"], ())
    found = read(text.format("x", f"{WHL}/cu128", "include_packages = ['torch']"))
    assert [(line.backend, line.project) for line in found.pytorch_lines] == [("cu128", "torch")]
    assert refused(text.format("own", URL, "include_packages = ['ut*']")).code == "PRF026"
    assert refused(text.format("own", URL, "type = 'find_links'")).code == "PRF026"
    secret = refused(text.format("own", URL.replace("//", "//u:secret@"), ""))
    assert secret.code == "PRF054"
    assert "secret" not in str(secret)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[tool.pdm.resolution]\nallow-prereleases = true", "tool.pdm.resolution.allow-prereleases"),
        ("[tool.pdm.resolution]\nof-tomorrow = true", "tool.pdm.resolution.of-tomorrow"),
        ("[tool.pdm.options]\nlock = ['--pre']", "tool.pdm.options"),
        ("[tool.pdm]\nplugins = ['x']", "tool.pdm.plugins"),
        ("[tool.pdm]\nof-tomorrow = 1", "tool.pdm.of-tomorrow"),
        (
            f"[[tool.pdm.source]]\nurl = '{URL}'\nexclude_packages = ['x']",
            "tool.pdm.source.0.exclude_packages",
        ),
        ("[tool.hatch.envs.test]\ndependencies = ['x']", "tool.hatch.envs.test"),
        ("[tool.hatch.envs.test]\nextra-dependencies = ['x']", "tool.hatch.envs.test"),
        ("[tool.hatch.metadata.hooks.custom]", "tool.hatch.metadata.hooks.custom"),
        ("[tool.hatch.of-tomorrow]", "tool.hatch.of-tomorrow"),
    ],
)
def test_what_is_not_followed_is_told_with_its_line(text: str, key: str) -> None:
    (note,) = read(text).notes
    assert (note.code, note.subject) == ("PRF106", key)
    assert note.message.startswith("pyproject.toml:")


def test_what_hatch_only_builds_with() -> None:
    text = "[tool.hatch.version]\npath = 'x'\n[tool.hatch.build]\nexclude = ['x']\n"
    assert read(f"{text}[tool.hatch.metadata]\nallow-direct-references = true").notes == ()
