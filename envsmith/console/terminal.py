"""The terminal people sit at, if there is one.

Asks before something is changed.


Progress of a lock: a live line per target on a terminal, a line as each ends on a pipe.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click

from envsmith.errors import EnvsmithError

if TYPE_CHECKING:
    from rich.status import Status


NO_LIMIT = 10_000


def width() -> int:
    """Return the columns to write into: the terminal's, and no limit on a pipe."""
    return shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else NO_LIMIT


def has_colour() -> bool:
    """Say whether standard error shows colour.

    Source: no-color.org (read 2026-11-21): NO_COLOR counts when it is set and not empty.
    """
    return not os.environ.get("NO_COLOR") and sys.stderr.isatty()


def is_interactive() -> bool:
    """Say whether somebody can read a question and answer it."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def confirm(question: str, *, where: str, otherwise: str) -> bool:
    """Ask on the terminal, and return the answer.

    Args:
        question: without its question mark.
        where: the command.
        otherwise: what is said where nobody can be asked: what is not done, and why it would be asked.

    Raises:
        EnvsmithError: USE002 where nobody can be asked.
    """
    if not is_interactive():
        raise EnvsmithError(
            "USE002",
            f"{otherwise}, and there is no terminal to ask at",
            where=where,
            hint="look at the lines above, then add --yes",
        )
    return click.confirm(f"{question}?", err=True)


class LockProgress:
    """Tells standard error what is being worked on.

    Args:
        quiet: say nothing at all.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._doing: dict[str, str] = {}
        self._guard = threading.Lock()
        self._status: Status | None = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty() and not self._quiet:
            from rich.console import Console

            self._status = Console(stderr=True).status("planning")
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status:
            self._status.stop()

    def started(self, subject: str, doing: str) -> None:
        """Hear that work on a subject has begun, or goes on with something else."""
        with self._guard:
            self._doing[subject] = doing
            self._show()

    def ended(self, subject: str, seconds: float, summary: str) -> None:
        """Hear that the work on a subject is done."""
        with self._guard:
            self._doing.pop(subject, None)
            self._show()
            if self._status is None and not self._quiet:
                click.echo(f"{subject}  {summary}  {seconds:.1f} s", err=True)

    def _show(self) -> None:
        if self._status:
            from rich.markup import escape

            lines = [f"{subject}  {doing}" for subject, doing in self._doing.items()]
            self._status.update(escape("\n  ".join(lines) or "writing"))
