"""The one place where another program is started."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from envsmith.errors import ToolError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletedProgram:
    """What a program left: exit status and its two outputs as text."""

    status: int
    stdout: str
    stderr: str


class Processes:
    """Starts programs, and ends those still running when asked to."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str] | subprocess.Popen[bytes]] = set()
        self._guard = threading.Lock()
        self._closed = False
        self._lent: set[int] = set()

    @contextmanager
    def lending(self, handle: int | None) -> Iterator[None]:
        """Let the programs started meanwhile keep an open file: a lock that outlives this process for their sake."""
        if handle is None:
            yield
            return
        self._lent.add(handle)
        try:
            yield
        finally:
            self._lent.discard(handle)

    def run(
        self,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        timeout_s: float,
        cwd: Path | None = None,
    ) -> CompletedProgram:
        """Run a program to its end, without a shell and without standard input.

        Args:
            command: program and arguments.
            env: its whole environment.
            timeout_s: seconds after which it is ended.
            cwd: its working directory.

        Raises:
            ToolError: TOL001 when it cannot be started, TOL002 when it runs past its time.
        """
        words = [str(word) for word in command]
        _log.debug("run %s", words)
        with self._guard:
            if self._closed:
                raise ToolError("TOL003", "interrupted before it was started", where=words[0])
            process = self._start(words, env, cwd)
            self._running.add(process)
        try:
            stdout, stderr = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired as error:
            raise ToolError(
                "TOL002",
                f"no answer within {timeout_s:.0f} s",
                where=" ".join(words[:3]),
                hint="try again when the network is faster; what was fetched is in the cache",
            ) from error
        finally:
            with self._guard:
                self._running.discard(process)
            if process.poll() is None:
                process.kill()
                process.communicate()
        return CompletedProgram(status=process.returncode, stdout=stdout, stderr=stderr)

    @contextmanager
    def apart(
        self, command: Sequence[str | Path], *, env: Mapping[str, str]
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Start a program in a group of its own, its outputs to be read by whoever asked.

        In the end it is ended, and with it all it started: on Windows itself alone.

        Args:
            command: program and arguments.
            env: its whole environment.

        Raises:
            ToolError: TOL001 when it cannot be started.
        """
        words = [str(word) for word in command]
        _log.debug("run apart %s", words)
        process = _grouped(words, env)
        with self._guard:
            self._running.add(process)
        try:
            yield process
        finally:
            with self._guard:
                self._running.discard(process)
            _end_group(process)

    def close(self) -> None:
        """End every program still running, and start no more."""
        with self._guard:
            self._closed = True
            for process in self._running:
                process.terminate()

    def _start(self, words: list[str], env: Mapping[str, str], cwd: Path | None) -> subprocess.Popen[str]:
        try:
            return subprocess.Popen(  # noqa: S603 - words are a list, no shell reads them
                words,
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                pass_fds=tuple(self._lent),
            )
        except OSError as error:
            raise not_started(words[0], error) from error


def is_ended(process: subprocess.Popen[bytes], within_s: float) -> bool:
    """Wait for a program, and say whether it ended in time."""
    try:
        process.wait(within_s)
    except subprocess.TimeoutExpired:
        return False
    return True


def _grouped(words: list[str], env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - words are a list, no shell reads them
            words,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=os.name != "nt",
        )
    except OSError as error:
        raise not_started(words[0], error) from error


def _end_group(process: subprocess.Popen[bytes]) -> None:
    if os.name == "nt":
        process.kill()
    else:
        with suppress(ProcessLookupError, PermissionError):  # nobody of it is left
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_for(command: Sequence[str], env: Mapping[str, str]) -> int:
    """Start a program with this one's inputs and outputs, and return its exit status."""
    program = shutil.which(command[0], path=env.get("PATH")) or command[0]
    with subprocess.Popen([program, *command[1:]], env=dict(env)) as process:  # noqa: S603 - no shell reads them
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:  # it had the same, and says itself when it is done
                continue


@contextmanager
def watched(command: Sequence[str], env: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program with this one's input, its outputs to be read, and closed, by whoever asked.

    They are not closed here: a program that this one left behind may hold them open, and closing would wait for it.

    Args:
        command: program, searched for on the PATH of ``env``, and arguments.
        env: its whole environment.

    Raises:
        ToolError: TOL001 when it cannot be started.
    """
    program = shutil.which(command[0], path=env.get("PATH")) or command[0]
    _log.debug("watch %s", list(command))
    try:
        process = subprocess.Popen(  # noqa: S603 - words are a list, no shell reads them
            [program, *command[1:]], env=dict(env), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except (OSError, ValueError) as error:
        raise not_started(command[0], error) from error
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def not_started(program: str, error: OSError | ValueError) -> ToolError:
    """Return the error that says why a program did not start."""
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return ToolError(
        "TOL001", f"cannot start: {reason}", where=program, hint="is it installed and executable?"
    )


def inherited(names: Sequence[str], prefixes: Sequence[str] = ()) -> dict[str, str]:
    """Return this process's variables of the given names and prefixes, and no others."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in names or name.startswith(tuple(prefixes) or ("\0",))
    }
