from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from envsmith.config.pyproject_settings import ProjectSettings
from envsmith.config.requirements.project_dependencies import from_pyproject
from envsmith.config.requirements.requirements_files import read_pyproject
from envsmith.config.requirements.requirements_parser import RequirementsFile
from envsmith.config.requirements.uv_table import KNOWN_KEYS
from envsmith.errors import ProfileError
from envsmith.uv.command import find_uv

PROJECT = """\
[project]
name = "mine"
version = "0"
dependencies = ["utils", "torch"]
optional-dependencies = {cpu = [], gpu = []}
[dependency-groups]
one = ["ruff"]
two = ["mypy"]
"""


def read(text: str, *extras: str, groups: tuple[str, ...] = ()) -> RequirementsFile:
    found = from_pyproject(f"{PROJECT}[tool.uv]\n{text}\n", "pyproject.toml", extras, groups)
    assert found is not None
    return found


def refused(text: str, *extras: str, groups: tuple[str, ...] = ()) -> ProfileError:
    with pytest.raises(ProfileError) as caught:
        read(text, *extras, groups=groups)
    return caught.value


def test_every_key_that_uv_knows_has_a_meaning_here(tmp_path: Path) -> None:
    (tmp_path / "uv.toml").write_text("no-such-key = 1\n", "utf-8")
    words = [str(find_uv()), "--config-file", str(tmp_path / "uv.toml"), "pip", "list"]
    said = subprocess.run(words, capture_output=True, text=True, check=False).stderr
    keys = set(re.findall(r"`([a-z-]+)`", said.partition("expected one of")[2]))
    assert len(keys) > 50
    assert keys <= KNOWN_KEYS


LOCAL = {
    "{workspace = true}": "workspace:utils#editable=true",
    "{workspace = true, editable = false}": "workspace:utils",
    "{path = 'libs/utils'}": "./libs/utils",
    "{path = '../a b', editable = true}": "../a%20b#editable=true",
    "{path = 'libs', package = false}": "./libs#virtual=true",
    "{path = 'dist/utils-1-py3-none-any.whl'}": "./dist/utils-1-py3-none-any.whl",
    "{git = 'https://git.example/utils', rev = 'abc'}": "git+https://git.example/utils@abc",
    "{git = 'git@git.example:x/utils.git', branch = 'a/b', subdirectory = 'c'}": "git+ssh://git@git.example/x/utils.git@a/b"
    "#subdirectory=c",
    "{url = 'https://files.example/utils-1.tar.gz'}": "https://files.example/utils-1.tar.gz",
    "[{workspace = true, marker = \"sys_platform == 'linux'\"}]": "workspace:utils#editable=true",
}


@pytest.mark.parametrize("source", LOCAL)
def test_a_package_is_taken_from_the_place_that_its_source_names(source: str) -> None:
    (item,) = [item for item in read(f"sources.Utils = {source}").requirements if item.requirement.url]
    assert (item.name, item.requirement.url, item.origin) == ("utils", LOCAL[source], "pyproject.toml:10")


@pytest.mark.parametrize(
    ("source", "code", "text"),
    [
        ("{git = 'https://u:secret@git.example/utils', rev = 'abc'}", "PRF056", "contains a login"),
        ("{git = 'https://git.example/utils', rev = '--upload-pack=touch x'}", "PRF020", "invalid revision"),
        ("{git = '--upload-pack=x'}", "PRF020", "invalid requirement"),
        ("{git = 'ext::sh -c x'}", "PRF020", "invalid requirement"),
        ("{git = 'https://git.example/utils', subdirectory = '../x'}", "PRF020", "outside the repository"),
        ("{git = 7}", "PRF004", "must be a text"),
        ("{path = '~/utils'}", "PRF020", "invalid path"),
        ("{url = 'https://files.example/utils-1.tar.gz?token=secret'}", "PRF056", "a query"),
        ("{index = 'missing'}", "PRF052", "no index is named 'missing'"),
    ],
)
def test_a_source_that_is_refused(source: str, code: str, text: str) -> None:
    error = refused(f"sources.Utils = {source}")
    assert error.code == code
    assert error.where.startswith("pyproject.toml:10: tool.uv.sources.Utils")
    assert text in error.message
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    "text",
    [
        "sources.other = {workspace = true}",  # not required
        "sources.utils = {path = 'x', extra = 'gpu'}",  # of an extra that is not locked
        "sources.utils = {path = 'x', group = 'one'}",
        "no-sources = true\nsources.utils = {path = 'x'}",
        "no-sources-package = ['utils']\nsources.utils = {path = 'x'}",
    ],
)
def test_a_source_that_does_not_hold(text: str) -> None:
    assert [item.name for item in read(text).requirements] == ["utils", "torch"]


def test_a_source_of_an_extra_holds_with_it() -> None:
    found = read("sources.utils = {path = 'x', extra = 'GPU'}", "gpu").requirements
    assert [item.requirement.url for item in found if item.name == "utils"] == ["./x"]


INDEXES = """\
sources.torch = [{index = "gpu", extra = "gpu"}, {index = "cpu", extra = "cpu", marker = "sys_platform == 'linux'"}]
sources.utils = {index = "own"}
[[tool.uv.index]]
name = "gpu"
url = "https://download.pytorch.org/whl/cu128"
explicit = true
[[tool.uv.index]]
name = "cpu"
url = "https://download.pytorch.org/whl/cpu"
explicit = true
[[tool.uv.index]]
name = "own"
url = "https://packages.example/simple"
explicit = true
"""


