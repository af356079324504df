"""Programs with bounded output: run with a timeout, or attached to the terminal while the last output is kept."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from envsmith.process.children import CHUNK_BYTES, DRAIN_TIMEOUT_S, Tail, join_all, read_outputs
from envsmith.process.runner import Processes, start_piped, wait_for, wait_until

MAX_BYTES = 400_000
"""Kept of each output stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TailedProgram:
    """Exit status and last output of a program."""

    status: int
    text: str


def run_teed(
    command: Sequence[str], variables: Mapping[str, str], drain_timeout_s: float = DRAIN_TIMEOUT_S
) -> TailedProgram:
    """Run a program attached to this terminal, pass its output on at once, and keep the end of it.

    Args:
        command: program and arguments.
        variables: its complete environment.
        drain_timeout_s: seconds to read its outputs after its end.

    Raises:
        ToolError: TOL001 when it cannot be started.
    """
    tails = (Tail(MAX_BYTES), Tail(MAX_BYTES))
    with start_piped(command, variables) as process:
        streams = ((process.stdout, sys.stdout, tails[0]), (process.stderr, sys.stderr, tails[1]))
        threads = [
            threading.Thread(target=_pass_on, args=(source, target.buffer, tail), daemon=True)
            for source, target, tail in streams
            if source
        ]
        for thread in threads:
            thread.start()
        status = wait_for(process)
        until = time.monotonic() + drain_timeout_s
        for thread in threads:
            thread.join(max(until - time.monotonic(), 0.0))
    return TailedProgram(status=status, text="\n".join(tail.text for tail in tails))


def _pass_on(source: IO[bytes], target: BinaryIO, tail: Tail) -> None:
    with source:
        while data := source.read1(CHUNK_BYTES):  # type: ignore[attr-defined]
            tail.add(data)
            try:
                target.write(data)
                target.flush()
            except (OSError, ValueError):  # our reader closed the pipe; the program still runs to its end
                continue


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedProgram:
    """Exit status and output of a program."""

    status: int
    """Below 0: minus the signal that ended it."""
    timed_out: bool
    stdout: str
    stderr: str


def run_with_timeout(
    processes: Processes, command: Sequence[str | Path], *, env: Mapping[str, str], timeout_s: float
) -> CapturedProgram:
    """Run a program in a process group of its own until it ends or times out.

    Args:
        processes: starts the program.
        command: program and arguments.
        env: its complete environment.
        timeout_s: seconds until the group is killed.

    Raises:
        ToolError: TOL001 when it cannot be started.
    """
    tails = (Tail(MAX_BYTES), Tail(MAX_BYTES))
    with processes.group(command, env=env, inherits=False) as process:
        threads = read_outputs(process, tails)
        timed_out = not wait_until(process, timeout_s)
    join_all(threads)
    return CapturedProgram(
        status=process.returncode, timed_out=timed_out, stdout=tails[0].text, stderr=tails[1].text
    )
