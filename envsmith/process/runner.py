"""Start of other programs, always without a shell; no other module starts one."""

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
    """Exit status and output of a program."""

    status: int
    stdout: str
    stderr: str


class Processes:
    """Starts programs; `close` ends those still running."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str] | subprocess.Popen[bytes]] = set()
        self._mutex = threading.Lock()
        self._closed = False
        self._inherited_handles: set[int] = set()

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
            timeout_s: seconds until it is killed.
            cwd: its working directory.

        Raises:
            ToolError: TOL001 when it cannot be started, TOL002 after the timeout, TOL003 after `close`.
        """
        arguments = [str(word) for word in command]
        _log.debug("run %s", arguments)
        with self._mutex:
            if self._closed:
                raise ToolError("TOL003", "interrupted before it was started", where=arguments[0])
            process = self._start(arguments, env, cwd)
            self._running.add(process)
        try:
            stdout, stderr = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired as error:
            raise ToolError(
                "TOL002",
                f"timeout after {timeout_s:.0f} s",
                where=" ".join(arguments[:3]),
                hint="try again with a faster network; downloaded files are in the cache",
            ) from error
        finally:
            with self._mutex:
                self._running.discard(process)
            if process.poll() is None:
                process.kill()
                process.communicate()
        return CompletedProgram(status=process.returncode, stdout=stdout, stderr=stderr)

    @contextmanager
    def group(
        self, command: Sequence[str | Path], *, env: Mapping[str, str]
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Start a program in a process group of its own, with outputs to be read in the block.

        The group is killed at the end of the block; on Windows only the program itself.

        Args:
            command: program and arguments.
            env: its complete environment.

        Raises:
            ToolError: TOL001 when it cannot be started.
        """
        arguments = [str(word) for word in command]
        _log.debug("run group %s", arguments)
        process = _start_group(arguments, env)
        with self._mutex:
            self._running.add(process)
        try:
            yield process
        finally:
            with self._mutex:
                self._running.discard(process)
            _kill_group(process)

    def close(self) -> None:
        """Terminate all running programs, and refuse to start others."""
        with self._mutex:
            self._closed = True
            for process in self._running:
                process.terminate()

    def _start(self, arguments: list[str], env: Mapping[str, str], cwd: Path | None) -> subprocess.Popen[str]:
        try:
            return subprocess.Popen(  # noqa: S603 - a list of arguments, without a shell
                arguments,
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                pass_fds=tuple(self._inherited_handles),
            )
        except OSError as error:
            raise start_error(arguments[0], error) from error


def wait_until(process: subprocess.Popen[bytes], timeout_s: float) -> bool:
    """Wait for a program; return whether it ended within the timeout."""
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        return False
    return True


def _start_group(arguments: list[str], env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - a list of arguments, without a shell
            arguments,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=os.name != "nt",
        )
    except OSError as error:
        raise start_error(arguments[0], error) from error


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    if os.name == "nt":
        process.kill()
    else:
        with suppress(ProcessLookupError, PermissionError):  # all of them have ended
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def run_attached(command: Sequence[str], env: Mapping[str, str]) -> int:
    """Run a program attached to this terminal, and return its exit status."""
    program = shutil.which(command[0], path=env.get("PATH")) or command[0]
    with subprocess.Popen([program, *command[1:]], env=dict(env)) as process:  # noqa: S603 - without a shell
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:  # the program receives it as well, and decides itself
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
    program = shutil.which(command[0], path=env.get("PATH")) or command[0]
    _log.debug("run piped %s", list(command))
    try:
        process = subprocess.Popen(  # noqa: S603 - a list of arguments, without a shell
            [program, *command[1:]], env=dict(env), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except (OSError, ValueError) as error:
        raise start_error(command[0], error) from error
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def start_error(program: str, error: OSError | ValueError) -> ToolError:
    """Return the error for a program that cannot be started."""
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return ToolError(
        "TOL001", f"cannot start: {reason}", where=program, hint="check that it is installed and executable"
    )


def inherited_environ(names: Sequence[str], prefixes: Sequence[str] = ()) -> dict[str, str]:
    """Return the variables of this process with the given names or prefixes."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in names or name.startswith(tuple(prefixes) or ("\0",))
    }
