from __future__ import annotations

from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from envsmith.environment import shadows
from tests.site_packages import layout_of


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "my project"
    folder.mkdir()
    return folder


def seen(modules: dict[str, set[str]], folder: Path) -> list[tuple[str, str, str]]:
    layout = layout_of(folder.parent / "site-packages", stdlib=[folder.parent / "python"])
    found = shadows.shadows(modules, [str(folder)], {}, layout)
    return [(item["module"], item["owner"], Path(item["path"]).name) for item in found]


def test_a_compiled_module_shadows_as_one_of_python_does(project: Path) -> None:
    name = f"numpy{EXTENSION_SUFFIXES[0]}"
    (project / name).touch()
    (project / "numpy.py").touch()
    (project / "numpy").mkdir()  # a namespace comes after what is installed
    assert seen({"numpy": {"numpy"}}, project) == [("numpy", "numpy", name)]


def test_pythons_own_modules_may_be_hidden(project: Path) -> None:
    for name in ("random.py", "main.py", "sys.py", "typing.py", "app.py"):
        (project / name).touch()
    for name in ("test", "logging"):
        (project / name).mkdir()
        (project / name / "__init__.py").touch()
    (project / "queue").mkdir()
    assert seen({}, project) == [
        ("logging", "", "__init__.py"),
        ("random", "", "random.py"),
        ("typing", "", "typing.py"),
    ]


def test_pythons_own_folder_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "python").mkdir()
    (tmp_path / "python" / "random.py").touch()
    assert seen({}, tmp_path / "python") == []


@pytest.mark.parametrize(
    ("place", "is_own"), [(".", True), ("packages/one", True), ("..", False), ("../b", False)]
)
def test_what_was_installed_from_the_project(project: Path, place: str, *, is_own: bool) -> None:
    url = (project / place).resolve().as_uri()
    assert shadows.is_installed_from({"url": url, "kind": "folder"}, str(project)) is is_own
    assert not shadows.is_installed_from({"url": url, "kind": "archive"}, str(project))
