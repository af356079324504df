"""What envsmith removes and writes: only folders of its own, never through links of the project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from envsmith.environment import kept_digests
from envsmith.environment.generation import RECORD
from envsmith.errors import InstallError
from envsmith.files.own_folder import MARK
from envsmith.install.generation_store import GenerationStore
from envsmith.install.rollback import prune, rollback
from tests.install.test_generation_store import A, B, C, built

pytestmark = pytest.mark.skipif(os.name == "nt", reason="makes symbolic links")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder of the user outside the project, which envsmith must not change."""
    folder = tmp_path / "precious"
    (folder / "thesis-abcdef").mkdir(parents=True)
    (folder / "thesis-abcdef" / "chapter").write_text("one", "utf-8")
    (folder / "file").write_text("mine", "utf-8")
    return folder


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def content(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text("utf-8") for path in folder.rglob("*") if path.is_file()
    }


def filled(link: Path, *ids: str, told: list[str] | None = None) -> GenerationStore:
    store = GenerationStore(link=link, notify=(told if told is not None else []).append)
    with store.lock("testing"):
        for id_ in ids:
            built(store, id_)
    return store


@pytest.mark.parametrize("name", [".envsmith", ".envsmith/g", ".envsmith/aside", "sub"])
def test_a_link_in_the_place_of_our_folder_is_refused_with_the_command(
    project: Path, outside: Path, name: str
) -> None:
    before = content(outside)
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).symlink_to(os.path.relpath(outside, (project / name).parent))
    link = Path("sub/.venv" if name == "sub" else ".venv")
    with pytest.raises(InstallError, match="ENV035") as caught:
        GenerationStore(link=link, words=("install", "cpu", "--prefix", str(link)))
    store = outside / ".envsmith" if name == "sub" else outside
    prefix = "" if name == "sub" else " --prefix .venv"
    assert f"`ENVSMITH_STORE={store} envsmith install cpu{prefix}`" in caught.value.hint
    assert content(outside) == before


def test_a_parent_outside_the_project_may_be_a_link(tmp_path: Path, project: Path, outside: Path) -> None:
    (tmp_path / "elsewhere").symlink_to(outside)
    assert project.is_dir()
    assert GenerationStore(link=tmp_path / "elsewhere" / ".venv").current() == ""


def test_folders_of_the_user_beside_generations_stay(project: Path) -> None:
    told: list[str] = []
    store = filled(project / ".venv", A, B, told=told)
    for name in (
        "notes",
        "my-venv",
        f"{C}x",
        "abcdef",
        ".removing-abcdef",
        "thesis-abcdef",
        "a.txt-failed-x",
    ):
        (store.folder / name).mkdir()
        (store.folder / name / "pyvenv.cfg").write_text("home = /usr", "utf-8")
    for name in ("fedcba", f"{C}-failed-20261121T120000Z"):
        # A copy of a generation has its mark and record, with another name.
        (store.folder / name).mkdir()
        (store.folder / name / MARK).write_text(f"{A}\n", "utf-8")
    (store.folder / "facade").mkdir()
    before = content(store.folder)
    store.switch(A)
    for _ in range(3):
        prune(5, store)
        rollback("", store, is_forced=True)
    assert content(store.folder) == before
    assert len(told) == len(set(told)) == 5
    assert (store.folder / "facade").is_dir()
    assert all("is not removed: it has no mark of envsmith" in line for line in told)


def test_generations_with_marks_and_those_of_earlier_versions_are_removed_and_told(project: Path) -> None:
    told: list[str] = []
    store = filled(project / ".venv", A, B, told=told)
    built(store, C, is_made=True)
    store.create("dddddd")
    (store.prefix("dddddd") / "lib").mkdir()
    store.switch(B)
    assert set(prune(1, store)) == {A, C}
    assert sorted(told) == [
        "removed .envsmith/g/aaaaaa",
        "removed .envsmith/g/cccccc",
        "removed .envsmith/g/dddddd",
    ]
    assert [path.name for path in store.folder.iterdir()] == [B]


def test_a_killed_removal_is_completed(project: Path) -> None:
    store = filled(project / ".venv", A)
    built(store, C, is_made=True)
    store.prefix(C).rename(store.folder / f".removing-{C}")
    (store.folder / f".removing-{C}" / RECORD).unlink()
    store.prefix(A).rename(store.folder / f".removing-{A}")
    with store.lock("testing") as is_crashed:
        assert is_crashed
    assert list(store.folder.iterdir()) == []


