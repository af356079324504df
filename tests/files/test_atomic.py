from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from envsmith.errors import ToolError
from envsmith.files.atomic import read_files, write_files
from tests.systems import not_in_wine, posix_only

OLD = {f"pylock.{name}.toml": f"old {name}\n".encode() * 400 for name in "abcde"} | {
    "gone.txt": b"only in the old set"
}
NEW = {f"pylock.{name}.toml": f"new {name}\n".encode() * 300 for name in "bcdef"} | {
    "activate.sh": b"\xff\x00"
}

# Writes the two sets by turns. With a number it kills itself at that change of the disk, counted by Python's
# own audit events, so that every moment between two of them is met for certain.
WRITER = """
import os, signal, sys
from pathlib import Path
from envsmith.files.atomic import write_files
sys.path.insert(0, sys.argv[1])
from sets import NEW, OLD
folder, moment = Path(sys.argv[2]), int(sys.argv[3])
count = 0
def watch(event, arguments):
    global count
    is_ours = event in ("open", "os.rename", "os.remove") and str(folder) in str(arguments[0])
    count += is_ours
    if is_ours and count == moment:
        os.kill(os.getpid(), signal.SIGKILL)
if moment:
    sys.addaudithook(watch)
    write_files(folder, NEW, remove=OLD)
    sys.exit(3)
print("ready", flush=True)
while True:
    write_files(folder, NEW, remove=OLD)
    write_files(folder, OLD, remove=NEW)
"""


def raw(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def visible(folder: Path) -> dict[str, bytes]:
    return {name: data for name, data in raw(folder).items() if not name.startswith(".envsmith-")}


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    place = tmp_path / "sets"
    place.mkdir()
    (place / "sets.py").write_text(f"OLD = {OLD!r}\nNEW = {NEW!r}\n")
    return place


def start(sets: Path, folder: Path, moment: int) -> subprocess.Popen[bytes]:
    arguments = [sys.executable, "-c", WRITER, str(sets), str(folder), str(moment)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE)


def test_a_new_folder_gets_exactly_the_set(tmp_path: Path) -> None:
    folder = tmp_path / "lockfiles" / "cu128"
    assert write_files(folder, NEW) == tuple(sorted(NEW))
    assert raw(folder) == dict(sorted(NEW.items()))
    assert read_files(folder) == dict(sorted(NEW.items()))


def test_what_is_to_go_goes_and_strangers_stay(tmp_path: Path) -> None:
    write_files(tmp_path, OLD)
    (tmp_path / "notes.md").write_bytes(b"mine")
    write_files(tmp_path, NEW, remove=OLD)
    assert raw(tmp_path) == dict(sorted({**NEW, "notes.md": b"mine"}.items()))


def test_a_file_with_its_content_is_not_written_again(tmp_path: Path) -> None:
    write_files(tmp_path, {"a": b"1", "b": b"2"})
    os.utime(tmp_path / "a", ns=(1000, 1000))  # Windows counts in 100 ns
    assert write_files(tmp_path, {"a": b"1", "b": b"3"}) == ("b",)
    assert (tmp_path / "a").stat().st_mtime_ns == 1000
    assert write_files(tmp_path, {"a": b"1", "b": b"3"}) == ()


@posix_only("umask")
def test_the_umask_decides_the_mode_and_nothing_else(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_files(tmp_path, {"a": b"x\n"})
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "a").read_bytes() == b"x\n"


def test_a_link_is_replaced_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"same")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a").symlink_to(outside)
    write_files(folder, {"a": b"same"})
    assert not (folder / "a").is_symlink()
    assert outside.read_bytes() == b"same"


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../a",
        "a/b",
        "a\\b",
        "/a",
        "C:a",
        "a\0",
        "a\nb",
        ".envsmith-journal",
        ".envsmith-new-a",
        "a*",
    ],
)
def test_only_plain_names_are_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(ToolError) as caught:
        write_files(tmp_path, {name: b""})
    assert caught.value.code == "TOL014"
    assert raw(tmp_path) == {}


def test_names_that_differ_in_capitals_only_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ToolError) as caught:
        write_files(tmp_path, {"a.toml": b"", "A.toml": b""})
    assert caught.value.code == "TOL014"


