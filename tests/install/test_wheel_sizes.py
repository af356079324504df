from __future__ import annotations

from pathlib import Path

from envsmith.install import disk_space
from tests.install.made import made, made_torch


def test_a_place_that_is_not_there_yet_lies_on_the_disk_of_its_parent(tmp_path: Path) -> None:
    here, there = disk_space.disk_of(tmp_path), disk_space.disk_of(tmp_path / "not" / "yet")
    assert here.device == there.device
    assert here.free_bytes > 0
    assert there.place == str(tmp_path / "not" / "yet")


def test_wheels_of_a_folder_are_weighed_by_their_own_lists(tmp_path: Path) -> None:
    for wheel in (made_torch("2.19.0+cpu", more=b"x" * 1000), made("typing-extensions", "4.1")):
        (tmp_path / wheel.filename).write_bytes(wheel.body)
    for name in ("damaged-1.0-py3-none-any.whl", "backup.whl", "old-1.0.whl"):
        (tmp_path / name).write_bytes(b"none")
    found = disk_space.wheel_sizes(tmp_path)
    assert set(found) == {
        disk_space.wheel_key("torch", "2.19.0+cpu"),
        disk_space.wheel_key("Typing_Extensions", "4.1"),
    }
    packed, unpacked = found[disk_space.wheel_key("torch", "2.19.0+cpu")]
    assert packed > unpacked > 1000
