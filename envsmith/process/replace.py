"""Lets another program take this one's place. Imported by what must start fast, so it imports little itself."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence


def become(command: Sequence[str], env: Mapping[str, str]) -> int:
    """Let another program take this one's place: it gets its terminal, signals and process number.

    On Windows, where no program can do that, it is started and waited for.

    Args:
        command: program, searched for on the PATH of ``env``, and arguments.
        env: its whole environment.

    Returns:
        The exit status; only on Windows does this return at all.

    Raises:
        ToolError: TOL001 when it cannot be started.
    """
    words = list(command)
    if "logging" in sys.modules:  # as it is where anybody asked to be told
        sys.modules["logging"].getLogger(__name__).debug("become %s", words)
    try:
        if os.name == "nt":
            from envsmith.process.runner import wait_for

            return wait_for(words, env)
        return _exec(words, env)
    except (OSError, ValueError) as error:
        from envsmith.process.runner import not_started

        raise not_started(words[0], error) from error


def _exec(words: list[str], env: Mapping[str, str]) -> int:
    """Go over to the other program, without what Python ignores and the other would ignore, too."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGPIPE, signal.SIGXFSZ)}
    try:
        os.execvpe(words[0], words, dict(env))  # noqa: S606 - no shell is wanted
    finally:  # no program came: a write to a closed connection must go on to be an error here
        for number, handler in before.items():
            signal.signal(number, handler)
