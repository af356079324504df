"""Shares work among the machine's processors, where that is safe and pays."""

from __future__ import annotations

import os
import pickle
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

WORTH_IT = 600
"""Items below which one process is as quick: the start of another takes as long as some hundred files."""
BLOCK = 16
"""Items that follow each other go to the same process, and the next ones to the next: folders differ in weight."""
MOST_WORKERS = 6
"""Each takes some ten megabytes of memory of its own."""
_THREADS = "/proc/self/task"

_T = TypeVar("_T")
_R = TypeVar("_R")
_Work = Callable[[Sequence[_T]], Sequence[_R]]


def mapped(work: _Work[_T, _R], items: Sequence[_T]) -> list[_R | None]:
    """Return what some work makes of each item, in their order, however many processes do it.

    Args:
        work: takes items and returns a result for each; where it ends before the last, the rest is not needed.
        items: in the order in which their results are wanted.

    Returns:
        Results by item; None for those that were not needed.
    """
    count = workers() if len(items) >= WORTH_IT else 1
    places = [[place for place in range(len(items)) if place // BLOCK % count == one] for one in range(count)]
    found = _shared([[items[place] for place in share] for share in places], work)
    results: list[_R | None] = [None] * len(items)
    for share, known in zip(places, found, strict=True):
        for place, result in zip(share, known, strict=False):
            results[place] = result
    return results


def workers() -> int:
    """Return how many processes may work side by side: one where a fork is not known to be safe.

    A fork copies the one thread that calls it, and with it the locks that other threads hold: only a process of a
    single thread is forked, and only on Linux, which tells how many there are.
    """
    if sys.platform != "linux":
        return 1
    try:
        is_alone = len(list(Path(_THREADS).iterdir())) == 1
    except OSError:
        return 1
    return min(len(os.sched_getaffinity(0)), MOST_WORKERS) if is_alone else 1


def _shared(shares: list[list[_T]], work: _Work[_T, _R]) -> list[Sequence[_R]]:
    """Do the first share in this process and each of the others in one of its own."""
    children: list[_Child[_T, _R]] = []
    try:
        for share in shares[1:]:
            children.append(_Child.start(work, share))  # noqa: PERF401 - those started must be known if one fails
        return [work(shares[0]), *(child.result() for child in children)]
    finally:
        for child in children:
            child.end()


@dataclass(kw_only=True)
class _Child(Generic[_T, _R]):
    """A copy of this process that does one share."""

    pid: int
    pipe: int
    work: _Work[_T, _R]
    share: list[_T]

    @classmethod
    def start(cls, work: _Work[_T, _R], share: list[_T]) -> _Child[_T, _R]:
        """Fork."""
        ours, theirs = os.pipe()
        pid = os.fork()
        if pid:
            os.close(theirs)
            return cls(pid=pid, pipe=ours, work=work, share=share)
        status = 1
        try:
            os.close(ours)
            with os.fdopen(theirs, "wb") as stream:
                pickle.dump(work(share), stream, pickle.HIGHEST_PROTOCOL)
            status = 0
        finally:
            os._exit(
                status
            )  # no clean-up of what is the parent's, no traceback: the parent does the share itself

    def result(self) -> Sequence[_R]:
        """Return what the child found; what one that failed leaves is done here, and fails here if it must."""
        with os.fdopen(self.pipe, "rb", closefd=False) as stream:
            data = stream.read()
        try:
            found: Sequence[_R] = pickle.loads(data)  # noqa: S301 - our own child's
        except (pickle.UnpicklingError, EOFError):
            found = self.work(self.share)
        return found

    def end(self) -> None:
        """Stop the child, if it still runs, and forget it."""
        os.close(self.pipe)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
