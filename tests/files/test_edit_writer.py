from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from envsmith.errors import ToolError
from envsmith.files.edits import Edit, edits_of, write_edits
from tests.systems import posix_only

NAMES = ("a.txt", "dir/b.txt", "dir/c.txt")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in NAMES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"old " + name.encode())
    return tmp_path


def changes(*names: str) -> list[Edit]:
    return [
        Edit(file=name, before=b"old " + name.encode(), after=b"new " + name.encode())
        for name in names or NAMES
    ]


def contents(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def test_all_files_are_replaced_and_nothing_else_is_left(root: Path) -> None:
    same = Edit(file="gone.txt", before=b"x", after=b"x")
    assert write_edits(root, [*changes(), same]) == NAMES
    assert contents(root) == {name: b"new " + name.encode() for name in NAMES}


@posix_only("symbolic links and file modes")
def test_mode_and_link_are_kept(root: Path) -> None:
    (root / "a.txt").chmod(0o754)
    (root / "link.txt").symlink_to("a.txt")
    write_edits(root, [Edit(file="link.txt", before=b"old a.txt", after=b"new")])
    assert (root / "link.txt").is_symlink()
    assert (root / "a.txt").read_bytes() == b"new"
    assert stat.S_IMODE((root / "a.txt").stat().st_mode) == 0o754


@posix_only("symbolic links")
@pytest.mark.parametrize("name", ["link.txt", "out/a.txt", "out/new.txt"])
def test_no_file_outside_the_project_is_written_through_a_link(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    (project / "link.txt").symlink_to(root / "a.txt")
    (project / "out").symlink_to(root)
    before = contents(root)
    known = None if name == "out/new.txt" else b"old a.txt"
    edits = [Edit(file="b.txt", before=None, after=b"new"), Edit(file=name, before=known, after=b"new")]
    for folder in (Path(), project):
        with pytest.raises(ToolError, match="TOL019"):
            write_edits(folder, edits)
    assert contents(root) == before


@pytest.mark.skipif(sys.platform == "win32", reason="makes a FIFO and symbolic links")
def test_fifos_and_loops_are_refused(root: Path) -> None:
    os.mkfifo(root / "fifo")
    (root / "loop").symlink_to("loop")
    with pytest.raises(ToolError, match="TOL013: fifo: cannot read: not a regular file"):
        edits_of(root, {"fifo": "new"})
    with pytest.raises(ToolError, match="TOL013"):
        write_edits(root, edits_of(root, {"loop/file": "new"}))


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_changed_since_is_refused_and_all_stay(root: Path, name: str) -> None:
    (root / name).write_bytes(b"somebody's")
    before = contents(root)
    with pytest.raises(ToolError) as caught:
        write_edits(root, changes())
    assert (caught.value.code, caught.value.where) == ("TOL017", name)
    assert contents(root) == before


def test_a_file_that_went_is_refused(root: Path) -> None:
    (root / "dir/b.txt").unlink()
    with pytest.raises(ToolError, match="TOL017"):
        write_edits(root, changes())
    assert (root / "a.txt").read_bytes() == b"old a.txt"


def test_a_file_for_reading_only_is_refused(root: Path) -> None:
    (root / "dir/c.txt").chmod(0o444)
    before = contents(root)
    with pytest.raises(ToolError) as caught:
        write_edits(root, changes())
    assert (caught.value.code, caught.value.where) == ("TOL013", "dir/c.txt")
    assert contents(root) == before


@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, "TOL011"), (errno.EDQUOT, "TOL011"), (errno.EIO, "TOL013")]
)
def test_a_disk_that_refuses_to_the_last_leaves_all_as_it_was(
    root: Path, number: int, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace, count = Path.replace, 0

    def failing(self: Path, target: Path) -> Path:
        nonlocal count
        count += 1
        if count == len(NAMES):
            raise OSError(number, "no")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    before = contents(root)
    with pytest.raises(ToolError) as caught:
        write_edits(root, changes())
    assert (caught.value.code, caught.value.where) == (code, NAMES[-1])
    assert contents(root) == before


def test_what_somebody_wrote_after_it_is_not_put_back(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = Path.replace

    def interrupted(self: Path, target: Path) -> Path:
        if target.name == "b.txt":
            (root / "a.txt").write_bytes(b"somebody's")
            raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_edits(root, changes())
    assert contents(root) == {
        "a.txt": b"somebody's",
        "dir/b.txt": b"old dir/b.txt",
        "dir/c.txt": b"old dir/c.txt",
    }


def test_what_a_killed_process_left_is_no_hindrance(root: Path) -> None:
    (root / ".envsmith-new-a.txt").write_bytes(b"half")
    assert write_edits(root, changes("a.txt")) == ("a.txt",)
    assert not (root / ".envsmith-new-a.txt").exists()


# Kills itself at the given change of the disk, counted by Python's own audit events.
EDITOR = """
import os, signal, sys
from pathlib import Path
from envsmith.files.edits import edits_of, write_edits
from envsmith.files.edits import Edit
folder, moment = Path(sys.argv[1]), int(sys.argv[2])
count = 0
def watch(event, arguments):
    global count
    is_ours = event in ("open", "os.rename", "os.remove", "os.chmod") and str(folder) in str(arguments[0])
    count += is_ours
    if is_ours and count == moment:
        os.kill(os.getpid(), signal.SIGKILL)
edits = [
    Edit(file=name, before=b"old " + name.encode(), after=b"new " + name.encode()) for name in sys.argv[3:]
]
sys.addaudithook(watch)
write_edits(folder, [edit for edit in edits if (folder / edit.file).read_bytes() == edit.before])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
@pytest.mark.parametrize("moment", range(5, 21, 3))
def test_a_kill_at_any_moment_leaves_each_file_old_or_new_and_the_next_run_ends_it(
    root: Path, moment: int
) -> None:
    words = [sys.executable, "-c", EDITOR, str(root)]
    killed = subprocess.run([*words, str(moment), *NAMES], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    for name in NAMES:
        assert (root / name).read_bytes() in (b"old " + name.encode(), b"new " + name.encode())
    done = subprocess.run([*words, "0", *NAMES], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {name: contents(root)[name] for name in NAMES} == {name: b"new " + name.encode() for name in NAMES}


def test_a_file_that_is_not_there_is_made(root: Path) -> None:
    (found, new) = edits_of(root, {"a.txt": "new a.txt", "deep/er/d.txt": "d\n"})
    assert (found.before, new.before) == (b"old a.txt", None)
    assert new.diff().startswith("--- /dev/null\n+++ b/deep/er/d.txt\n")
    assert write_edits(root, [found, new]) == ("a.txt", "deep/er/d.txt")
    assert (root / "deep/er/d.txt").read_text("utf-8") == "d\n"


def test_a_file_that_came_meanwhile_is_not_written_over(root: Path) -> None:
    edits = edits_of(root, {"a.txt": "x", "new.txt": "y"})
    (root / "new.txt").write_bytes(b"theirs")
    with pytest.raises(ToolError) as caught:
        write_edits(root, edits)
    assert caught.value.code == "TOL017"
    assert (root / "a.txt").read_bytes() == b"old a.txt"
    assert (root / "new.txt").read_bytes() == b"theirs"


def test_what_was_made_is_taken_back_where_another_fails(root: Path) -> None:
    new = Edit(file="deep/d.txt", before=None, after=b"d")
    (root / "dir/b.txt").chmod(0o400)
    with pytest.raises(ToolError):
        write_edits(root, [new, *changes("dir/b.txt")])
    assert not (root / "deep/d.txt").exists()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a\r\nb\r\n", b"x\r\ny\r\n"),
        (b"a\r\nb\n", b"x\ny\n"),
        (b"a", b"x\ny\n"),
        (b"x\r\ny\r\n", b"x\r\ny\r\n"),
    ],
)
def test_line_ends_of_a_checkout_are_kept(before: bytes, after: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_bytes(before)
    (edit,) = edits_of(tmp_path, {"a.yml": "x\ny\n"})
    assert edit.after == after
    assert edit.has_changes == (before != after)
