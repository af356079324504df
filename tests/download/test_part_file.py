from __future__ import annotations

import hashlib
import sys
import threading
from pathlib import Path

import pytest

from envsmith.download.part_file import (
    FOLDER,
    PartFile,
    PartOrigin,
    disk_errors,
    part_path,
    part_size,
    sha256_of_file,
)
from envsmith.errors import ToolError
from tests.wheelhouses import made_bytes

BODY = made_bytes(3_000_000)
SHA256 = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def house(tmp_path: Path) -> Path:
    (tmp_path / FOLDER).mkdir()
    return tmp_path


def test_bytes_are_hashed_as_they_come_and_again_when_taken_over(house: Path) -> None:
    origin = PartOrigin(etag='"x"', size_bytes=len(BODY))
    with PartFile(house, SHA256) as part:
        part.begin_response(origin)
        part.write(BODY[:2_000_000])
        assert part.is_single_response
        assert not part.is_verified
    assert part_size(house, SHA256) == 2_000_000
    with PartFile(house, SHA256) as part:
        assert (part.size, part.origin, part.is_single_response) == (2_000_000, origin, False)
        part.write(BODY[2_000_000:])
        assert part.is_verified
        part.finish(house / "file")
    assert (house / "file").read_bytes() == BODY
    assert list((house / FOLDER).iterdir()) == []


def test_a_restart_throws_everything_away(house: Path) -> None:
    with PartFile(house, SHA256) as part:
        part.begin_response(PartOrigin(size_bytes=5))
        part.write(b"wrong")
        part.begin_response(PartOrigin(size_bytes=9))
        assert not part.is_single_response
        part.restart()
        assert (part.size, part.origin, part.is_single_response) == (0, PartOrigin(), True)
        part.write(BODY)
        assert part.is_verified


def test_what_got_no_bytes_leaves_no_file(house: Path) -> None:
    with PartFile(house, SHA256) as part:
        part.begin_response(PartOrigin(etag='"x"'))
    assert list((house / FOLDER).iterdir()) == []


@pytest.mark.parametrize(
    "note",
    ["", "[]", "{}", '{"etag": 1, "size": "2"}', '{"etag": "a\\r\\nb", "size": null}', "\0", "[" * 99999],
)
def test_a_damaged_note_says_nothing(house: Path, note: str) -> None:
    path = part_path(house, SHA256)
    path.write_bytes(b"x")
    path.with_suffix(".json").write_text(note, "utf-8")
    with PartFile(house, SHA256) as part:
        assert part.origin == PartOrigin()


def test_nothing_is_there(house: Path) -> None:
    assert part_size(house, SHA256) == 0
    with pytest.raises(ToolError) as caught:
        sha256_of_file(house / "none")
    assert caught.value.code == "TOL046"


@pytest.mark.parametrize(("number", "code"), [(28, "TOL043"), (27, "TOL043"), (13, "TOL046"), (30, "TOL046")])
def test_what_the_disk_refuses_is_told_in_words(number: int, code: str) -> None:
    with pytest.raises(ToolError) as caught, disk_errors(Path("somewhere")):
        raise OSError(number, "told by the system")
    assert caught.value.code == code
    assert "told by the system" in caught.value.message
    assert caught.value.where == "somewhere"


@pytest.mark.skipif(sys.platform == "win32", reason="makes symbolic links")
@pytest.mark.parametrize("is_hard", [True, False])
def test_no_file_elsewhere_is_written_through_a_link(tmp_path: Path, house: Path, *, is_hard: bool) -> None:
    outside = [tmp_path / "one", tmp_path / "two"]
    places = [part_path(house, SHA256), part_path(house, SHA256).with_suffix(".json")]
    for file, place in zip(outside, places, strict=True):
        file.write_text("mine", "utf-8")
        place.hardlink_to(file) if is_hard else place.symlink_to(file)
    with PartFile(house, SHA256) as part:
        part.begin_response(PartOrigin(size_bytes=5))
        part.restart()
        part.begin_response(PartOrigin(size_bytes=7))
        part.write(BODY)
        part.finish(house / "file")
    assert [file.read_text("utf-8") for file in outside] == ["mine", "mine"]
    assert (house / "file").read_bytes() == BODY


def test_its_threads_end(house: Path) -> None:
    before = threading.active_count()
    with PartFile(house, SHA256) as part:
        part.write(BODY)
        part.restart()
        part.write(BODY)
        assert threading.active_count() == before + 1
        part.finish(house / "file")
    assert threading.active_count() == before
