"""Replacement of this process by another program (`exec`). On the start-up path of `envsmith run`: few imports."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence


def exec_or_spawn(command: Sequence[str], env: Mapping[str, str]) -> int:
    """Replace this process by a program; on Windows, which cannot do that, start it and wait for it.

    Args:
        command: program, looked up on the PATH of ``env``, and arguments.
        env: its complete environment.

    Returns:
        The exit status, on Windows only; elsewhere the function does not return.

    Raises:
        ToolError: TOL001 when the program cannot be started.
    """
    arguments = list(command)
    if "logging" in sys.modules:  # imported only with -v; importing it here would slow every start
        sys.modules["logging"].getLogger(__name__).debug("exec %s", arguments)
    try:
        if os.name == "nt":
            from envsmith.process.runner import run_attached

            return run_attached(arguments, env)
        return _exec(arguments, env)
    except (OSError, ValueError) as error:
        from envsmith.process.runner import start_error

        raise start_error(arguments[0], error) from error


def _exec(arguments: list[str], env: Mapping[str, str]) -> int:
    """Call `exec` with the default handlers of the signals that Python ignores: a program would inherit that."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGPIPE, signal.SIGXFSZ)}
    try:
        os.execvpe(arguments[0], arguments, dict(env))  # noqa: S606 - a shell is not needed
    finally:  # `exec` failed: a write to a closed pipe must raise an error here again
        for number, handler in before.items():
            signal.signal(number, handler)
