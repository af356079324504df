"""Progress protocol of long work, for terminals and pipes."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Reporter of the work on several subjects at once."""

    def started(self, subject: str, doing: str) -> None:
        """Report the start of work on a subject, or its next step."""

    def ended(self, subject: str, seconds: float, summary: str) -> None:
        """Report the end of the work on a subject."""
