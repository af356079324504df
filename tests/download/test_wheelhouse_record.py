from __future__ import annotations

import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from envsmith.download import wheelhouse
from envsmith.download.part_file import FOLDER
from envsmith.download.record import FILENAME, WheelhouseRecord
from envsmith.errors import ToolError
from tests.wheelhouses import AsLocked, downloader


def test_nothing_is_recorded(tmp_path: Path) -> None:
    assert wheelhouse.read_record(tmp_path) == WheelhouseRecord()


def test_changes_of_several_at_once_all_count(tmp_path: Path) -> None:
    def add(name: str) -> None:
        wheelhouse.change_record(tmp_path, lambda held: replace(held, locks={**held.locks, name: "plan"}))

    threads = [threading.Thread(target=add, args=(f"a/{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(wheelhouse.read_record(tmp_path).locks) == {f"a/{number}" for number in range(8)}


def test_a_damaged_record(tmp_path: Path) -> None:
    (tmp_path / FILENAME).write_text("form = 9", "utf-8")
    with pytest.raises(ToolError) as caught:
        wheelhouse.read_record(tmp_path)
    assert caught.value.code == "TOL049"
    assert FILENAME in caught.value.where


@pytest.mark.skipif(sys.platform == "win32", reason="makes symbolic links")
def test_a_link_in_the_place_of_the_incomplete_files_is_refused(tmp_path: Path) -> None:
    house, precious = tmp_path / "house", tmp_path / "precious"
    house.mkdir()
    precious.mkdir()
    (house / FOLDER).symlink_to(precious)
    with pytest.raises(ToolError, match="TOL019"):
        wheelhouse.change_record(house, lambda held: held)
    with pytest.raises(ToolError, match="TOL019"):
        downloader(tmp_path).fill(house, [], AsLocked())
    assert list(precious.iterdir()) == []
    (tmp_path / "named").symlink_to(precious)  # a folder that the user names may be a link
    wheelhouse.change_record(tmp_path / "named", lambda held: replace(held, locks={"a": "plan"}))
    assert (precious / FILENAME).exists()
