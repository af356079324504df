from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pytest

from envsmith.ci.jobs import Locks, MatrixOptions, MatrixTools, matrix_jobs
from envsmith.errors import ResolveError
from envsmith.files import atomic
from envsmith.files.git import GitRevisions
from tests import repositories
from tests.locks import LINUX, WINDOWS, folder_files

LOCKS = PurePosixPath("lockfiles")
A = {LINUX: ("torch==2.11.0",), WINDOWS: ("torch==2.11.0",)}
A_MOVED = {LINUX: ("torch==2.12.0",), WINDOWS: ("torch==2.11.0",)}
B = {LINUX: ("torch==2.11.0", "numpy==2.0.0")}


def below(profile: str, found: Mapping[str, bytes]) -> dict[str, bytes]:
    return {f"lockfiles/{profile}/{name}": content for name, content in found.items()}


def names(root: Path, revision: str = "", profiles: tuple[str, ...] = ("a", "b")) -> list[str]:
    tools = MatrixTools(project=root, files=atomic, revisions=GitRevisions(project=root))
    locks = Locks(folder=LOCKS, profiles=profiles, every=("a", "b"))
    return [job.name for job in matrix_jobs(locks, MatrixOptions(only_changed=revision), tools)]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of five revisions."""
    root = tmp_path_factory.mktemp("five") / "project"
    repositories.make(root)
    repositories.commit(root, {"README.md": b"no locks yet"}, "one")
    repositories.commit(root, below("a", folder_files("a", A)), "two")
    repositories.commit(root, below("a", folder_files("a", A_MOVED)), "three")
    damaged = {"lockfiles/b/manifest.toml": b"<<<<<<< HEAD"}
    repositories.commit(root, {**damaged, "src/x.py": b"1"}, "four")
    # What only the comments of a lock say is not another lock.
    told = {
        name: content.replace(b"# via torch", b"# via somebody else")
        for name, content in folder_files("a", A_MOVED).items()
    }
    repositories.commit(root, {**below("a", told), **below("b", folder_files("b", B))}, "five")
    return root


@pytest.mark.parametrize(
    ("revision", "jobs"),
    [
        ("", [f"a/{LINUX}", f"a/{WINDOWS}", f"b/{LINUX}"]),
        ("one", [f"a/{LINUX}", f"a/{WINDOWS}", f"b/{LINUX}"]),
        ("two", [f"a/{LINUX}", f"b/{LINUX}"]),
        ("three", [f"b/{LINUX}"]),
        ("four", [f"b/{LINUX}"]),
        ("five", []),
        ("HEAD~3", [f"a/{LINUX}", f"b/{LINUX}"]),
    ],
)
def test_only_what_has_changed_since(root: Path, revision: str, jobs: list[str]) -> None:
    assert names(root, revision) == jobs


def test_of_the_profiles_that_are_meant(root: Path) -> None:
    assert names(root, "two", ("b",)) == [f"b/{LINUX}"]


def test_what_is_not_committed_yet_counts(root: Path, tmp_path: Path) -> None:
    repositories.git(tmp_path, "clone", "--quiet", str(root), "clone")
    clone = tmp_path / "clone"
    for name, content in below("a", folder_files("a", A)).items():
        (clone / name).write_bytes(content)
    assert names(clone, "five") == [f"a/{LINUX}"]


def test_a_lock_for_the_cpu_is_looked_for_among_all(tmp_path: Path) -> None:
    for profile, backend in (("gpu", "cu128"), ("plain", "cpu")):
        folder = tmp_path / "lockfiles" / profile
        folder.mkdir(parents=True)
        for name, content in folder_files(profile, {LINUX: ("torch==2.11.0",)}, backend=backend).items():
            (folder / name).write_bytes(content)
    tools = MatrixTools(project=tmp_path, files=atomic, revisions=GitRevisions(project=tmp_path))
    locks = Locks(folder=LOCKS, profiles=("gpu",), every=("gpu", "plain"))
    (job,) = matrix_jobs(locks, MatrixOptions(has_cpu_fallback=True), tools)
    assert (job.name, job.stands_for) == (f"plain/{LINUX}", f"gpu/{LINUX}")
    with pytest.raises(ResolveError, match="no CPU lock contains"):
        matrix_jobs(Locks(folder=LOCKS, profiles=("gpu",)), MatrixOptions(has_cpu_fallback=True), tools)
