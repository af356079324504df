from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import pytest

from envsmith.errors import EnvsmithError
from envsmith.files.git import GitRevisions
from envsmith.process.runner import CompletedProgram, Processes
from tests import repositories
from tests.systems import not_in_wine

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
    revisions = GitRevisions(project=root)
    assert revisions.folders("first", LOCKS) == {"a": {"manifest.toml": "Grün\n".encode()}}
    assert revisions.folders("HEAD~1", LOCKS) == revisions.folders("first", LOCKS)
    assert revisions.folders("main", LOCKS) == {"a": {"manifest.toml": b"new\n"}}
    assert revisions.folders("main", PurePosixPath("nowhere")) == {}


def test_a_project_below_the_root(root: Path) -> None:
    revisions = GitRevisions(project=root / "sub")
    assert revisions.folders("second", LOCKS) == {"b": {"f": b"3"}}
    assert revisions.folders("first", LOCKS) == {}


@pytest.mark.parametrize("revision", ["nothing", "--help", "first:lockfiles", ""])
def test_no_such_revision(root: Path, revision: str) -> None:
    with pytest.raises(EnvsmithError) as caught:
        GitRevisions(project=root).folders(revision, LOCKS)
    assert caught.value.code == "USE010"
    assert caught.value.exit_code == 2


@not_in_wine("git is not on the drive")
def test_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    with pytest.raises(EnvsmithError) as caught:
        GitRevisions(project=tmp_path).folders("HEAD", LOCKS)
    assert caught.value.code == "USE011"


class AnotherUser(Processes):
    """Runs git with its own variable for such tests: the repository is taken for somebody else's."""

    def run(
        self,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        timeout_s: float,
        cwd: Path | None = None,
    ) -> CompletedProgram:
        env = {**env, "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1", "HOME": str(cwd)}
        return super().run(command, env=env, timeout_s=timeout_s, cwd=cwd)


def test_a_repository_of_somebody_else(root: Path) -> None:
    revisions = GitRevisions(project=root, processes=AnotherUser())
    for ask in (revisions.has, revisions.check):
        with pytest.raises(EnvsmithError) as caught:
            ask("main")
        assert caught.value.code == "USE014"
        assert "dubious ownership" in caught.value.message
        assert caught.value.hint.startswith("git config --global --add safe.directory ")


def test_files_that_git_has_not(root: Path, tmp_path: Path) -> None:
    """A partial clone whose server is gone: what it would say is not that the files are empty."""
    clone = tmp_path / "partial"
    repositories.git(root, "config", "uploadpack.allowFilter", "true")
    repositories.git(tmp_path, "clone", "--quiet", "--filter=blob:none", f"file://{root}", str(clone))
    root.rename(tmp_path / "gone")
    with pytest.raises(EnvsmithError) as caught:
        GitRevisions(project=clone).folders("first", LOCKS)
    assert caught.value.code == "USE014"
    assert caught.value.where == "first:lockfiles/a/manifest.toml"
