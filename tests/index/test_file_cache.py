from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from envsmith.index.hashing import FileCache
from tests.values import HEX

NAME = "torch-1-py3-none-any.whl"


def test_a_file_is_kept_by_its_hash(tmp_path: Path) -> None:
    kept = FileCache(tmp_path / "kept")
    assert kept.find(HEX, NAME) is None
    with kept.pending() as pending:
        pending.write(b"one ")
        pending.write(b"two")
        assert pending.commit(HEX, NAME)
    found = kept.find(HEX, NAME)
    assert found
    assert found.read_bytes() == b"one two"
    assert kept.find(HEX, "other-1-py3-none-any.whl") is None


def test_what_is_not_kept_goes(tmp_path: Path) -> None:
    kept = FileCache(tmp_path / "kept")

    def broken_off() -> None:
        with kept.pending() as pending:
            pending.write(b"half")
            raise KeyError

    with pytest.raises(KeyError):
        broken_off()
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_disk_that_refuses_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("no folder", "utf-8")
    with FileCache(tmp_path / "kept").pending() as pending:
        pending.write(b"x")
        assert not pending.commit(HEX, NAME)


@pytest.mark.skipif(sys.platform != "linux", reason="writes to /dev/full")
def test_a_full_disk_is_no_error(tmp_path: Path) -> None:
    with FileCache(tmp_path / "kept").pending() as pending:
        assert pending._stream
        os.dup2(os.open("/dev/full", os.O_WRONLY), pending._stream.fileno())
        pending.write(b"x" * (1 << 20))
        assert not pending.commit(HEX, NAME)
    assert list((tmp_path / "kept").iterdir()) == []
