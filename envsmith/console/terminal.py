"""The terminal: width, colour, confirmation prompts, and progress lines."""

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


_NO_LIMIT = 10_000


def width() -> int:
    """Return the number of columns; practically unlimited on a pipe."""
    return shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else _NO_LIMIT


def has_colour() -> bool:
    """Return whether standard error may be coloured.

    Source: no-color.org (read 2026-11-21): NO_COLOR counts if it is set and not empty.
    """
    return not os.environ.get("NO_COLOR") and sys.stderr.isatty()


def is_interactive() -> bool:
    """Return whether a user can read a question and answer it."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def confirm(question: str, *, where: str, otherwise: str) -> bool:
    """Ask a yes-or-no question on the terminal, and return the answer.

    Args:
        question: without its question mark.
        where: the command.
        otherwise: the change that needs confirmation, for the error message.

    Raises:
        EnvsmithError: USE002 if there is no terminal.
    """
    if not is_interactive():
        raise EnvsmithError(
            "USE002",
            f"{otherwise}; confirmation needs a terminal",
            where=where,
            hint="review the lines above, then add --yes",
        )
    return click.confirm(f"{question}?", err=True)


class LockProgress:
    """Progress on standard error: a live line per subject on a terminal, a line per finished one on a pipe.

    Args:
        quiet: print nothing.
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
        """Report the start of work on a subject, or its next step."""
        with self._guard:
            self._doing[subject] = doing
            self._show()

    def ended(self, subject: str, seconds: float, summary: str) -> None:
        """Report the end of the work on a subject."""
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
