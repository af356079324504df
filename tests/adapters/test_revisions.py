from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from envsmith.adapters.revisions import Revisions
from envsmith.errors import EnvsmithError
from tests import repositories

LOCKS = PurePosixPath("lockfiles")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "a repository"
    repositories.make(folder)
    first = {
        "lockfiles/a/manifest.toml": "Grün\n".encode(),
        "lockfiles/deep/er/x": b"1",
        "lockfiles/top": b"2",
    }
    repositories.commit(folder, first, "first")
    repositories.commit(folder, {"lockfiles/a/manifest.toml": b"new\n", "sub/lockfiles/b/f": b"3"}, "second")
    return folder


def test_files_as_they_were(root: Path) -> None:
    revisions = Revisions(project=root)
    assert revisions.folders("first", LOCKS) == {"a": {"manifest.toml": "Grün\n".encode()}}
    assert revisions.folders("HEAD~1", LOCKS) == revisions.folders("first", LOCKS)
    assert revisions.folders("main", LOCKS) == {"a": {"manifest.toml": b"new\n"}}
    assert revisions.folders("main", PurePosixPath("nowhere")) == {}


def test_a_project_below_the_root(root: Path) -> None:
    revisions = Revisions(project=root / "sub")
    assert revisions.folders("second", LOCKS) == {"b": {"f": b"3"}}
    assert revisions.folders("first", LOCKS) == {}


@pytest.mark.parametrize("revision", ["nothing", "--help", "first:lockfiles", ""])
def test_no_such_revision(root: Path, revision: str) -> None:
    with pytest.raises(EnvsmithError) as caught:
        Revisions(project=root).folders(revision, LOCKS)
    assert caught.value.code == "USE010"
    assert caught.value.exit_code == 2


def test_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    with pytest.raises(EnvsmithError) as caught:
        Revisions(project=tmp_path).folders("HEAD", LOCKS)
    assert caught.value.code == "USE011"
