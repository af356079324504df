from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from envsmith.usage import parallel
from envsmith.usage.parallel import parallel_map, worker_count

APART = """\
import os, sys
from envsmith.usage import parallel as forked
forked.WORTH_IT, forked.BLOCK = 1, 2
forked.worker_count = lambda: 3
"""
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")


def run(script: str) -> str:
    """Run a script in a process of its own, which has one thread."""
    done = subprocess.run(
        [sys.executable, "-c", APART + script], capture_output=True, encoding="utf-8", check=False
    )
    return done.stdout + done.stderr


def test_few_items_are_done_in_one_call() -> None:
    calls: list[int] = []

    def work(items: object) -> list[int]:
        assert isinstance(items, list)
        calls.append(len(items))
        return [item * 2 for item in items]

    assert parallel_map(work, [1, 2, 3]) == [2, 4, 6]
    assert calls == [3]
    assert parallel_map(work, []) == []


def test_results_come_in_the_order_of_the_items_from_several_processes() -> None:
    script = "found = forked.parallel_map(lambda items: [(n, os.getpid()) for n in items], list(range(20)))\n"
    script += "print([n for n, _ in found] == list(range(20)), len({pid for _, pid in found}))\n"
    assert run(script) == "True 3\n"


def test_what_is_not_needed_stays_none() -> None:
    assert run("print(forked.parallel_map(lambda items: items[:1], list(range(6))))\n") == (
        "[0, None, 2, None, 4, None]\n"
    )


def test_what_a_child_fails_to_do_is_done_here() -> None:
    script = (
        "me = os.getpid()\n"
        "def work(items):\n"
        "    if os.getpid() != me and 2 in items: os._exit(0)\n"
        "    if os.getpid() != me: raise ValueError\n"
        "    return list(items)\n"
        "print(forked.parallel_map(work, list(range(6))))\n"
    )
    assert run(script) == "[0, 1, 2, 3, 4, 5]\n"


def test_an_error_here_ends_the_children_and_is_seen() -> None:
    script = (
        "import time\nme = os.getpid()\n"
        "def work(items):\n"
        "    if os.getpid() != me: time.sleep(600)\n"
        "    raise KeyError('here')\n"
        "try: forked.parallel_map(work, list(range(6)))\n"
        "except KeyError as error: print(error)\n"
        "try: os.waitpid(-1, os.WNOHANG)\n"
        "except ChildProcessError: print('none left')\n"
    )
    assert run(script) == "'here'\nnone left\n"


def test_a_process_with_threads_is_not_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()
    other = threading.Thread(target=stop.wait)
    other.start()
    try:
        assert worker_count() == 1
    finally:
        stop.set()
        other.join()
    monkeypatch.setattr(parallel, "_THREADS", "/nowhere")
    assert worker_count() == 1


def test_a_process_of_one_thread_takes_the_processors_it_may_use() -> None:
    script = "import importlib; importlib.reload(forked); print(forked.worker_count())\n"
    assert run(script) == f"{min(len(os.sched_getaffinity(0)), parallel.MOST_WORKERS)}\n"