def test_a_folder_in_the_way_leaves_everything_as_before(tmp_path: Path) -> None:
    write_files(tmp_path, {"a": b"old"})
    (tmp_path / "b").mkdir()
    with pytest.raises(ToolError) as caught:
        write_files(tmp_path, {"a": b"new", "b": b"new"})
    assert (caught.value.code, caught.value.where) == ("TOL013", str(tmp_path / "b"))
    assert caught.value.hint
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]
    assert (tmp_path / "a").read_bytes() == b"old"


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="needs a user whom permissions bind")
def test_a_folder_one_may_not_write_to(tmp_path: Path) -> None:
    write_files(tmp_path, {"a": b"old"})
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(ToolError) as caught:
            write_files(tmp_path, {"a": b"new"})
    finally:
        tmp_path.chmod(0o700)
    assert caught.value.code == "TOL013"
    assert raw(tmp_path) == {"a": b"old"}


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "lockfiles").write_bytes(b"")
    with pytest.raises(ToolError) as caught:
        write_files(tmp_path / "lockfiles" / "cu128", {"a": b""})
    assert caught.value.code == "TOL013"
    assert str(tmp_path / "lockfiles") in caught.value.where


@pytest.mark.skipif(sys.platform == "win32", reason="has no limit on the size of files")
def test_a_full_disk_leaves_everything_as_before(tmp_path: Path) -> None:
    write_files(tmp_path, OLD)
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from envsmith.files.atomic import write_files; from envsmith.errors import ToolError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\n"
        "try: write_files(Path(sys.argv[1]), {'a.toml': b'x' * 100, 'z.toml': b'x' * 100_000})\n"
        "except ToolError as error: print(error.code, error.where, bool(error.hint), error.exit_code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["TOL011", str(tmp_path / "z.toml"), "True", "2"]
    assert raw(tmp_path) == dict(sorted(OLD.items()))


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_killed_at_each_change_of_the_disk(tmp_path: Path, sets: Path) -> None:
    seen: set[str] = set()
    for moment in range(1, 60):
        folder = tmp_path / str(moment)
        write_files(folder, OLD)
        with start(sets, folder, moment) as process:
            ended = process.wait()
        if ended == 3:
            assert visible(folder) == dict(sorted(NEW.items()))
            break
        assert ended == -signal.SIGKILL
        read_files(folder)
        seen.add(name_of(raw(folder)))
    assert seen == {"old", "new"}
    assert moment > 20


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_killed_at_random_moments(tmp_path: Path, sets: Path) -> None:
    folder = tmp_path / "folder"
    write_files(folder, OLD)
    dice = random.Random(7)  # noqa: S311 - moments to kill at, no secrets
    for _ in range(12):
        with start(sets, folder, 0) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(dice.random() * 0.03)
            process.kill()
        assert name_of(read_files(folder)) in ("old", "new")


def name_of(files: Mapping[str, bytes]) -> str:
    if files == dict(sorted(OLD.items())):
        return "old"
    assert files == dict(sorted(NEW.items()))
    return "new"


@not_in_wine("readers starve the writer")
def test_a_reader_never_sees_a_mixture(tmp_path: Path) -> None:
    write_files(tmp_path, OLD)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            write_files(tmp_path, NEW, remove=OLD)
            write_files(tmp_path, OLD, remove=NEW)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(400):
            name_of(read_files(tmp_path))
    finally:
        stop.set()
        thread.join()


def test_nothing_to_recover(tmp_path: Path) -> None:
    assert read_files(tmp_path / "missing") == {}
    write_files(tmp_path, {"a": b"1"})
    assert read_files(tmp_path) == {"a": b"1"}
    assert raw(tmp_path) == {"a": b"1"}


@pytest.mark.parametrize(
    "journal",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"form": 2, "replace": [], "remove": []}',
        b'{"form": 1, "replace": 3, "remove": []}',
        b'{"form": 1, "replace": [], "remove": ["../precious"]}',
        b'{"form": 1, "replace": ["/etc/passwd"], "remove": []}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_journal_is_named_and_nothing_is_touched(tmp_path: Path, journal: bytes) -> None:
    (tmp_path / "precious").write_bytes(b"1")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / ".envsmith-journal").write_bytes(journal)
    for action in (read_files, lambda place: write_files(place, {"a": b"1"})):
        with pytest.raises(ToolError) as caught:
            action(folder)
        assert (caught.value.code, caught.value.where) == ("TOL015", str(folder / ".envsmith-journal"))
        assert caught.value.hint
    assert (tmp_path / "precious").read_bytes() == b"1"
