"""What filling a wheelhouse asks of its caller: where files lie, and somebody who hears how they come.

Files of locks on a server of one's own: a plain folder, or a package index.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from envsmith.download.artifact import Artifact
from envsmith.download.record import Brought
from envsmith.errors import EnvsmithError
from envsmith.index.simple_api import ACCEPT, MAX_PAGE_BYTES, PageAddress, parse_page
from envsmith.net.client import open_client
from envsmith.net.deadline import Deadline

_PAGE_S = 60.0


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedFiles:
    """Locations below one address; the lock names the files, so the server need list nothing."""

    base: str
    """May carry user and password."""

    def urls(self, artifact: Artifact) -> Iterator[str]:
        """Yield ``BASE/FILE``, and, where that is not there, what the page ``BASE/PROJECT/`` of an index links to.

        Wheels only are looked for on pages: no source distribution is.

        Raises:
            CatalogError: CAT030 to CAT033 when the page is none that can be trusted.
            ToolError: TOL030 to TOL033, TOL057 when it cannot be fetched.
        """
        base = self.base.rstrip("/")
        yield f"{base}/{quote(artifact.filename)}"
        page = PageAddress(url=f"{base}/{artifact.project}/", root=base, index="", project=artifact.project)
        with open_client(Deadline(_PAGE_S)) as client:
            answer = client.get(page.url, {"Accept": ACCEPT}, limit_bytes=MAX_PAGE_BYTES)
        if answer.status == 200:
            for row in parse_page(answer.body, answer.headers.get("content-type", ""), page):
                if row.wheel.filename == artifact.filename:
                    yield row.served_url
