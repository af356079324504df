from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from envsmith.files.own_folder import MARK, has_mark, make_marked
from envsmith.install.prefetch import KEPT_DAYS, touch_and_evict


def aged(folder: Path, days: int) -> Path:
    make_marked(folder, folder.name)
    (folder / "a-1-py3-none-any.whl").touch()
    then = time.time() - days * 86400
    os.utime(folder, (then, then))
    return folder


def test_what_nobody_used_for_long_goes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine, fresh, old = (
        aged(tmp_path / name, days)
        for name, days in (("mine", KEPT_DAYS + 1), ("fresh", KEPT_DAYS - 1), ("old", KEPT_DAYS + 1))
    )
    touch_and_evict(mine)
    touch_and_evict(tmp_path / "new")
    assert sorted(tmp_path.iterdir()) == [fresh, mine, tmp_path / "new"]
    assert len(list(mine.iterdir())) == 2
    assert not old.exists()
    assert capsys.readouterr().err == f"removed {old}: unused for {KEPT_DAYS} days\n"
    assert has_mark(tmp_path / "new", "new")


@pytest.mark.skipif(sys.platform == "win32", reason="makes symbolic links")
def test_what_envsmith_did_not_make_stays_however_old(tmp_path: Path) -> None:
    precious = aged(tmp_path / "precious", KEPT_DAYS + 1)
    cached = tmp_path / "cache"
    cached.mkdir()
    (cached / "precious").symlink_to(precious)
    aged(cached / "copy", KEPT_DAYS + 1)
    (cached / "copy" / MARK).write_text("another\n", "utf-8")
    (cached / "theirs").mkdir()
    (cached / "theirs" / "file").touch()
    for name in ("copy", "theirs"):
        os.utime(cached / name, (0, 0))
    touch_and_evict(cached / "new")
    assert sorted(path.name for path in cached.iterdir()) == ["copy", "new", "precious", "theirs"]
    assert len(list(precious.iterdir())) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="makes symbolic links")
@pytest.mark.parametrize("exists", [True, False])
def test_a_link_in_the_place_of_a_wheelhouse_is_replaced(tmp_path: Path, *, exists: bool) -> None:
    precious = tmp_path / "precious"
    if exists:
        aged(precious, KEPT_DAYS + 1)
    before = precious.stat() if exists else None
    house = tmp_path / "cache" / "house"
    house.parent.mkdir()
    house.symlink_to(precious)
    touch_and_evict(house)
    assert has_mark(house, "house")
    assert (precious.stat() if precious.exists() else None) == before


def test_where_nothing_can_be_noted_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    touch_and_evict(tmp_path / "file" / "house")
    assert (tmp_path / "file").is_file()
