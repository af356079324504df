from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from envsmith.files.locks import try_lock

HOLDER = """
import sys, time
from pathlib import Path
from envsmith.files.locks import try_lock
with try_lock(Path(sys.argv[1])) as is_ours:
    print(is_ours, flush=True)
    time.sleep(600)
"""


def test_the_second_is_told_no(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    with try_lock(path) as first, try_lock(path) as second:
        assert (first, second) == (True, False)
    with try_lock(path) as third:
        assert third
    assert list(tmp_path.iterdir()) == []


def test_other_names_are_free(tmp_path: Path) -> None:
    with try_lock(tmp_path / "a") as first, try_lock(tmp_path / "b") as second:
        assert first
        assert second


@pytest.mark.skipif(sys.platform == "win32", reason="there the file vanishes with its process")
def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"True\n"
        with try_lock(path) as is_ours:
            assert not is_ours
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert path.exists()
    with try_lock(path) as is_ours:
        assert is_ours


def test_never_two_at_once(tmp_path: Path) -> None:
    """The file comes and goes between opening and locking: a lock of a file without a name must not count."""
    path, inside, most, taken = tmp_path / "x.lock", [0], [0], [0]
    guard = threading.Lock()

    def work() -> None:
        for _ in range(300):
            with try_lock(path) as is_ours:
                if not is_ours:
                    continue
                with guard:
                    inside[0] += 1
                    taken[0] += 1
                    most[0] = max(most[0], inside[0])
                with guard:
                    inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 1
    assert taken[0] > 0
