"""Runs a program that may hang, crash or print without end, and keeps the last of what it prints.

Runs a program as it would run by itself, and keeps the end of what it prints.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO

from envsmith.process.runner import Processes, is_ended, watched

MOST_BYTES = 400_000
_CHUNK = 65_536
_LAST_WORDS_S = 5.0


@dataclass
class Tail:
    """The last bytes of a stream, while they pass by."""

    parts: deque[bytes] = field(default_factory=deque)
    size: int = 0

    def add(self, data: bytes) -> None:
        """Keep some more, and let go of the first."""
        self.parts.append(data)
        self.size += len(data)
        while self.size - len(self.parts[0]) >= MOST_BYTES:
            self.size -= len(self.parts.popleft())

    @property
    def text(self) -> str:
        """What is kept, as text."""
        return b"".join(self.parts).decode("utf-8", "replace").replace("\r\n", "\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class TailedProgram:
    """How a program ended, and the end of what it printed."""

    status: int
    text: str


def watch(
    command: Sequence[str], variables: Mapping[str, str], last_words_s: float = _LAST_WORDS_S
) -> TailedProgram:
    """Run a program with this terminal's input, pass on what it prints at once, and keep the end of that.

    Args:
        command: program and arguments.
        variables: its whole environment.
        last_words_s: for how long its outputs are read when it has ended: what it left behind may hold them open.

    Raises:
        ToolError: TOL001 when it cannot be started.
    """
    tails = (Tail(), Tail())
    with watched(command, variables) as process:
        pairs = ((process.stdout, sys.stdout, tails[0]), (process.stderr, sys.stderr, tails[1]))
        threads = [
            threading.Thread(target=_pass_on, args=(source, target.buffer, tail), daemon=True)
            for source, target, tail in pairs
            if source
        ]
        for thread in threads:
            thread.start()
        status = _waited(process.wait)
        until = time.monotonic() + last_words_s
        for thread in threads:
            thread.join(max(until - time.monotonic(), 0.0))
    return TailedProgram(status=status, text="\n".join(tail.text for tail in tails))


def _waited(wait: Callable[[], int]) -> int:
    """Wait for the program's own end: an interruption reaches it, too, and it says itself when it is done."""
    while True:
        try:
            return wait()
        except KeyboardInterrupt:
            continue


def _pass_on(source: IO[bytes], target: BinaryIO, tail: Tail) -> None:
    with source:
        while data := source.read1(_CHUNK):  # type: ignore[attr-defined]
            tail.add(data)
            try:
                target.write(data)
                target.flush()
            except (OSError, ValueError):  # the reader went away; the program is to end by itself
                continue


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedProgram:
    """How a program ended."""

    status: int
    """Below 0: minus the signal that ended it."""
    is_late: bool
    """Whether its time was over, and it was ended."""
    stdout: str
    stderr: str


def run_bounded(
    processes: Processes, command: Sequence[str | Path], *, env: Mapping[str, str], timeout_s: float
) -> CapturedProgram:
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
    return CapturedProgram(
        status=process.returncode, is_late=is_late, stdout=tails[0].text, stderr=tails[1].text
    )


def _read(source: IO[bytes], tail: Tail) -> None:
    with source:
        while data := source.read1(_CHUNK):  # type: ignore[attr-defined]
            tail.add(data)
