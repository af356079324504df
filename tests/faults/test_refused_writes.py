"""A disk that is full, a folder that cannot be written: exit 2, a code, and the previous locks whole."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from envsmith.files.atomic import read_files
from tests.faults.lock_states import LockStates

LIMIT = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0}))
"""
linux = pytest.mark.skipif(sys.platform != "linux", reason="limits and mounts are Linux's")


@linux
def test_no_room_for_the_largest_of_the_files(states: LockStates) -> None:
    """The manifest is the largest file that changes: it fails when all others are written already."""
    before = states.found()
    after = states.other(before)
    changed = [name for name, content in after.files.items() if before.files.get(name) != content]
    sizes = sorted(len(after.files[name]) for name in changed)
    assert sizes[-2] < sizes[-1] == len(after.files["manifest.toml"])
    # uv has its own files to write: its cache must know the slices of both states, as `made` saw to.
    limit = LIMIT.format((sizes[-2] + sizes[-1]) // 2)
    with states.started(*states.command(after), before=limit) as run:
        status, said = run.end()
    assert status == 2, said
    assert "TOL011" in said
    assert "manifest.toml" in said
    assert states.found() is before
    assert not [path.name for path in states.folder.iterdir() if path.name.startswith(".")]


@linux
def test_no_room_for_the_generated_index(states: LockStates, tmp_path: Path) -> None:
    """The slice is written before uv starts: what cannot be written must not be resolved with."""
    project = states.project
    before = states.found()
    listings = project.root / "cache" / "listings"
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "listings").symlink_to(listings)
    env = {"ENVSMITH_CACHE_DIR": str(tmp_path / "cache")}
    with states.started(*states.command(states.other(before)), before=LIMIT.format(100), env=env) as run:
        status, said = run.end()
    assert status == 2, said
    assert "TOL010" in said
    assert states.found() is before


@contextmanager
def _file_system(place: Path) -> Iterator[None]:
    """Mount a small file system, where this user may."""
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    mounted = subprocess.run(words, capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", place], check=True)


@linux
def test_a_full_file_system(states: LockStates, tmp_path: Path) -> None:
    place = tmp_path / "small"
    with _file_system(place):
        ran = states.project.run(*states.command(states.old), "-o", str(place))
        assert ran.status == 0, ran.said
        room = os.statvfs(place)
        (place / "filler").write_bytes(b"x" * (room.f_bavail - 2) * room.f_frsize)
        ran = states.project.run(*states.command(states.new), "-o", str(place))
        assert ran.status == 2, ran.said
        assert "TOL011" in ran.said
        assert read_files(place / "any") == states.old.files
        (place / "filler").unlink()
        assert states.project.run(*states.command(states.new), "-o", str(place)).status == 0
        assert read_files(place / "any") == states.new.files


@linux
def test_a_read_only_file_system(states: LockStates, tmp_path: Path) -> None:
    place = tmp_path / "fixed"
    with _file_system(place):
        assert states.project.run(*states.command(states.old), "-o", str(place)).status == 0
        subprocess.run(["mount", "-o", "remount,ro", place], check=True)
        ran = states.project.run(*states.command(states.new), "-o", str(place))
        assert ran.status == 2, ran.said
        assert "TOL013" in ran.said
        assert read_files(place / "any") == states.old.files
        states.command(states.old)
        assert states.project.run("lock", "any", "--check", "-o", str(place)).status == 0


def test_a_file_lies_where_the_folder_should_be(states: LockStates, tmp_path: Path) -> None:
    place = tmp_path / "elsewhere"
    place.mkdir()
    (place / "any").write_text("not a folder", "utf-8")
    ran = states.project.run(*states.command(states.new), "-o", str(place))
    assert ran.status == 2, ran.said
    assert "TOL013" in ran.said
    assert (place / "any").read_text("utf-8") == "not a folder"


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="nothing is read-only to root")
def test_a_folder_that_cannot_be_written(states: LockStates) -> None:
    before = states.found()
    states.folder.chmod(0o555)
    try:
        ran = states.project.run(*states.command(states.other(before)))
        assert ran.status == 2, ran.said
        assert "TOL013" in ran.said
        assert states.found() is before
    finally:
        states.folder.chmod(0o755)
