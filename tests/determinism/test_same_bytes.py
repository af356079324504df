"""Same inputs, same bytes: whatever the folder, the time zone, the language, the user, the caches and the jobs.

The package index is replayed, for its answers are one of the inputs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from envsmith.model.shell import SHELLS
from tests.commands import Project
from tests.index_recording import Recording
from tests.index_server import IndexReplay

# Two systems and two Pythons, with packages of PyPI that differ between them.
WORDS = (
    *("lock", "cpu-minimal", "--catalog", "embedded", "--as-of", "2026-11-20T09:00:00Z"),
    *("--python", "3.11", "--python", "3.12", "--platform", "linux", "--platform", "windows"),
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """uv cache shared by most tests."""
    return tmp_path_factory.mktemp("uv")


@pytest.fixture(scope="module", autouse=True)
def index(cache: Path) -> Iterator[dict[str, str]]:
    """Replay the package index, with its address in the environment."""
    with IndexReplay(Recording.read("shipped")) as replay, pytest.MonkeyPatch.context() as patch:
        variables = replay.environ(cache=cache)
        for name, value in variables.items():
            patch.setenv(name, value)
        yield variables
    assert not replay.missed


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Lock once with the user's settings."""
    return _locked(Project(root=tmp_path_factory.mktemp("reference") / "project"))


def _locked(project: Project, *words: str) -> dict[str, bytes]:
    ran = project.run(*WORDS, *words)
    assert ran.status == 0, ran.said
    return project.locks("cpu-minimal")


def _project(tmp_path: Path, **env: str) -> Project:
    return Project(root=tmp_path / "another" / "place with a space", env=env)


def test_the_locks_hold_nothing_of_the_run(reference: dict[str, bytes], tmp_path: Path) -> None:
    assert len(reference) == 9 + len(SHELLS)
    told = (os.environ.get("HOME", "/nowhere"), str(tmp_path.parent.parent), os.uname().nodename)
    for name, content in reference.items():
        assert (b"\r" in content) == name.endswith(".bat"), name
        assert content.endswith(b"\n"), name
        content.decode("utf-8")
        assert not [text for text in told if len(text) > 5 and text.encode() in content], name


@pytest.mark.parametrize(
    "env",
    [
        pytest.param({"TZ": "Pacific/Kiritimati", "LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8"}, id="east"),
        pytest.param(
            {"TZ": "America/Los_Angeles", "LANG": "C", "LC_ALL": "C", "PYTHONHASHSEED": "1"}, id="west"
        ),
        pytest.param({"PYTHONHASHSEED": "4294967295", "PYTHONUTF8": "1", "COLUMNS": "40"}, id="seed"),
    ],
)
def test_another_place_and_language(reference: dict[str, bytes], tmp_path: Path, env: dict[str, str]) -> None:
    assert _locked(_project(tmp_path, **env)) == reference


def test_another_home_with_settings_of_uv(reference: dict[str, bytes], tmp_path: Path) -> None:
    """A user's uv settings ask for old versions and another index; a lock does not depend on them."""
    settings = '[pip]\nresolution = "lowest"\nexclude-newer = "2020-01-01T00:00:00Z"\n'
    for folder in (tmp_path / "home" / ".config" / "uv", tmp_path / "another" / "place with a space"):
        folder.mkdir(parents=True)
        (folder / "uv.toml").write_text(settings, "utf-8")
    env = {
        "HOME": str(tmp_path / "home"),
        "XDG_CONFIG_HOME": str(tmp_path / "home" / ".config"),
        "UV_RESOLUTION": "lowest",
        "UV_PRERELEASE": "allow",
        "UV_EXCLUDE_NEWER": "2020-01-01T00:00:00Z",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_TORCH_BACKEND": "cu126",
    }
    assert _locked(_project(tmp_path, **env)) == reference


def test_an_empty_cache_then_a_full_one(reference: dict[str, bytes], tmp_path: Path) -> None:
    empty = tmp_path / "uv"
    # Ours is filled as well: it remembers the sizes of files whose index answered with a page that says none.
    env = {"UV_CACHE_DIR": str(empty), "ENVSMITH_CACHE_DIR": str(tmp_path / "envsmith")}
    assert _locked(_project(tmp_path / "first", **env)) == reference
    assert any(empty.iterdir())
    assert _locked(_project(tmp_path / "second", **env), "--offline") == reference


@pytest.mark.parametrize("jobs", ["1", "4"])
def test_jobs(reference: dict[str, bytes], tmp_path: Path, jobs: str) -> None:
    assert _locked(_project(tmp_path), "-j", jobs) == reference


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no umask")
@pytest.mark.parametrize(("umask", "mode"), [(0o077, 0o600), (0o002, 0o664)])
def test_umask(reference: dict[str, bytes], tmp_path: Path, umask: int, mode: int) -> None:
    project = _project(tmp_path)
    before = os.umask(umask)
    try:
        assert _locked(project) == reference
    finally:
        os.umask(before)
    files = (project.root / "lockfiles" / "cpu-minimal").iterdir()
    assert {path.stat().st_mode & 0o777 for path in files} == {mode}


def test_locking_again_changes_nothing(reference: dict[str, bytes], tmp_path: Path) -> None:
    """A second lock, a restored file and locks of other targets do not change the bytes."""
    project = _project(tmp_path)
    assert _locked(project) == reference
    lost = "requirements.cp312-win_amd64.txt"
    (project.root / "lockfiles" / "cpu-minimal" / lost).unlink()
    assert _locked(project) == reference
    more = _locked(project, "--platform", "macos")
    assert more.keys() > reference.keys(), "a further target, which the others do not notice"
    assert {name: more[name] for name in reference if name != "manifest.toml"} == {
        name: content for name, content in reference.items() if name != "manifest.toml"
    }
