"""Progress of a lock: a live line per target on a terminal, a line as each ends on a pipe."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click

if TYPE_CHECKING:
    from rich.status import Status


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
