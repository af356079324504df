from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.config.requirements.project_dependencies import from_pyproject
from envsmith.config.requirements.requirements_files import unread_sources
from envsmith.config.requirements.requirements_parser import RequirementsFile
from envsmith.errors import ProfileError

PROJECT = """\
[project]
name = "My_App"
dependencies = ["rich"]
[tool.pixi.workspace]
channels = ["conda-forge"]
platforms = ["linux-64"]
"""


def read(text: str, head: str = PROJECT) -> RequirementsFile:
    found = from_pyproject(f"{head}{text}\n", "pyproject.toml")
    assert found is not None
    return found


PYPI = """\
[tool.pixi.pypi-dependencies]
my-app = {path = ".", editable = true}
six = "==1.16"
torch = {version = ">=2", index = "https://download.pytorch.org/whl/cu128", extras = ["opt-einsum"]}
own = {version = "*", index = "https://packages.example/simple", env-markers = "os_name == 'nt'"}
[tool.pixi.target.linux-64.pypi-dependencies]
linuxish = "*"
[tool.pixi.target.unix.pypi-dependencies]
unixish = "*"
"""


def test_dependencies_from_pypi() -> None:
    for head, first in ((PROJECT, ["rich"]), ("[project]\nname = 'My.App'\n", [])):
        found = read(PYPI, head)
        assert [str(item.requirement) for item in found.requirements] == [
            *first,
            "six==1.16",
            "torch[opt-einsum]>=2",
            'own; os_name == "nt"',
            'linuxish; sys_platform == "linux" and platform_machine == "x86_64"',
            'unixish; sys_platform != "win32"',
        ]
        assert [(line.backend, line.project) for line in found.pytorch_lines] == [("cu128", "torch")]
        assert [(item.name, item.marker) for item in found.index_sources] == [("own", 'os_name == "nt"')]


@pytest.mark.parametrize(
    ("source", "url"),
    [
        ("{path = 'libs/utils', editable = true}", "./libs/utils#editable=true"),
        ("{git = 'https://git.example/utils', branch = 'b'}", "git+https://git.example/utils@b"),
        ("{url = 'https://x.example/u.zip'}", "https://x.example/u.zip"),
    ],
)
def test_a_package_is_taken_from_the_place_that_its_entry_names(source: str, url: str) -> None:
    for head in ("", "target.linux-64."):
        found = read(f"[tool.pixi.{head}pypi-dependencies]\nutils = {source}").requirements
        assert [item.requirement.url for item in found if item.name == "utils"] == [url]


def test_options() -> None:
    found = read("[tool.pixi.pypi-options]\nindex-url = 'https://a.example/simple'\n"
                 "extra-index-urls = ['https://b.example/simple']\ndependency-overrides = {numpy = '<2'}\n"
                 "[tool.pixi.project]\nexclude-newer = '2026-11-01'")  # fmt: skip
    assert [str(index) for index in found.indexes] == [
        "b-example https://b.example/simple",
        "a-example https://a.example/simple default",
    ]
    assert [str(item.requirement) for item in found.overrides] == ["numpy<2"]
    assert found.as_of.startswith("2026-11-0")
    with pytest.raises(ProfileError, match="PRF026"):
        read("[tool.pixi.pypi-options]\nfind-links = [{path = './wheels'}]")


@pytest.mark.parametrize(
    ("text", "key", "reason"),
    [
        (
            "[tool.pixi.dependencies]\npython = '*'\npytorch = '*'\nnumpy = '1'",
            "dependencies",
            "numpy, pytorch",
        ),
        ("[tool.pixi.target.linux.dependencies]\nnumpy = '1'", "target.linux.dependencies", "numpy"),
        ("[tool.pixi.feature.test.dependencies]\npytest = '*'", "feature.test", "group"),
        ("[tool.pixi.system-requirements]\ncuda = '12'", "system-requirements", "profile"),
        ("[tool.pixi.pypi-options]\nno-binary = ['x']", "pypi-options.no-binary", "wheels"),
        ("[tool.pixi]\nof-tomorrow = 1", "of-tomorrow", "not known"),
    ],
)
def test_what_is_not_followed_is_told_with_its_line(text: str, key: str, reason: str) -> None:
    (note,) = read(text).notes
    assert (note.code, note.subject) == ("PRF106", f"tool.pixi.{key}")
    assert note.message.startswith("pyproject.toml:")
    assert reason in note.message


def test_conda_packages_alone_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.pixi.dependencies]\nnumpy = '*'\n", "utf-8")
    assert unread_sources(tmp_path) == ("[tool.pixi.dependencies] of pyproject.toml",)
