from __future__ import annotations

import os
import time
from pathlib import Path

from envsmith.install.prefetch import KEPT_DAYS, touch_and_evict


def aged(folder: Path, days: int) -> Path:
    folder.mkdir()
    (folder / "a-1-py3-none-any.whl").touch()
    then = time.time() - days * 86400
    os.utime(folder, (then, then))
    return folder


def test_what_nobody_used_for_long_goes(tmp_path: Path) -> None:
    mine, fresh, old = (
        aged(tmp_path / name, days)
        for name, days in (("mine", KEPT_DAYS + 1), ("fresh", KEPT_DAYS - 1), ("old", KEPT_DAYS + 1))
    )
    touch_and_evict(mine)
    touch_and_evict(tmp_path / "new")
    assert sorted(tmp_path.iterdir()) == [fresh, mine, tmp_path / "new"]
    assert len(list(mine.iterdir())) == 1
    assert not old.exists()


def test_where_nothing_can_be_noted_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    touch_and_evict(tmp_path / "file" / "house")
    assert (tmp_path / "file").is_file()
