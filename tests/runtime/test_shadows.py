"""More of them, by way of the script that they are part of: tests/runtime/test_installed_files.py."""

from __future__ import annotations

import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from envsmith.runtime import shadows


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    site, folder = tmp_path / "site-packages", tmp_path / "my project"
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(site))
    folder.mkdir()
    return folder


def seen(modules: dict[str, set[str]], folder: Path) -> list[tuple[str, str, str]]:
    found = shadows.shadows(modules, [str(folder)], {})
    return [(item["module"], item["owner"], Path(item["path"]).name) for item in found]


def test_a_compiled_module_shadows_as_one_of_python_does(project: Path) -> None:
    name = f"numpy{EXTENSION_SUFFIXES[0]}"
    (project / name).touch()
    (project / "numpy.py").touch()
    (project / "numpy").mkdir()  # a namespace comes after what is installed
    assert seen({"numpy": {"numpy"}}, project) == [("numpy", "numpy", name)]


@pytest.mark.skipif(sys.version_info < (3, 10), reason="Python does not say which modules it has")
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


def test_pythons_own_folder_hides_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "random.py").touch()
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))
    assert seen({}, tmp_path) == []


@pytest.mark.parametrize(
    ("place", "is_own"), [(".", True), ("packages/one", True), ("..", False), ("../b", False)]
)
def test_what_was_installed_from_the_project(project: Path, place: str, *, is_own: bool) -> None:
    url = (project / place).resolve().as_uri()
    assert shadows.is_installed_from({"url": url, "kind": "folder"}, str(project)) is is_own
    assert not shadows.is_installed_from({"url": url, "kind": "archive"}, str(project))
