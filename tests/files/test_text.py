from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from envsmith.errors import EnvsmithError, ProfileError
from envsmith.files.text import MAX_BYTES, read_text


@pytest.mark.parametrize("data", ["a\r\né\n".encode(), b"\xef\xbb\xbfa\r\n\xc3\xa9\n"])
def test_text_with_and_without_byte_order_mark(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a").write_bytes(data)
    assert read_text(tmp_path / "a", "a") == "a\r\né\n"


@pytest.mark.parametrize(
    ("data", "where", "word"),
    [
        (b"a\nb\xff", "a.txt:2", "UTF-8"),
        ("a\n".encode("utf-16"), "a.txt:1", "UTF-16"),
        (b"x" * (MAX_BYTES + 1), "a.txt", "5,000,000"),
    ],
)
def test_what_is_no_text(tmp_path: Path, data: bytes, where: str, word: str) -> None:
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(ProfileError) as caught:
        read_text(tmp_path / "a", "a.txt")
    assert (caught.value.code, caught.value.where) == ("PRF031", where)
    assert word in caught.value.message
    assert caught.value.hint


def test_the_largest_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * MAX_BYTES)
    assert len(read_text(tmp_path / "a", "a")) == MAX_BYTES


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ProfileError) as caught:
        read_text(tmp_path, "a")
    assert (caught.value.code, caught.value.message) == ("PRF031", "is a folder")


@pytest.mark.skipif(sys.platform == "win32", reason="has no such files")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a")
    with pytest.raises(ProfileError) as caught:
        read_text(tmp_path / "a", "a")
    assert caught.value.code == "PRF031"


@pytest.mark.parametrize(
    ("name", "code"), [("b", "PRF030"), ("a/b", "PRF030"), ("x" * 300, "TOL012"), ("\0", "TOL012")]
)
def test_no_such_file(tmp_path: Path, name: str, code: str) -> None:
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(EnvsmithError) as caught:
        read_text(tmp_path / name, "shown")
    assert (caught.value.code, caught.value.where) == (code, "shown")
    assert caught.value.hint
