from __future__ import annotations

import _thread
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from envsmith.errors import ToolError
from envsmith.net.deadline import Deadline, run_all


def test_a_deadline_passes_with_its_clock() -> None:
    times = iter([100.0, 101.0, 104.0, 104.0])
    deadline = Deadline(3, clock=lambda: next(times))
    assert deadline.remaining_s() == 2.0
    assert deadline.remaining_s() == 0.0
    with pytest.raises(ToolError) as caught:
        deadline.check("page")
    assert (caught.value.code, caught.value.where) == ("TOL031", "page")
    assert "within 3 s" in caught.value.message


@contextmanager
def client() -> Iterator[str]:
    yield "client"


def answer(number: int) -> Callable[[str], str]:
    return lambda name: f"{name} {number}"


def test_results_come_in_the_order_of_the_tasks() -> None:
    outcomes = run_all([answer(number) for number in range(20)], client, Deadline(20), workers=3)
    assert outcomes == [f"client {number}" for number in range(20)]


def test_no_tasks_open_no_client() -> None:
    def never() -> Iterator[str]:
        raise AssertionError

    assert run_all([], contextmanager(never), Deadline(20)) == []


def test_a_failing_task_fails_alone() -> None:
    def fail(_: str) -> str:
        raise ToolError("TOL030", "no")

    first, second = run_all([fail, answer(1)], client, Deadline(20))
    assert isinstance(first, ToolError)
    assert second == "client 1"


def test_waiting_ends_with_the_deadline_though_a_task_hangs() -> None:
    release, started = threading.Event(), threading.Event()
    daemons: list[bool] = []

    def hang(_: str) -> str:
        daemons.append(threading.current_thread().daemon)
        started.set()
        release.wait(120)
        return "late"

    answered = threading.Event()

    def answers(name: str) -> str:
        answered.set()
        return answer(1)(name)

    # The time is over once the other task has answered, however slow the machine is.
    deadline = Deadline(20, clock=lambda: 19.0 if answered.is_set() and started.is_set() else 0.0)
    outcomes = run_all([hang, answers], client, deadline, workers=2)
    release.set()
    assert outcomes == [None, "client 1"]
    assert started.is_set()
    assert daemons == [True]


def test_a_client_is_opened_once_per_thread_and_closed() -> None:
    opened: list[str] = []
    closed = threading.Semaphore(0)

    @contextmanager
    def counted() -> Iterator[str]:
        opened.append("x")
        yield "client"
        closed.release()

    run_all([answer(number) for number in range(9)], counted, Deadline(20), workers=2)
    assert all(closed.acquire(timeout=20) for _ in range(2))
    assert len(opened) == 2


def test_tasks_fail_if_no_client_can_be_opened() -> None:
    """Without an outcome of each task, a download waited for 30 days."""

    def refuse() -> AbstractContextManager[str]:
        raise OSError("no client")

    outcomes = run_all([answer(number) for number in range(3)], refuse, Deadline(20), workers=2)
    assert [str(outcome) for outcome in outcomes] == ["no client"] * 3


def test_an_interrupt_ends_the_wait_of_the_main_thread() -> None:
    """On Windows a wait for another thread goes on after Ctrl-C; so does it here with `interrupt_main`."""
    release = threading.Event()

    def hang(_: str) -> str:
        time.sleep(0.3)
        _thread.interrupt_main()
        release.wait(60)
        return "late"

    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_all([hang], client, Deadline(60))
    release.set()
    assert time.monotonic() - begun < 20
