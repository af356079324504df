"""Killed or broken off at any moment, a lock leaves the previous locks or the new ones, whole."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.lock_states import LockStates

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and signals process groups")
MOMENTS = int(os.environ.get("ENVSMITH_TEST_KILLS", "5"))
# Counts what is about to be written, renamed or removed in the lock folder, and ends the process before the nth.
HOOK = """
import os, signal, sys
left = int(os.environ["KILL_BEFORE"])
seen = []
def watch(event, args):
    global left
    writes = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if not writes and event not in ("os.rename", "os.remove"):
        return
    if not any("lockfiles" in os.fspath(arg) for arg in args[:2] if isinstance(arg, (str, os.PathLike))):
        return
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    with open(os.environ["SEEN"], "a") as stream:
        stream.write(event + "\\n")
sys.addaudithook(watch)
"""


def test_killed_at_moments_spread_over_the_run(states: LockStates) -> None:
    begun = time.monotonic()
    with states.started(*states.command(states.other(states.found()))) as run:
        assert run.end()[0] == 0
    length_s = time.monotonic() - begun
    seen: Counter[str] = Counter()
    for number in range(MOMENTS):
        before = states.found()
        with states.started(*states.command(states.other(before))) as run:
            time.sleep(length_s * (number + 0.5) / MOMENTS)
            run.send(signal.SIGKILL, to_group=bool(number % 2))
            status, _ = run.end()
        after = states.found()
        assert states.is_current(after)
        seen["old" if after is before else "new"] += 1
        seen["killed" if status == -signal.SIGKILL else "ended before"] += 1
    assert not states.is_current(states.other(states.found())), "a check that cannot say no shows nothing"
    assert seen["killed"] >= MOMENTS // 2
    assert seen["old"]


def test_killed_before_each_write_of_the_lock_folder(states: LockStates, tmp_path: Path) -> None:
    """Every single file operation is a moment: the write of each new file, the journal, each rename and removal."""
    seen: Counter[str] = Counter()
    moment = 0
    while True:
        moment += 1
        before = states.found()
        trace = tmp_path / f"seen-{moment}"
        env = {"KILL_BEFORE": str(moment), "SEEN": str(trace)}
        with states.started(*states.command(states.other(before)), before=HOOK, env=env) as run:
            status, said = run.end()
        if status == 0:
            break
        assert status == -signal.SIGKILL, said
        after = states.found()
        seen["old" if after is before else "new"] += 1
    done = Counter(trace.read_text("utf-8").split())
    changed = sum(data != states.old.files.get(name) for name, data in states.new.files.items())
    assert done["open"] >= changed + 1
    assert done["os.rename"] >= changed + 1
    assert done["os.remove"] >= 1
    assert sum(done.values()) == moment - 1
    assert min(seen["old"], seen["new"]) >= changed
    assert states.is_current(states.found())


@contextmanager
def _silent_proxy() -> Iterator[tuple[str, threading.Event]]:
    """Accept connections and say nothing; the event tells that one has come."""
    asked, ended = threading.Event(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)

        def accept() -> None:
            kept = []
            while not ended.is_set():
                try:
                    kept.append(server.accept()[0])
                    asked.set()
                except TimeoutError:
                    continue
            for connection in kept:
                connection.close()

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}", asked
        finally:
            ended.set()
            thread.join()


@pytest.mark.parametrize(
    ("number", "to_group"),
    [
        pytest.param(signal.SIGINT, True, id="Ctrl-C in a terminal"),
        pytest.param(signal.SIGINT, False, id="SIGINT to envsmith alone"),
        pytest.param(signal.SIGTERM, False, id="SIGTERM to envsmith alone"),
        pytest.param(signal.SIGHUP, False, id="SIGHUP to envsmith alone"),
    ],
)
def test_interrupted_while_uv_waits_for_the_network(
    states: LockStates, tmp_path: Path, number: signal.Signals, *, to_group: bool
) -> None:
    project, wanted = states.project, {"backend": "cu134", "python": ["3.11", "3.12"], "platforms": ["linux"]}
    project.profile("asking", **wanted, requirements=["torch"])
    assert project.run("lock", "asking", "--offline", "--as-of", "2026-11-15").status == 0
    before = project.locks("asking")
    project.profile("asking", **wanted, requirements=["torch", "packaging"])
    with _silent_proxy() as (address, asked):
        (tmp_path / "tmp").mkdir()
        env = {"HTTPS_PROXY": address, "UV_CACHE_DIR": str(tmp_path / "uv"), "TMPDIR": str(tmp_path / "tmp")}
        with states.started("lock", "asking", env=env) as run:
            assert asked.wait(60), "uv never asked"
            run.send(number, to_group=to_group)
            # Left alone, uv tries four times for 10 s each: it must not be waited for.
            status, said = run.end(within_s=25)
    assert status == 130, said
    assert "interrupted" in said
    assert "Traceback" not in said
    assert project.locks("asking") == before
    assert not list((tmp_path / "tmp").iterdir())