def test_what_cannot_be_removed_is_told_once_and_blocks_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    store = filled(project / ".venv", A, B, told=told)
    (store.create(C) / "lib" / "__pycache__").mkdir(parents=True)
    real = os.rmdir

    def refuse(path: str, **options: int) -> None:
        if os.fspath(path).endswith("__pycache__"):
            raise PermissionError(13, "Permission denied", path)
        real(path, **options)

    monkeypatch.setattr(os, "rmdir", refuse)
    store.switch(A)
    store.switch(B)
    for _ in range(2):
        rollback("", store, is_forced=True)
        prune(5, store)
    assert told == [
        f".envsmith/g/{C} is not removed: permission denied; delete it yourself if you do not need it"
    ]
    assert prune(1, store) != ()
    monkeypatch.setattr(os, "rmdir", real)
    assert store.free_id(C) != C


@pytest.mark.parametrize("name", [A, B, C, f"{C}-failed-20261121T120000Z", f".removing-{C}", "notes"])
@pytest.mark.skipif(os.geteuid() != 0, reason="runs a child as another user")
def test_a_folder_without_permissions_blocks_nothing(project: Path, name: str) -> None:
    store = filled(project / ".venv", A, B)
    store.switch(A)
    (store.folder / name).mkdir(exist_ok=True)
    (store.folder / name).chmod(0)
    for folder in (*project.parents, project):
        folder.chmod(0o755)
    for path in (project, *project.rglob("*")):
        os.lchown(path, 12345, 12345) if path.name != name or name in (A, B) else None
    child = os.fork()
    if not child:
        status = 1
        try:
            os.setgid(12345)
            os.setuid(12345)
            store.generations()
            store.failed()
            prune(1, store)
            with store.lock("testing"):
                status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert (store.folder / name).exists()


@pytest.mark.parametrize("name", ["", "g", "aside", "left", "busy", ".gitignore"])
@pytest.mark.skipif(os.geteuid() != 0, reason="runs a child as another user")
def test_folders_of_ours_without_permissions_end_in_a_message_at_worst(project: Path, name: str) -> None:
    store = filled(project / ".venv", A, B)
    store.switch(A)
    place = store.root / name
    place.touch() if name in ("left", "busy") else place.mkdir(exist_ok=True) if name == "aside" else None
    for folder in (*project.parents, project):
        folder.chmod(0o755)
    for path in (project, *project.rglob("*")):
        os.lchown(path, 12345, 12345)
    place.chmod(0)
    child = os.fork()
    if not child:
        status = 1
        try:
            os.setgid(12345)
            os.setuid(12345)
            for do in (store.generations, store.asides, store.failed, lambda: prune(1, store), store.current):
                with suppress(InstallError):
                    do()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize("at", [".venv-backup", "deep/er/link", "absolute"])
def test_an_environment_that_any_link_of_the_project_leads_to_is_kept(project: Path, at: str) -> None:
    store = filled(project / ".venv", A, B)
    (project / at).parent.mkdir(parents=True, exist_ok=True)
    store.switch(A)
    target = store.prefix(A) if at == "absolute" else os.path.relpath(store.prefix(A), (project / at).parent)
    (project / at).symlink_to(target)
    store.link.unlink()
    store.switch(B)
    assert prune(1, store) == ()
    assert store.prefix(A).is_dir()


@pytest.mark.parametrize(
    "name", [".gitignore", ".gitignore.new", "busy", "busy.new", "history-.venv.jsonl", "left"]
)
@pytest.mark.parametrize("is_hard", [True, False])
def test_files_are_not_written_through_links(
    project: Path, outside: Path, name: str, *, is_hard: bool
) -> None:
    before = content(outside)
    path = project / ".envsmith" / name
    path.parent.mkdir()
    path.hardlink_to(outside / "file") if is_hard else path.symlink_to(outside / "file")
    store = filled(project / ".venv", A)
    store.switch(A)
    (store.folder / C).mkdir()
    (store.folder / C / "file").touch()
    with store.lock("testing"):
        assert (store.root / ".gitignore").read_text("utf-8") == "*\n"
    assert content(outside) == before
    assert [id_ for id_, _ in store.uses()] == [A]


@pytest.mark.parametrize("name", ["busy", "history-.venv.jsonl", "left", f"g/{C}/{RECORD}"])
def test_fifos_block_nothing(project: Path, name: str) -> None:
    path = project / ".envsmith" / name
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    store = filled(project / ".venv", A)
    store.switch(A)
    assert store.generation(C) is None
    assert [one.id for one in store.generations()] == [A]


