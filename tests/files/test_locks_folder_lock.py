from __future__ import annotations

import threading
from pathlib import Path

from envsmith.files.locks import lock_directory


def test_the_second_waits_for_the_first(tmp_path: Path) -> None:
    order: list[str] = []
    started = threading.Event()

    def second() -> None:
        started.set()
        with lock_directory(tmp_path):
            order.append("second")

    thread = threading.Thread(target=second)
    with lock_directory(tmp_path):
        thread.start()
        started.wait()
        thread.join(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_nothing_is_left_in_the_folder(tmp_path: Path) -> None:
    with lock_directory(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_folders_do_not_wait_for_each_other(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with lock_directory(tmp_path), lock_directory(tmp_path / "a"):
        pass
