"""Runs a program that may hang, crash or print without end, and keeps the last of what it prints."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from envsmith.process.runner import Processes, is_ended
from envsmith.process.watching import Tail

_CHUNK = 65_536
_LAST_WORDS_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a program ended."""

    status: int
    """Below 0: minus the signal that ended it."""
    is_late: bool
    """Whether its time was over, and it was ended."""
    stdout: str
    stderr: str


def run_bounded(
    processes: Processes, command: Sequence[str | Path], *, env: Mapping[str, str], timeout_s: float
) -> Ended:
    """Run a program to its end or to the end of its time.

    Args:
        processes: what starts it.
        command: program and arguments.
        env: its whole environment.
        timeout_s: seconds it has.

    Raises:
        ToolError: TOL001 when it cannot be started.
    """
    tails = (Tail(), Tail())
    threads = []
    with processes.apart(command, env=env) as process:
        for source, tail in zip((process.stdout, process.stderr), tails, strict=True):
            thread = threading.Thread(target=_read, args=(source, tail), daemon=True)
            thread.start()
            threads.append(thread)
        is_late = not is_ended(process, timeout_s)
    for thread in threads:
        thread.join(_LAST_WORDS_S)
    return Ended(status=process.returncode, is_late=is_late, stdout=tails[0].text, stderr=tails[1].text)


def _read(source: IO[bytes], tail: Tail) -> None:
    with source:
        while data := source.read1(_CHUNK):  # type: ignore[attr-defined]
            tail.add(data)
