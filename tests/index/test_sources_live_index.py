import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from envsmith.errors import CatalogError, EnvsmithError, ToolError
from envsmith.index.cache import ListingCache
from envsmith.index.reader import PyTorchIndex
from envsmith.index.sources import BACK_OFF_S, LivePyTorch
from envsmith.model.backend import Backend
from envsmith.model.listing import IndexListing
from tests.replay import ReplayIndex
from tests.replay_files import ReplayFile

CU199 = Backend.parse("cu199")
FILE = ReplayFile.made("torch", "2.20.0+cu199", "cp312-cp312-win_amd64", index="cu199")


def reader(base: str, folder: Path, tell: Callable[[EnvsmithError], None] = lambda _: None) -> LivePyTorch:
    cache = ListingCache(folder / "cache", "replayed")
    return LivePyTorch(PyTorchIndex(base, cache, wants_metadata=lambda _: True), cache, ("torch",), tell)


def read(live: LivePyTorch) -> IndexListing:
    return live.refresh("stable", CU199, None, deadline_s=20, max_age=timedelta(0))


def test_what_was_read_is_kept(tmp_path: Path) -> None:
    with ReplayIndex([FILE]) as replay:
        live = reader(replay.base, tmp_path)
        assert live.cached("stable", CU199) is None
        found = read(live)
    assert [release.version for release in found.releases("torch")] == ["2.20.0+cu199"]
    assert live.cached("stable", CU199) == found
    assert not live.is_backing_off()


def test_silent_server_is_remembered_for_a_while(tmp_path: Path) -> None:
    with ReplayIndex() as replay:
        gone = replay.base
    live = reader(gone, tmp_path)
    with pytest.raises(ToolError):
        live.refresh("stable", CU199, None, deadline_s=1, max_age=timedelta(0))
    assert live.is_backing_off()
    past = time.time() - BACK_OFF_S - 1
    os.utime(live._mark_path(), (past, past))
    assert not live.is_backing_off()


def test_answer_ends_the_memory_of_silence(tmp_path: Path) -> None:
    with ReplayIndex([FILE]) as replay:
        live = reader(replay.base, tmp_path)
        live._mark(is_unreachable=True)
        assert live.is_backing_off()
        read(live)
    assert not live.is_backing_off()


def test_index_that_is_not_there_is_no_silence(tmp_path: Path) -> None:
    with ReplayIndex([FILE]) as replay:
        live = reader(replay.base, tmp_path)
        with pytest.raises(CatalogError):
            live.refresh("stable", Backend.parse("cu999"), None, deadline_s=20, max_age=timedelta(0))
    assert not live.is_backing_off()


def test_cache_that_cannot_be_written_remembers_nothing(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way", "utf-8")
    live = reader("http://127.0.0.1:9/whl", tmp_path)
    live._mark(is_unreachable=True)
    assert not live.is_backing_off()
