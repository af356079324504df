"""Deadlines: a time limit for a group of network operations, also when one of them hangs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from queue import Empty, SimpleQueue
from typing import TypeVar

from envsmith.errors import ToolError

C = TypeVar("C")
T = TypeVar("T")
_SLICE_S = 0.5
"""Windows interrupts no wait for another thread: Ctrl-C is noticed between two of them."""


class DeadlineError(ToolError):
    """TOL031: a deadline has passed."""


class Deadline:
    """A moment after which work stops.

    Args:
        seconds: time from now.
        clock: monotonic seconds.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._end = clock() + seconds

    def remaining_s(self) -> float:
        """Return the seconds left, never below zero."""
        return max(0.0, self._end - self._clock())

    def check(self, where: str) -> None:
        """Raise an error if the time is over.

        Raises:
            DeadlineError: TOL031 when no time is left.
        """
        if self.remaining_s() <= 0:
            raise self.error(where)

    def error(self, where: str) -> DeadlineError:
        """Return the error for a passed deadline."""
        return DeadlineError(
            "TOL031",
            f"no complete answer within {self.seconds:g} s",
            where=where,
            hint="try again, name a nearer mirror with --index-base, or use --catalog embedded",
        )


def run_all(
    tasks: Sequence[Callable[[C], T]],
    open_client: Callable[[], AbstractContextManager[C]],
    deadline: Deadline,
    *,
    workers: int = 8,
) -> list[T | Exception | None]:
    """Run tasks in parallel and return the result or exception of each, None where the time ran out.

    The threads are daemons: a name lookup or a connection that hangs delays neither the caller nor the exit of
    the program.

    Args:
        tasks: each gets the client of its thread.
        open_client: opens one client per thread.
        deadline: end of waiting.
        workers: most threads at once.
    """
    todo: SimpleQueue[tuple[int, Callable[[C], T]]] = SimpleQueue()
    done: SimpleQueue[tuple[int, T | Exception]] = SimpleQueue()
    stop = threading.Event()
    for item in enumerate(tasks):
        todo.put(item)

    def work() -> None:
        try:
            with open_client() as client:
                while not stop.is_set():
                    try:
                        number, task = todo.get_nowait()
                    except Empty:
                        return
                    done.put((number, _outcome(task, client)))
        except Exception as error:  # noqa: BLE001 - without a client no task would ever have an outcome
            with suppress(Empty):
                while True:
                    done.put((todo.get_nowait()[0], error))

    for _ in range(min(workers, len(tasks))):
        threading.Thread(target=work, daemon=True).start()
    outcomes: list[T | Exception | None] = [None] * len(tasks)
    try:
        for _ in tasks:
            number, outcome = _next(done, deadline)
            outcomes[number] = outcome
    except Empty:
        pass  # the deadline has passed: tasks without an outcome stay None
    finally:
        stop.set()
    return outcomes


def _next(queue: SimpleQueue[T], deadline: Deadline) -> T:
    left_s = deadline.remaining_s()
    while left_s > _SLICE_S:
        with suppress(Empty):
            return queue.get(timeout=_SLICE_S)
        left_s -= _SLICE_S
    return queue.get(timeout=left_s)


def _outcome(task: Callable[[C], T], client: C) -> T | Exception:
    try:
        return task(client)
    except Exception as error:  # noqa: BLE001 - handed to the caller's thread, which raises it
        return error
