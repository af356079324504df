"""``envsmith doctor -- COMMAND``: run it, and explain what its output tells when it fails."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from envsmith.errors import OK

_SIGNALLED = 128
_INTERRUPTED = (-2, _SIGNALLED + 2)
_SIGNALS = {
    4: "SIGILL: an instruction that this CPU lacks, mostly AVX or AVX2 (`envsmith verify --probe torch`)",
    6: "SIGABRT: a compiled library gave up; its reason stands above",
    7: "SIGBUS: a file that is mapped was cut off, or /dev/shm is full",
    9: "SIGKILL: on Linux mostly for want of memory; `dmesg` tells, or the limit of the container",
    11: "SIGSEGV: a compiled library crashed; PYTHONFAULTHANDLER=1 shows where",
}
"""Linux's numbers of the signals that end a program by no wish of its own, and what they mostly mean."""


def watch_and_explain(words: Sequence[str]) -> int:
    """Run a command as it would run by itself, and return its exit status; 128 and the signal where one ended it.

    What is known of its failure is told on standard error, after what it printed itself; an interruption is none.

    Raises:
        ToolError: TOL001 when it cannot be started.
    """
    from envsmith.catalog import Catalog
    from envsmith.console import finding_lines
    from envsmith.console import output as render
    from envsmith.environment.package_findings import explain
    from envsmith.host.current import variables
    from envsmith.process.watching import watch

    done = watch(words, variables())
    if done.status in (OK, *_INTERRUPTED):
        return _SIGNALLED - done.status if done.status < 0 else done.status
    found = tuple(explain(done.text, Catalog.embedded()))
    how = f"signal {-done.status}" if done.status < 0 else f"status {done.status}"
    known = finding_lines.counted(len(found), "known failure") if found else "nothing known"
    render.say(f"\n{words[0]} ended with {how}: {known} in its output", err=True)
    finding_lines.show(found, err=True)
    if meaning := _SIGNALS.get(_signal(done.status)) if sys.platform == "linux" else None:
        render.say(f"signal    {meaning}", err=True)
    if not found:
        render.say(
            "hint: `envsmith doctor` looks at machine and environment; `envsmith report` prints what an issue needs",
            err=True,
        )
    return _SIGNALLED - done.status if done.status < 0 else done.status


def _signal(status: int) -> int:
    """Return the signal that ended a program, or one that a shell has run; 0 where none did."""
    return -status if status < 0 else max(status - _SIGNALLED, 0)
