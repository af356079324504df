from __future__ import annotations

import os
from pathlib import Path

import pytest

from envsmith.usage.tree import Tree, area_of, kind_of


def names(root: Path) -> list[str]:
    return [file.name for file in Tree(root=root, refused=lambda *_: None).files()]


def make(root: Path, *files: str) -> None:
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.py", "python"),
        ("a/b.PY", "python"),
        ("makefile.py", "python"),
        ("conda-lock.py", "python"),
        ("a.ipynb", "notebook"),
        ("a.pyx", "lines"),
        ("a.yaml", "config"),
        ("requirements-dev.txt", "requirements"),
        ("requirements/base.in", "requirements"),
        ("constraints.txt", "requirements"),
        ("Pipfile", "requirements"),
        ("profiles/cu128.toml", "requirements"),
        ("a/profiles/cu128.toml", "config"),
        ("Makefile", "script"),
        ("Dockerfile.gpu", "script"),
        ("run.SH", "script"),
        ("a.service", "script"),
        (".env", "config"),
        (".envrc", "script"),
        ("a.yaml.j2", "config"),
        ("a.py.jinja", "python"),
        ("a.j2", "unknown"),
        ("bin/tool", "unknown"),
        (".hidden", None),
        ("notes.txt", "executable"),
        ("a.pyi", "executable"),
        ("a.so", "executable"),
        ("uv.lock", None),
        ("poetry.lock", None),
        ("Pipfile.lock", None),
        ("pylock.cp312.toml", None),
    ],
)
def test_a_file_is_what_its_name_says(name: str, kind: str | None) -> None:
    assert kind_of(name) == kind


@pytest.mark.parametrize(
    ("name", "roots", "area"),
    [
        ("a.py", (), "sources"),
        ("a/b.py", (), "sources"),
        ("tests/b.py", (), "tests"),
        ("a/test/b.py", ("a",), "tests"),
        ("test_a.py", (), "tests"),
        ("a_test.py", (), "tests"),
        ("contest.py", (), "sources"),
        ("conftest.py", ("src",), "tests"),
        ("src/a.py", ("src",), "sources"),
        ("srcs/a.py", ("src",), "beside"),
        ("one.py", ("one.py",), "sources"),
        ("a.py", (".",), "sources"),
        ("third_party/a.py", (), "beside"),
        ("a/vendor/b.py", (), "sources"),
    ],
)
def test_areas(name: str, roots: tuple[str, ...], area: str) -> None:
    assert area_of(name, roots) == area


def test_environments_caches_and_what_was_built_are_passed_over(tmp_path: Path) -> None:
    make(
        tmp_path,
        "a.py",
        "e/pyvenv.cfg",
        "e/x.py",
        "c/conda-meta/history",
        "c/x.py",
        "__pycache__/x.py",
        "node_modules/x.py",
        ".git/x.py",
        ".tox/x.py",
        "a.egg-info/requires.txt",
        "build/x.py",
        "dist/__init__.py",
        "pkg/build/x.py",
        "lockfiles/a/requirements.x.txt",
        ".github/workflows/a.yml",
    )
    assert names(tmp_path) == ["a.py", ".github/workflows/a.yml", "dist/__init__.py", "pkg/build/x.py"]


def test_a_project_that_is_an_environment_itself_is_read(tmp_path: Path) -> None:
    make(tmp_path, "pyvenv.cfg", "a.py")
    assert "a.py" in names(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_links_are_followed_once_and_loops_end(tmp_path: Path) -> None:
    make(tmp_path / "p", "a.py")
    make(tmp_path / "shared", "b.py")
    (tmp_path / "p/again").symlink_to(tmp_path / "p")
    (tmp_path / "p/code").symlink_to(tmp_path / "shared")
    (tmp_path / "shared/up").symlink_to(tmp_path)
    (tmp_path / "p/gone.py").symlink_to(tmp_path / "nothing.py")
    (tmp_path / "p/inner").mkdir()
    (tmp_path / "p/inner/c.py").touch()
    (tmp_path / "p/z").symlink_to("inner")
    assert names(tmp_path / "p") == ["a.py", "inner/c.py"]


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_links_out_of_the_project_are_not_followed_and_told(tmp_path: Path) -> None:
    make(tmp_path / "shared", "b.py", "c/d.py")
    make(tmp_path / "venv", "pyvenv.cfg", "b.py")
    make(tmp_path / "p", "a.py")
    links = {"code": "shared", "b.py": "shared/b.py", "env": "venv", "up": ".", "within": "p/../shared/c"}
    for name, target in links.items():
        (tmp_path / "p" / name).symlink_to(tmp_path / target)
    (tmp_path / "p/system").symlink_to("/proc")
    refused: list[tuple[str, str]] = []
    tree = Tree(root=tmp_path / "p", refused=lambda name, reason: refused.append((name, reason)))
    assert [file.name for file in tree.files()] == ["a.py"]
    assert {reason for _, reason in refused} == {"a link out of the project"}
    assert sorted(name for name, _ in refused) == ["b.py", "code", "system", "up", "within"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_pipes_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.py")
    assert names(tmp_path) == []


def test_a_folder_that_cannot_be_listed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "b/x.py", "a.py")
    scandir = os.scandir

    def guarded(path: str) -> object:
        if Path(path).name == "b":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr("envsmith.usage.tree.os.scandir", guarded)
    told: list[tuple[str, str]] = []
    tree = Tree(root=tmp_path, refused=lambda name, reason: told.append((name, reason)))
    assert [file.name for file in tree.files()] == ["a.py"]
    assert told == [("b", "Permission denied")]


@pytest.mark.skipif(os.name == "nt", reason="files have no right to be run on Windows")
def test_of_files_with_an_unknown_ending_those_that_can_be_run_are_looked_into(tmp_path: Path) -> None:
    make(tmp_path, "tool.v2", "data.v2")
    (tmp_path / "tool.v2").chmod(0o755)
    assert [(file.name, file.kind) for file in Tree(root=tmp_path, refused=lambda *_: None).files()] == [
        ("tool.v2", "unknown")
    ]


def test_hidden_folders_are_read_but_for_caches_and_environments(tmp_path: Path) -> None:
    make(
        tmp_path,
        ".scripts/a.py",
        ".ruff_cache/b.py",
        ".ipynb_checkpoints/c.py",
        ".envsmith/d.py",
        ".venv-3/e.py",
    )
    assert names(tmp_path) == [".scripts/a.py"]
