from __future__ import annotations

import os
from pathlib import Path

import pytest

from envsmith.model.usage import SearchedModule
from envsmith.usage import file_reader
from envsmith.usage.file_reader import LATER, FileOutcome, FileSearch, read_file
from envsmith.usage.module_matcher import ModuleMatcher
from envsmith.usage.tree import SourceFile, kind_of

NAMES = ModuleMatcher([SearchedModule(module="torchvision"), SearchedModule(module="torchaudio")])


def read(folder: Path, name: str, data: bytes, *, is_hasty: bool = False) -> FileOutcome:
    path = folder / name
    path.write_bytes(data)
    file = SourceFile(path=str(path), name=name, kind=kind_of(name) or "")
    return read_file(file, "sources", FileSearch(names=NAMES, is_hasty=is_hasty))


def uses(outcome: FileOutcome) -> list[tuple[int, str]]:
    return [(use.line, use.module) for use in outcome.usage.uses] if outcome.usage else []


def test_a_file_without_a_name_is_read_and_says_nothing(tmp_path: Path) -> None:
    found = read(tmp_path, "a.py", b"import torch\n")
    assert (found.is_read, found.is_code, found.usage, found.modules) == (True, True, None, ())
    assert read(tmp_path, "a.yaml", b"x: 1\n").is_code is False


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="rights do not bind this user")
def test_a_file_without_rights_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.py").touch(mode=0)
    file = SourceFile(path=str(tmp_path / "a.py"), name="a.py", kind="python")
    found = read_file(file, "sources", FileSearch(names=NAMES))
    assert found.unread
    assert found.unread.modules == ()


def test_a_file_that_is_gone_is_told_and_may_have_been_any(tmp_path: Path) -> None:
    file = SourceFile(path=str(tmp_path / "a.py"), name="a.py", kind="python")
    found = read_file(file, "sources", FileSearch(names=NAMES))
    assert found.unread
    assert (found.unread.file, found.unread.modules, found.is_read) == ("a.py", (), False)


def test_code_beyond_all_size_is_unread_and_data_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_reader, "MOST_BYTES", 10)
    monkeypatch.setattr(file_reader, "MOST_CONFIG_BYTES", 10)
    found = read(tmp_path, "a.py", b"x = 1234567890")
    assert found.unread
    assert (found.unread.reason, found.is_read) == ("larger than 10 bytes", False)
    assert read(tmp_path, "b.json", b'["torchvision.x"]') == FileOutcome()


@pytest.mark.parametrize(
    ("data", "is_read", "is_code"),
    [
        (b"#!/usr/bin/env python3\nimport torchvision\n", True, True),
        (b"#!/bin/sh\npython -m torchvision\n", True, False),
        (b"torchvision\n", False, False),
        (b"", False, False),
    ],
)
def test_a_file_without_ending_is_what_its_first_line_says(
    data: bytes, is_read: bool, is_code: bool, tmp_path: Path
) -> None:
    found = read(tmp_path, "tool", data)
    assert (found.is_read, found.is_code) == (is_read, is_code)
    assert uses(found) == ([(2, "torchvision")] if is_read else [])


def test_texts_in_utf_16_are_read(tmp_path: Path) -> None:
    found = read(tmp_path, "requirements.txt", "torchvision\r\n".encode("utf-16"))
    assert found.usage
    assert [left.line for left in found.usage.leftovers] == [1]


def test_a_reason_names_the_line_and_the_modules_that_may_be_used(tmp_path: Path) -> None:
    found = read(tmp_path, "a.py", b"import torchvision\n\ndef (:\n")
    assert found.unread
    assert found.unread.reason.startswith("line 3: ")
    assert found.unread.modules == ("torchvision",)


def test_in_haste_what_hardly_tells_is_left_for_later(tmp_path: Path) -> None:
    assert read(tmp_path, "a.py", b"x = 1\nfrom torchvision import io\n", is_hasty=True) is not LATER
    assert read(tmp_path, "a.py", b"import torchvision\n", is_hasty=True) is not LATER
    assert read(tmp_path, "a.py", b"  import torchvision\n", is_hasty=True) is LATER
    assert read(tmp_path, "a.py", b"x = 1\n", is_hasty=True) is not LATER
