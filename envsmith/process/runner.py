"""Start of other programs, always without a shell; no other module starts one."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakSet

from envsmith.errors import ToolError, redact
from envsmith.model.windows_errors import KNOWN, reason_of, windows_error
from envsmith.process import signals
from envsmith.process.children import Tail, end_groups, join_all, read_outputs, start_group
from envsmith.process.exit_status import cause_of, describe, exit_code
from envsmith.process.windows_start import words_to_start

_OF_WINDOWS = (
    *("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "NUMBER_OF_PROCESSORS", "TEMP", "TMP"),
    *("PROGRAMDATA", "PROGRAMFILES", "PROGRAMFILES(X86)", "PROGRAMW6432", "USERNAME", "USERPROFILE"),
    *("APPDATA", "LOCALAPPDATA", "PROCESSOR_"),
)
"""Variables that programs need on Windows; the last one is a prefix. Without PROCESSOR_ARCHITECTURE, Python 3.11 and
older do not know their machine; without SYSTEMROOT no program starts."""
_log = logging.getLogger(__name__)
MOST_OUTPUT_BYTES = 64_000_000
"""Most output of a program that is read as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletedProgram:
    """Exit status and output of a program."""

    status: int
    stdout: str
    stderr: str


class Processes:
    """Starts programs, each in a group of its own; `close` ends those still running, and so does a signal."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._mutex = threading.Lock()
        self._closed = False
        self._inherited_handles: set[int] = set()
        _instances.add(self)

    @contextmanager
    def passing_on(self, handle: int | None) -> Iterator[None]:
        """Pass an open file to the programs started in the block, so that they keep its lock if this process dies."""
        if handle is None:
            yield
            return
        self._inherited_handles.add(handle)
        try:
            yield
        finally:
            self._inherited_handles.discard(handle)

    def run(
        self,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        timeout_s: float,
        cwd: Path | None = None,
    ) -> CompletedProgram:
        """Run a program to its end, without standard input.

        Args:
            command: program and arguments.
            env: its complete environment.
            timeout_s: seconds until it is ended.
            cwd: its working directory.

        Raises:
            ToolError: TOL001 when it cannot be started, TOL002 after the timeout, TOL003 after `close`, TOL004 for
                output beyond `MOST_OUTPUT_BYTES`.
        """
        tails = (Tail(MOST_OUTPUT_BYTES), Tail(MOST_OUTPUT_BYTES))
        with self.group(command, env=env, cwd=cwd) as process:
            threads = read_outputs(process, tails, on_excess=process.kill)
            timed_out = not wait_until(process, timeout_s)
        join_all(threads)
        where = " ".join(str(word) for word in command[:3])
        if any(tail.is_cut for tail in tails):
            raise ToolError(
                "TOL004",
                f"more than {MOST_OUTPUT_BYTES // 1_000_000} MB of output; the program was ended",
                where=where,
                hint="check that it is the program its name says",
            )
        if timed_out:
            raise ToolError(
                "TOL002",
                f"timeout after {timeout_s:.0f} s",
                where=where,
                hint="try again with a faster network; downloaded files are in the cache",
            )
        return CompletedProgram(status=process.returncode, stdout=tails[0].text, stderr=tails[1].text)

    @contextmanager
    def group(
        self,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        cwd: Path | None = None,
        inherits: bool = True,
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Start a program in a group of its own, with outputs to be read in the block.

        At the end of the block it is ended with all that it started.

        Args:
            command: program and arguments.
            env: its complete environment.
            cwd: its working directory.
            inherits: whether it gets the handles of `passing_on`; programs of users do not.

        Raises:
            ToolError: TOL001 when it cannot be started, TOL003 after `close`.
        """
        arguments = [str(word) for word in command]
        _log.debug("run %s", [redact(word) for word in arguments])
        with self._mutex, signals.held():
            if self._closed:
                raise ToolError("TOL003", "interrupted before it was started", where=arguments[0])
            try:
                handles = self._inherited_handles if inherits else ()
                process = start_group(words_to_start(arguments, env), env, cwd, handles)
            except (OSError, ValueError) as error:
                raise start_error(arguments[0], error) from error
            self._running.add(process)
        try:
            yield process
        finally:
            end_groups([process])
            process.wait()
            with self._mutex:
                self._running.discard(process)

    def close(self) -> None:
        """End all running programs with all that they started, and refuse to start others."""
        with self._mutex:
            self._closed = True
            running = list(self._running)
        end_groups(running)


_instances: WeakSet[Processes] = WeakSet()


def _close_all() -> None:
    for processes in list(_instances):
        processes.close()


signals.at_interrupt(_close_all)


def wait_until(process: subprocess.Popen[bytes], timeout_s: float) -> bool:
    """Wait for a program; return whether it ended within the timeout."""
    # `Popen.wait` with a timeout looks every 50 ms; without one it returns at once.
    waiter = threading.Thread(target=process.wait, daemon=True)
    waiter.start()
    waiter.join(timeout_s)
    return not waiter.is_alive()


def run_attached(command: Sequence[str], env: Mapping[str, str]) -> int:
    """Run a program attached to this terminal, name the cause of a crash, and return its exit status."""
    with subprocess.Popen(words_to_start(command, env), env=dict(env)) as process:  # noqa: S603 - without a shell
        signals.pass_to(process)
        try:
            status = wait_for(process)
        finally:
            signals.pass_to(None)
    if cause_of(status):
        with suppress(OSError):  # the reader of the output has gone
            sys.stderr.write(f"{command[0]} ended with {describe(status)}\n")
    return exit_code(status)


def wait_for(process: subprocess.Popen[bytes]) -> int:
    """Wait for the end of a program; it receives an interrupt of the terminal as well and decides itself."""
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


@contextmanager
def start_piped(command: Sequence[str], env: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program with this process's input, and outputs to be read and closed by the caller.

    They are not closed here: closing would wait for children of the program that hold them open.

    Args:
        command: program, looked up on the PATH of ``env``, and arguments.
        env: its complete environment.

    Raises:
        ToolError: TOL001 when it cannot be started.
    """
    _log.debug("run piped %s", [redact(word) for word in command])
    try:
        with signals.held():
            process = subprocess.Popen(  # noqa: S603 - a list of arguments, without a shell
                words_to_start(command, env), env=dict(env), stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            signals.pass_to(process)
    except (OSError, ValueError) as error:
        raise start_error(command[0], error) from error
    try:
        yield process
    finally:
        signals.pass_to(None)
        if process.poll() is None:
            process.kill()
            process.wait()


def start_error(program: str, error: OSError | ValueError) -> ToolError:
    """Return the error for a program that cannot be started."""
    _, hint = KNOWN.get(windows_error(error), ("", "check that it is installed and executable"))
    return ToolError("TOL001", f"cannot start: {reason_of(error)}", where=program, hint=hint)


def inherited_environ(names: Sequence[str], prefixes: Sequence[str] = ()) -> dict[str, str]:
    """Return the variables of this process with the given names or prefixes; on Windows also those of the system."""
    system = _OF_WINDOWS if sys.platform == "win32" else ()
    return {
        name: value
        for name, value in os.environ.items()
        if name in names or name in system or name.startswith((*prefixes, *system[-1:]) or ("\0",))
    }
