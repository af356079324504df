"""Hold work to a total time, whatever the network does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from queue import Empty, SimpleQueue
from typing import TypeVar

from envsmith.errors import ToolError

C = TypeVar("C")
T = TypeVar("T")


class Deadline:
    """A moment after which work stops.

    Args:
        seconds: time from now.
        clock: seconds that only grow.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._end = clock() + seconds

    def remaining_s(self) -> float:
        """Return the seconds left, never below zero."""
        return max(0.0, self._end - self._clock())

    def check(self, where: str) -> None:
        """Stop when the time is over.

        Raises:
            ToolError: TOL031 when no time is left.
        """
        if self.remaining_s() <= 0:
            raise self.passed(where)

    def passed(self, where: str) -> ToolError:
        """Return the error that says the time is over."""
        return ToolError(
            "TOL031",
            f"no complete answer within {self.seconds:g} s",
            where=where,
            hint="try again, name a nearer mirror with --index-base, or use --catalog embedded",
        )


def run_all(
    tasks: Sequence[Callable[[C], T]],
    opened: Callable[[], AbstractContextManager[C]],
    deadline: Deadline,
    *,
    workers: int = 8,
) -> list[T | Exception | None]:
    """Run tasks side by side and return what each gave, raised, or None where the time ran out first.

    The threads are daemons: a name look-up or a connection that hangs holds back neither the caller nor the
    end of the program.

    Args:
        tasks: each gets the client of its thread.
        opened: opens one client per thread.
        deadline: waiting ends with it.
        workers: most threads at once.
    """
    todo: SimpleQueue[tuple[int, Callable[[C], T]]] = SimpleQueue()
    done: SimpleQueue[tuple[int, T | Exception]] = SimpleQueue()
    stop = threading.Event()
    for item in enumerate(tasks):
        todo.put(item)

    def work() -> None:
        with opened() as client:
            while not stop.is_set():
                try:
                    number, task = todo.get_nowait()
                except Empty:
                    return
                done.put((number, _outcome(task, client)))

    for _ in range(min(workers, len(tasks))):
        threading.Thread(target=work, daemon=True).start()
    outcomes: list[T | Exception | None] = [None] * len(tasks)
    try:
        for _ in tasks:
            number, outcome = done.get(timeout=deadline.remaining_s())
            outcomes[number] = outcome
    except Empty:
        pass
    finally:
        stop.set()
    return outcomes


def _outcome(task: Callable[[C], T], client: C) -> T | Exception:
    try:
        return task(client)
    except Exception as error:  # noqa: BLE001 - handed to the caller's thread, which raises it
        return error
