from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from envsmith.download.part_file import BackgroundSync


def test_a_file_is_brought_to_the_disk_when_it_grew_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = threading.Event()
    monkeypatch.setattr(os, "fsync", lambda _: synced.set())
    before = threading.active_count()
    with (tmp_path / "file").open("wb") as stream:
        sync = BackgroundSync(stream.fileno())
        sync.grew(1 << 20)
        assert threading.active_count() == before
        sync.grew(64 << 20)
        assert synced.wait(30)
        sync.close()
    assert threading.active_count() == before


def test_a_disk_that_refuses_is_not_told_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Event()

    def refuse(_: int) -> None:
        asked.set()
        raise OSError

    monkeypatch.setattr(os, "fsync", refuse)
    with (tmp_path / "file").open("wb") as stream:
        sync = BackgroundSync(stream.fileno())
        sync.grew(64 << 20)
        assert asked.wait(30)
        sync.grew(64 << 20)
        sync.close()
