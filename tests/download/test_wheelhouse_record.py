from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from envsmith.download import wheelhouse
from envsmith.download.record import FILENAME, WheelhouseRecord
from envsmith.errors import ToolError


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
