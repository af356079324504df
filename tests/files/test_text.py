from __future__ import annotations

import codecs
import os
import sys
from pathlib import Path

import pytest

from envsmith.errors import EnvsmithError, ProfileError, ToolError
from envsmith.files.text import MAX_BYTES, folders_with, is_missing, read_text
from tests.systems import posix_only


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


@pytest.mark.parametrize(
    "data",
    [
        "# é\n".encode("utf-16"),
        codecs.BOM_UTF16_BE + "# é\n".encode("utf-16-be"),
        "# é\n".encode("utf-32"),
        b"# -*- coding: latin-1 -*-\n# \xe9\n",
        b"#!/usr/bin/env x\n# vim: set fileencoding=cp1252 :\n# \xe9\n",
        "# é\n".encode("utf-8-sig"),
        "# é\n# coding: latin-1 \n".encode("utf-8-sig"),
    ],
)
def test_encodings_of_requirements_files(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a").write_bytes(data)
    text = read_text(tmp_path / "a", "a", is_requirements=True)
    assert "# é\n" in text
    assert "\ufeff" not in text


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"# coding: no-such-code\n", "no-such-code"),
        (b"# coding: base64\n", "base64"),
        (b"# coding: ascii\n\xe9", "ascii"),
        (codecs.BOM_UTF16_LE + b"a", "utf-16"),
        (b"\n\n# coding: latin-1\n\xe9", "UTF-8"),
    ],
)
def test_requirements_files_with_wrong_encodings(tmp_path: Path, data: bytes, word: str) -> None:
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(ProfileError) as caught:
        read_text(tmp_path / "a", "a", is_requirements=True)
    assert caught.value.code == "PRF031"
    assert word in caught.value.message


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


@pytest.mark.skipif(sys.platform == "win32", reason="makes symbolic links")
def test_links_that_lead_to_nothing_are_not_missing_files(tmp_path: Path) -> None:
    loop, dangling = tmp_path / "loop", tmp_path / "dangling"
    loop.symlink_to("loop")
    dangling.symlink_to("nothing")
    assert [is_missing(path) for path in (loop, loop / "a", dangling)] == [False] * 3
    assert [is_missing(path) for path in (dangling / "a", tmp_path / "a", tmp_path / "\0")] == [True] * 3
    for path in (loop, loop / "a"):
        with pytest.raises(ToolError, match=r"TOL012: a: cannot read: .*symbolic links"):
            read_text(path, "a")
    with pytest.raises(ProfileError, match="PRF030: a: the file that this link leads to does not exist"):
        read_text(dangling, "a")


@pytest.mark.skipif(sys.platform == "win32", reason="makes symbolic links")
def test_folders_with_a_name_are_those_with_an_unreadable_one_too(tmp_path: Path) -> None:
    for name in ("b", "a", "none"):
        (tmp_path / "parent" / name).mkdir(parents=True)
    (tmp_path / "parent" / "file").touch()
    (tmp_path / "parent" / "a" / "x").touch()
    (tmp_path / "parent" / "b" / "x").symlink_to("x")
    (tmp_path / "loop").symlink_to("loop")
    assert folders_with(tmp_path / "parent", "x") == ("a", "b")
    assert folders_with(tmp_path / "missing", "x") == ()
    for unreadable in (tmp_path / "loop", tmp_path / "parent" / "file"):
        with pytest.raises(ToolError, match="TOL013"):
            folders_with(unreadable, "x")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("b", "PRF030"),
        ("a/b", "PRF030"),
        pytest.param("x" * 300, "TOL012", marks=posix_only("names that are too long are not missing ones")),
        ("\0", "TOL012"),
    ],
)
def test_no_such_file(tmp_path: Path, name: str, code: str) -> None:
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(EnvsmithError) as caught:
        read_text(tmp_path / name, "shown")
    assert (caught.value.code, caught.value.where) == (code, "shown")
    assert caught.value.hint
