from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from envsmith.errors import LockError
from envsmith.lockfile.store import read_locks
from envsmith.model.finding import Decision
from tests.locks import LINUX, WINDOWS, folder_files
from tests.wheelhouses import artifact, lock_files

FOLDER = PurePosixPath("lockfiles/p")
DROPPED = Decision(subject="torchvision", kind="dropped", message="no import")


def test_locks_of_requirements() -> None:
    pins = ("numpy==2.0.0", "torch==2.11.0+cu128")
    found = folder_files(
        "p", {WINDOWS: pins, LINUX: pins}, decisions=(DROPPED,), asked=("torch>=2", "Num.Py", "a b")
    )
    linux, windows = read_locks("p", found, FOLDER)
    assert (linux.name, windows.name) == (f"p/{LINUX}", f"p/{WINDOWS}")
    assert str(linux.target) == f"{LINUX} (cu128)"
    assert linux.pins.version("torch") == "2.11.0+cu128"
    assert linux.requested == ("num-py", "torch")
    assert linux.decisions == (DROPPED,)
    assert linux.download_bytes is None


def test_line_ends_make_no_difference() -> None:
    found = folder_files("p", {LINUX: ("torch==2",)})
    windows = {name: content.replace(b"\n", b"\r\n") for name, content in found.items()}
    (one,), (other,) = read_locks("p", found, FOLDER), read_locks("p", windows, FOLDER)
    assert one.digest() == other.digest()


def test_a_pylock_that_is_as_it_was_written_tells_sizes() -> None:
    item = artifact(
        "https://127.0.0.1:9/torch-1-py3-none-any.whl", b"12345", filename="torch-1-py3-none-any.whl"
    )
    found = lock_files("p", {LINUX: [item]})
    (lock,) = read_locks("p", found, FOLDER)
    assert lock.download_bytes == 5
    found[f"pylock.{LINUX}.toml"] += b"\n"
    (lock,) = read_locks("p", found, FOLDER)
    assert lock.download_bytes is None, "another pylock than the recorded one is not read"
    del found[f"requirements.{LINUX}.txt"]
    with pytest.raises(LockError) as caught:
        read_locks("p", found, FOLDER)
    assert caught.value.code == "LCK005"


def test_never_locked() -> None:
    with pytest.raises(LockError) as caught:
        read_locks("p", {}, FOLDER)
    assert caught.value.code == "LCK040"
    assert caught.value.hint == "envsmith lock p"
