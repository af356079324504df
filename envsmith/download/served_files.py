"""Files of locks on a server of one's own: a plain folder, or a package index."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from envsmith.download.artifact import Artifact
from envsmith.index.page_rows import PageAddress
from envsmith.index.simple_api import ACCEPT, MAX_PAGE_BYTES, parse_page
from envsmith.net.client import open_client
from envsmith.net.deadline import Deadline

_PAGE_S = 60.0


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
