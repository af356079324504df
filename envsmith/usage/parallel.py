"""Parallel map over forked processes."""

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
"""Fewest items for a second process: a fork takes as long as reading some hundred files."""
BLOCK = 16
"""Consecutive items per share: large files cluster in folders, so blocks alternate between processes."""
MOST_WORKERS = 6
"""Each process takes about 10 MB of memory."""
_THREADS = "/proc/self/task"

_T = TypeVar("_T")
_R = TypeVar("_R")
_Work = Callable[[Sequence[_T]], Sequence[_R]]


def parallel_map(work: _Work[_T, _R], items: Sequence[_T]) -> list[_R | None]:
    """Return the results of some work on items, in order, regardless of the number of processes.

    Args:
        work: maps items to results; may return early to skip the remaining items.
        items: in the order of the results.

    Returns:
        Results by item; None for skipped items.
    """
    count = worker_count() if len(items) >= WORTH_IT else 1
    places = [[place for place in range(len(items)) if place // BLOCK % count == one] for one in range(count)]
    found = _run_shares([[items[place] for place in share] for share in places], work)
    results: list[_R | None] = [None] * len(items)
    for share, known in zip(places, found, strict=True):
        for place, result in zip(share, known, strict=False):
            results[place] = result
    return results


def worker_count() -> int:
    """Return the number of processes to use: one unless a fork is known to be safe.

    A fork copies the calling thread only, with the locks held by other threads. So only single-threaded processes
    fork, and only on Linux, which reports the thread count.
    """
    if sys.platform != "linux":
        return 1
    try:
        is_alone = len(list(Path(_THREADS).iterdir())) == 1
    except OSError:
        return 1
    return min(len(os.sched_getaffinity(0)), MOST_WORKERS) if is_alone else 1


def _run_shares(shares: list[list[_T]], work: _Work[_T, _R]) -> list[Sequence[_R]]:
    """Do the first share in this process and each other share in a child."""
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
    """A forked copy of this process for one share."""

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
            )  # no parent clean-up handlers and no traceback: the parent repeats a failed share itself

    def result(self) -> Sequence[_R]:
        """Return the child's results; after a failure, compute the share here, and raise its error here."""
        with os.fdopen(self.pipe, "rb", closefd=False) as stream:
            data = stream.read()
        try:
            found: Sequence[_R] = pickle.loads(data)  # noqa: S301 - our own child's
        except (pickle.UnpicklingError, EOFError):
            found = self.work(self.share)
        return found

    def end(self) -> None:
        """Stop the child if it is running."""
        os.close(self.pipe)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
