"""Progress of long work, as a protocol that the command line implements."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Hears what is being done; silent by default."""

    def started(self, subject: str, doing: str) -> None:
        """Hear that work on a subject has begun, or goes on with something else."""

    def ended(self, subject: str, seconds: float, summary: str) -> None:
        """Hear that the work on a subject is done."""
