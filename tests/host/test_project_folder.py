from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from envsmith.host.project_folder import find
from tests.systems import posix_only


def mark(folder: Path, kind: str) -> None:
    files = {
        "locks": ("lockfiles/cpu/manifest.toml", ""),
        "profiles": ("profiles/mine.toml", ""),
        "settings": ("pyproject.toml", "[ tool.envsmith ]\n"),
        "ci settings": ("pyproject.toml", "[tool.envsmith.ci]\n"),
        "project": ("pyproject.toml", '[project]\nname = "a"\n'),
        "formatter": ("pyproject.toml", "# [project]\n[tool.black]\n[projects]\n"),
        "package of profiles": ("profiles/__init__.py", ""),
        "empty locks": ("lockfiles/cpu/notes.md", ""),
    }
    file, text = files[kind]
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(text, "utf-8")


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    folder = tmp_path / "outer/inner/src/deep"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("kind", ["locks", "profiles", "settings", "ci settings", "project"])
def test_the_nearest_marked_folder_is_the_project(deep: Path, kind: str) -> None:
    outer, inner = deep.parents[2], deep.parents[1]
    mark(outer, kind)
    assert find(str(deep)) == str(outer)
    mark(inner, "project")
    assert find(str(deep)) == str(inner)
    assert find(str(inner)) == str(inner)


@pytest.mark.parametrize("kind", ["formatter", "package of profiles", "empty locks"])
def test_folders_with_similar_files_are_not(deep: Path, kind: str) -> None:
    mark(deep.parent, kind)
    assert find(str(deep)) == str(deep)


@pytest.mark.parametrize("is_worktree", [True, False])
def test_the_root_of_a_repository_is_searched_last(deep: Path, *, is_worktree: bool) -> None:
    outer, inner = deep.parents[2], deep.parents[1]
    mark(outer, "project")
    if is_worktree:
        (inner / ".git").write_text("gitdir: elsewhere\n", "utf-8")
    else:
        (inner / ".git").mkdir()
    assert find(str(deep)) == str(deep)
    mark(inner, "locks")
    assert find(str(deep)) == str(inner)


def test_the_home_folder_is_a_project_only_if_called_in_it(
    deep: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = deep.parents[1]
    mark(home, "project")
    mark(home.parent, "project")
    monkeypatch.setenv("USERPROFILE" if sys.platform == "win32" else "HOME", str(home))
    assert find(str(deep)) == str(deep)
    assert find(str(home)) == str(home)
    (home / "pyproject.toml").unlink()
    assert find(str(home)) == str(home)


@posix_only("file modes")
def test_a_folder_that_all_users_share_is_not_searched(deep: Path) -> None:
    shared = deep.parents[1]
    mark(shared, "project")
    shared.chmod(0o1777)
    assert find(str(deep)) == str(deep)
    assert find(str(shared)) == str(shared)


def test_a_pyproject_that_is_a_folder_is_not_opened(deep: Path) -> None:
    (deep.parent / "pyproject.toml").mkdir()
    assert find(str(deep)) == str(deep)


@pytest.mark.skipif(sys.platform == "win32", reason="makes symbolic links and pipes")
@pytest.mark.parametrize("name", ["pyproject.toml", "lockfiles/a/manifest.toml"])
@pytest.mark.parametrize("kind", ["loop", "dangling", "fifo"])
def test_a_folder_with_an_unreadable_file_is_not_passed_over(deep: Path, name: str, kind: str) -> None:
    mark(deep.parents[2], "project")
    place = deep.parent / name
    place.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(place) if kind == "fifo" else place.symlink_to(place.name if kind == "loop" else "missing")
    assert find(str(deep)) == str(deep.parent)