def test_texts_in_left_are_not_taken_as_paths(project: Path, tmp_path: Path) -> None:
    other = filled(tmp_path / "other" / ".venv", B)
    store = filled(project / ".venv", A)
    store.switch(A)
    before = content(tmp_path / "other")
    for name in (f".removing-{C}", f".removing-{C}~2"):
        (store.folder / name).mkdir()
    back = f"../../../../other/.envsmith/g/{B}"
    (store.root / "left").write_text(f".removing-{C}/{back}\n.removing-{C}~2/{back}\n/{back}\n", "utf-8")
    assert (store.folder / f".removing-{C}" / back).resolve() == other.prefix(B).resolve()
    prune(1, store)
    assert content(tmp_path / "other") == before


def huge(path: Path) -> None:
    path.touch()
    os.truncate(path, 10**11)


ODD: dict[str, Callable[[Path], object]] = {
    "folder": os.mkdir,
    "full folder": lambda path: (path / "sub").mkdir(parents=True),
    "huge": huge,
    "pipe": os.mkfifo,
    "loop": lambda path: path.symlink_to(path.name),
    "device": lambda path: path.symlink_to("/dev/zero"),
    "link to a folder": lambda path: path.symlink_to(path.parents[2]),
    "garbage": lambda path: path.write_bytes(b'\xff\0\n{"id": 1}\n[]\n{"id": "\\u0000", "utc": []}\n\x1b[2J'),
    "deep": lambda path: path.write_text("[" * 1_000_000, "utf-8"),
    "empty": lambda path: path.touch(),
    "closed": lambda path: path.touch(0),
}


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize(
    "name", [".gitignore", "busy", "history-.venv.jsonl", "history-x.jsonl", "left", f"digests/{A}.json"]
)
def test_odd_files_in_the_place_of_ours_end_in_a_message_at_worst(
    project: Path, outside: Path, name: str, kind: str
) -> None:
    told: list[str] = []
    store = filled(project / ".venv", A, B, told=told)
    store.switch(A)
    (store.folder / C).mkdir()
    path = store.root / name
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    ODD[kind](path)
    before = content(outside)

    def changes() -> None:
        with store.lock("testing"):
            store.switch(B)

    for do in (
        changes,
        lambda: prune(1, store),
        lambda: rollback("", store, is_forced=True),
        store.last_uses,
    ):
        for _ in range(2):
            with suppress(InstallError):
                do()
    store.is_unchanged(store.generations()[0])
    store.asides()
    assert content(outside) == before
    assert len(told) == len(set(told)) or (name == "left" and "folder" in kind)
    if name in ("left", f"digests/{A}.json", "history-x.jsonl"):
        changes()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "1", '{"form": 1}', '{"form": 1, "digests": [[1, "x"]]}', '{"form": 1, "digests": "x"}'],
)
def test_malformed_digests_are_none(project: Path, text: str) -> None:
    store = filled(project / ".venv", A)
    store.keep_digests(A, {"pyvenv.cfg": "1"})
    assert kept_digests.changes(store.prefix(A)) not in (None, ())
    (store.root / "digests" / f"{A}.json").write_text(text, "utf-8")
    assert kept_digests.changes(store.prefix(A)) is None
    (store.root / "digests" / f"{A}.json").write_text(
        '{"form": 1, "site": "/etc", "digests": {"\\ud800": 1}}', "utf-8"
    )
    assert kept_digests.changes(store.prefix(A)) is not None


def test_a_second_site_packages_hides_no_change_in_the_first(project: Path) -> None:
    store = filled(project / ".venv", A)
    prefix = store.prefix(A)
    (prefix / "lib" / "python3.0" / "site-packages").mkdir(parents=True)
    site = prefix / "lib" / "python3.11" / "site-packages"
    site.mkdir(parents=True, exist_ok=True)
    store.keep_digests(A, kept_digests.take(prefix))
    assert kept_digests.changes(prefix) == ()
    (site / "added.pth").write_text("import os", "utf-8")
    assert kept_digests.changes(prefix) == (
        "lib/python3.11/site-packages/added.pth was added after the install",
    )


def test_a_folder_that_is_mounted_in_a_generation_keeps_its_files(project: Path, outside: Path) -> None:
    mounted = ("unshare", "--map-root-user", "--mount", "sh", "-c", 'mount --bind "$0" "$1" && shift && "$@"')
    made = project / ".envsmith" / "g" / C
    (made / "a b").mkdir(parents=True)
    (made / MARK).write_text(f"{C}\n", "utf-8")
    if (
        not shutil.which("unshare")
        or subprocess.run([*mounted, outside, made / "a b", "true"], check=False).returncode
    ):
        pytest.skip("no mounts here")
    before = content(outside)
    words = (sys.executable, "-m", "envsmith", "generations", "--keep", "1")
    done = subprocess.run(
        [*mounted, outside, made / "a b", *words], capture_output=True, text=True, check=True
    )
    assert content(outside) == before
    assert "is mounted in it; delete it yourself" in done.stderr
