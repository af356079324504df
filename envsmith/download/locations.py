"""What filling a wheelhouse asks of its caller: where files lie, and somebody who hears how they come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from envsmith.download.artifact import Artifact
from envsmith.download.record import Brought
from envsmith.errors import EnvsmithError


class Transfers(Protocol):
    """Hears how files come; called from several threads."""

    def planned(self, files: int, size_bytes: int, *, is_exact: bool) -> None:
        """Hear how many files and bytes are to come; not exact where some server does not say."""

    def moved(self, filename: str, count: int) -> None:
        """Hear that bytes of a file came, or, below zero, that some are thrown away."""

    def waiting(self, filename: str) -> None:
        """Hear that another process is fetching the file, and is waited for."""

    def ended(self, brought: Brought) -> None:
        """Hear that a file is there, proved."""

    def failed(self, filename: str, error: EnvsmithError) -> None:
        """Hear that a file cannot be had."""


class Locations(Protocol):
    """Knows where a file may be fetched."""

    def urls(self, artifact: Artifact) -> Iterator[str]:
        """Yield addresses; the next one is asked for where a server does not have the file.

        Raises:
            EnvsmithError: when looking for the next address fails.
        """
        ...