def test_indexes_of_single_packages() -> None:
    found = read(INDEXES, "cpu")
    assert [(item.name, item.url) for item in found.index_sources] == [
        ("utils", "https://packages.example/simple")
    ]
    assert [(line.backend, line.project, line.marker) for line in found.pytorch_lines] == [
        ("cpu", "torch", 'sys_platform == "linux"')
    ]
    assert [line.backend for line in read(INDEXES, "gpu").pytorch_lines] == ["cu128"]
    assert read(INDEXES).pytorch_lines == ()
    secret = INDEXES.replace("https://packages", "https://u:secret@packages")
    assert refused(secret).code == "PRF054"
    assert "secret" not in str(refused(secret))


URL = "https://packages.example/simple"
INDEXES_FOR_ALL = {
    f"index-url = '{URL}'": f"packages-example {URL} default",
    f"extra-index-url = ['{URL}']": f"packages-example {URL}",
    f"index = [{{url = '{URL}'}}]": f"packages-example {URL}",
    f"index = [{{name = 'own', url = '{URL}'}}]": f"own {URL}",
    f"index = [{{name = 'own', url = '{URL}', default = true}}]": f"own {URL} default",
}


@pytest.mark.parametrize("text", INDEXES_FOR_ALL)
def test_an_index_for_all_packages(text: str) -> None:
    assert [str(index) for index in read(text).indexes] == [INDEXES_FOR_ALL[text]]
    error = refused(text.replace("https://", "https://u:secret@"))
    assert (error.code, error.where.partition(": ")[0]) == ("PRF054", "pyproject.toml:10")
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    "text", ["find-links = ['https://u:secret@packages.example/files']", "no-index = true"]
)
def test_what_is_no_index_is_refused(text: str) -> None:
    error = refused(text)
    assert (error.code, error.where.partition(": ")[0]) == ("PRF026", "pyproject.toml:10")
    assert "secret" not in str(error)


def test_lists_of_requirements_are_followed() -> None:
    found = read(
        "constraint-dependencies = ['numpy<2']\noverride-dependencies = ['six==1.16']\n"
        "exclude-dependencies = ['Nose']\ndev-dependencies = ['pytest']\n"
        "environments = [\"sys_platform == 'linux'\"]\nexclude-newer = '2026-11-01T00:00:00Z'",
        groups=("dev",),
    )
    assert [(str(item.requirement), item.origin) for item in found.constraints] == [
        ("numpy<2", "pyproject.toml:10")
    ]
    assert [str(item.requirement) for item in found.overrides] == ["six==1.16"]
    assert found.excludes == ("nose",)
    assert [item.name for item in found.requirements] == ["utils", "torch", "pytest"]
    assert [str(item) for item in found.environments] == ['sys_platform == "linux"']
    assert found.as_of == "2026-11-01T00:00:00Z"
    assert found.notes == ()


def test_groups_locked_by_default() -> None:
    def groups(text: str) -> tuple[str, ...]:
        return ProjectSettings.from_pyproject(f"{PROJECT}{text}", "pyproject.toml").groups

    assert groups("[tool.uv]\ndefault-groups = ['one']") == ("one",)
    assert groups("[tool.uv]\ndefault-groups = 'all'") == ("*",)
    assert groups("[tool.envsmith]\ngroups = []\n[tool.uv]\ndefault-groups = ['one']") == ()


@pytest.mark.parametrize(
    "text",
    [
        "resolution = 'lowest'",
        "prerelease = 'allow'",
        "no-binary-package = ['utils']",
        "dependency-metadata = [{name = 'utils'}]",
        "exclude-newer = '3 days'",
        "workspace = {members = ['libs/*']}",
        "torch-backend = 'cu126'",
        "of-tomorrow = 1",
    ],
)
def test_what_is_not_followed_is_told_with_its_line(text: str) -> None:
    (note,) = read(text).notes
    key = text.partition(" ")[0]
    assert (note.code, note.subject) == ("PRF106", f"tool.uv.{key}")
    assert note.message.startswith(f"pyproject.toml:10: tool.uv.{key} is not followed: ")


def test_extras_that_conflict() -> None:
    text = "conflicts = [[{extra = 'cpu'}, {extra = 'GPU'}], [{group = 'one'}, {group = 'two'}]]"
    assert read(text, "cpu", groups=("one",)).requirements
    error = refused(text, "cpu", "gpu")
    assert (error.code, error.message) == ("PRF053", "extra cpu and extra GPU conflict with each other")
    assert refused(text, groups=("*",)).code == "PRF053"


def test_the_settings_file_beside_the_project(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT, "utf-8")
    (tmp_path / "uv.toml").write_text("resolution = 'lowest'\n", "utf-8")
    found = read_pyproject(tmp_path)
    assert found
    assert [note.message[:30] for note in found.notes] == ["uv.toml:1: resolution is not f"]
    (tmp_path / "uv.toml").write_text("index-url = 'https://packages.example/simple'\n", "utf-8")
    found = read_pyproject(tmp_path)
    assert found
    assert [index.is_default for index in found.indexes] == [True]
