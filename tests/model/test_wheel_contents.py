from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envsmith.model.wheel import WheelContents, installed_path

PATHS = st.lists(st.text("abc_.-", min_size=1).filter(lambda part: part not in {".", ".."}), min_size=1).map(
    "/".join
)


@given(st.dictionaries(PATHS, st.tuples(st.integers(0, 2**40), st.integers(0, 2**32 - 1))), st.booleans())
def test_reads_back_what_it_writes(files: dict[str, tuple[int, int]], summed: bool) -> None:
    contents = WheelContents(
        size_bytes=len(files),
        members={installed_path(path): size for path, (size, _) in files.items()},
        checksums={installed_path(path): crc for path, (_, crc) in files.items() if summed},
    )
    assert WheelContents.from_plain(json.loads(json.dumps(contents.to_plain()))) == contents


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cv2/__init__.py", "cv2/__init__.py"),
        ("a-1.0.data/purelib/cv2/x.so", "cv2/x.so"),
        ("a-1.0.data/platlib/cv2/x.so", "cv2/x.so"),
        ("a-1.0.data/scripts/run", "<scripts>/run"),
        ("a-1.0.data/data/share/x", "<data>/share/x"),
        ("a-1.0.dist-info/RECORD", "a-1.0.dist-info/RECORD"),
    ],
)
def test_knows_where_a_file_goes(name: str, expected: str) -> None:
    assert installed_path(name) == expected


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../x", "a/../../x", "a\\b", "a\0b", "x.data/purelib/../../y"]
)
def test_paths_that_lead_out_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="invalid path in a wheel"):
        installed_path(name)


def test_importable_names_are_folders_and_modules_of_the_top() -> None:
    paths = (
        "cv2/__init__.py",
        "google/protobuf/x.py",
        "six.py",
        "_yaml.cpython-311-x86_64-linux-gnu.so",
        "win.pyd",
        "torch.libs/libx.so",
        "a-1.dist-info/RECORD",
        "<scripts>/run",
        "README",
        "not-a-name/x.py",
    )
    contents = WheelContents(size_bytes=1, members=dict.fromkeys(paths, 2))
    assert contents.top_level() == ("_yaml", "cv2", "google", "six", "win")
    assert contents.unpacked_bytes == 20


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"paths": ["x"], "sizes": [1], "checksums": [1]},
        {"size": "x", "paths": [], "sizes": [], "checksums": []},
        {"size": None, "paths": [], "sizes": [], "checksums": []},
        {"size": 1, "paths": ["../x"], "sizes": [1], "checksums": [1]},
        {"size": 1, "paths": ["a", "b/../../x"], "sizes": [1, 1], "checksums": [1, 1]},
        {"size": 1, "paths": ["a", "/x"], "sizes": [1, 1], "checksums": [1, 1]},
        {"size": 1, "paths": ["x"], "sizes": [None], "checksums": [1]},
        {"size": 1, "paths": ["x"], "sizes": [1], "checksums": ["y"]},
        {"size": 1, "paths": ["x"], "sizes": [1, 2], "checksums": [1]},
        {"size": 1, "paths": [1], "sizes": [1], "checksums": [1]},
        {"size": 1, "members": {"x": [1, 1]}},
    ],
)
def test_other_values_are_refused(data: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        WheelContents.from_plain(data)
