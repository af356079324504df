"""Child programs: ended with all that they start (POSIX session, Windows job object), and their bounded outputs."""

from __future__ import annotations

import locale
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

GRACE_S = 1.0
"""Time for a program to end by itself after SIGTERM."""
_POLL_S = 0.02
CHUNK_BYTES = 65_536
DRAIN_TIMEOUT_S = 5.0
"""How long outputs are read after the end of a program: its children may hold them open."""


def start_group(
    arguments: Sequence[str],
    env: Mapping[str, str],
    cwd: Path | None = None,
    handles: Collection[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a program in a group of its own, without standard input, with outputs to be read.

    Interrupts of the terminal reach this process alone, which ends the program. On POSIX the program has no terminal:
    `git` and others fail instead of waiting for an answer to a question that nobody sees.

    Args:
        arguments: program and arguments.
        env: its complete environment.
        cwd: its working directory.
        handles: open files to pass on (POSIX).

    Raises:
        OSError: when it cannot be started.
    """
    process = subprocess.Popen(  # noqa: S603 - a list of arguments, without a shell
        arguments,
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=os.name != "nt",
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        pass_fds=tuple(handles),
    )
    if sys.platform == "win32":
        _put_into_job(process)
    return process


if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    _EXTENDED_LIMITS = 9  # JobObjectExtendedLimitInformation
    _KILL_ON_CLOSE = 0x2000  # JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
    # JOBOBJECT_EXTENDED_LIMIT_INFORMATION of 64-bit Windows: its size in bytes, and the place of LimitFlags.
    _LIMITS_BYTES, _FLAGS_AT = 144, 16
    _jobs: dict[int, wintypes.HANDLE] = {}
    _kernel = ctypes.WinDLL("kernel32")
    _kernel.CreateJobObjectW.restype = wintypes.HANDLE

    def _put_into_job(process: subprocess.Popen[bytes]) -> None:
        """Put a program into a job, which Windows ends as soon as this process ends, however it does.

        Children that it starts before it is in the job would escape: it has that time only, less than its loading
        takes. Where Windows refuses the job, the program itself can still be ended.
        """
        job = wintypes.HANDLE(_kernel.CreateJobObjectW(None, None))
        limits = ctypes.create_string_buffer(_LIMITS_BYTES)
        ctypes.memmove(ctypes.byref(limits, _FLAGS_AT), _KILL_ON_CLOSE.to_bytes(4, "little"), 4)
        _kernel.SetInformationJobObject(job, _EXTENDED_LIMITS, limits, _LIMITS_BYTES)
        _kernel.AssignProcessToJobObject(job, wintypes.HANDLE(int(process._handle)))  # type: ignore[attr-defined]  # noqa: SLF001 - has no public name
        _jobs[process.pid] = job

    def end_groups(running: Collection[subprocess.Popen[bytes]]) -> None:
        """End programs with all that they started; Windows has no signal that asks them to."""
        for process in running:
            if job := _jobs.pop(process.pid, None):
                _kernel.TerminateJobObject(job, 1)
                _kernel.CloseHandle(job)
            process.kill()

else:

    def end_groups(running: Collection[subprocess.Popen[bytes]]) -> None:
        """End programs with all that they started: SIGTERM, and SIGKILL for those that are left after `GRACE_S`."""
        alive = [process for process in running if process.poll() is None]
        started = _descendants(alive)
        _signal_all(alive, started, signal.SIGTERM)
        until = time.monotonic() + GRACE_S
        while any(process.poll() is None for process in alive) and time.monotonic() < until:
            time.sleep(_POLL_S)
        # A program may end before its children do, and start others until it ends.
        _signal_all(running, started | _descendants(alive), signal.SIGKILL)

    def _signal_all(
        leaders: Collection[subprocess.Popen[bytes]], started: Mapping[int, str], number: int
    ) -> None:
        for process in leaders:
            with suppress(ProcessLookupError, PermissionError):  # all of them have ended
                os.killpg(process.pid, number)
        for pid, birth in started.items():
            # The number may belong to another process by now.
            if _stat(pid)[2:] == (birth,):
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)

    def _descendants(ancestors: Collection[subprocess.Popen[bytes]]) -> dict[int, str]:
        """Return the start times of all processes that others started, also in groups of their own (Linux only)."""
        if not ancestors or sys.platform != "linux":
            return {}
        known = {process.pid for process in ancestors}
        stats = {int(name): _stat(int(name)) for name in os.listdir("/proc") if name.isdecimal()}  # noqa: PTH208
        found: dict[int, str] = {}
        while more := {
            pid: birth
            for pid, (parent, session, birth) in stats.items()
            if pid not in known and (parent in known or session in known)
        }:
            found |= more
            known |= more.keys()
        return found

    def _stat(pid: int) -> tuple[int, int, str]:
        """Return parent, session and start time of a process; zeros and "" if it has ended."""
        try:
            with open(f"/proc/{pid}/stat", "rb") as stream:  # noqa: PTH123 - called for each process of the machine
                words = stream.read().rpartition(b")")[2].split()
        except OSError:
            return 0, 0, ""
        return int(words[1]), int(words[3]), words[19].decode()


@dataclass
class Tail:
    """The last bytes of a stream."""

    most_bytes: int
    chunks: deque[bytes] = field(default_factory=deque)
    size: int = 0
    is_cut: bool = False

    def add(self, data: bytes) -> None:
        """Append bytes, and drop the oldest ones beyond the limit."""
        self.chunks.append(data)
        self.size += len(data)
        while self.size - len(self.chunks[0]) >= self.most_bytes:
            self.size -= len(self.chunks.popleft())
            self.is_cut = True

    @property
    def text(self) -> str:
        """The bytes kept, as text: UTF-8, or on Windows else the system's code page."""
        data = b"".join(self.chunks)
        # The cut may have parted the bytes of a character.
        whole = data[:3].lstrip(bytes(range(0x80, 0xC0))) + data[3:] if self.is_cut else data
        try:
            text = whole.decode()
        except UnicodeDecodeError:
            text = data.decode(locale.getencoding() if sys.platform == "win32" else "utf-8", "replace")
        return text.replace("\r\n", "\n")


def read_outputs(
    process: subprocess.Popen[bytes], tails: Sequence[Tail], on_excess: Callable[[], None] | None = None
) -> list[threading.Thread]:
    """Read both outputs of a program in threads.

    Args:
        process: started with pipes.
        tails: filled with stdout and stderr.
        on_excess: called as soon as an output is longer than its tail.
    """
    streams = (process.stdout, process.stderr)
    threads = [
        threading.Thread(target=_read, args=(source, tail, on_excess), daemon=True)
        for source, tail in zip(streams, tails, strict=True)
    ]
    for thread in threads:
        thread.start()
    return threads


def join_all(threads: Iterable[threading.Thread], timeout_s: float = DRAIN_TIMEOUT_S) -> None:
    """Wait for threads, for some seconds altogether."""
    until = time.monotonic() + timeout_s
    for thread in threads:
        thread.join(max(until - time.monotonic(), 0.0))


def _read(source: IO[bytes], tail: Tail, on_excess: Callable[[], None] | None) -> None:
    with source:
        while data := source.read1(CHUNK_BYTES):  # type: ignore[attr-defined]
            tail.add(data)
            if tail.is_cut and on_excess:
                on_excess()
                return
