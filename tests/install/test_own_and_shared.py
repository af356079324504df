from __future__ import annotations

import os
from pathlib import Path

from envsmith.install.disk_space import own_and_shared


def test_what_stands_elsewhere_too_is_shared(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside" / "deep", tmp_path / "outside"
    inside.mkdir(parents=True)
    outside.mkdir()
    (inside / "own").write_bytes(b"x" * 10)
    (inside / "twice").write_bytes(b"x" * 100)
    os.link(inside / "twice", inside / "again")
    (outside / "shared").write_bytes(b"x" * 1000)
    os.link(outside / "shared", inside / "shared")
    os.link(outside / "shared", inside / "shared-2")
    (inside / "link").symlink_to(outside, target_is_directory=True)
    assert own_and_shared(tmp_path / "inside") == (110, 1000)


def test_a_folder_that_is_not_there_has_nothing(tmp_path: Path) -> None:
    assert own_and_shared(tmp_path / "none") == (0, 0)


def test_an_environment_that_is_a_link_is_not_measured(tmp_path: Path) -> None:
    (tmp_path / "venv").symlink_to("/", target_is_directory=True)
    assert own_and_shared(tmp_path / "venv") == (0, 0)
