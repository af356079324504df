"""URLs to download the files of locks from: as locked, rewritten to a mirror, or below one server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from envsmith.config.mirrors import MirrorRules
from envsmith.download.artifact import Artifact
from envsmith.index.simple_api import ACCEPT, MAX_PAGE_BYTES, PageAddress, parse_page
from envsmith.net.client import open_client
from envsmith.net.deadline import Deadline

_PAGE_TIMEOUT_S = 60.0


class Locations(Protocol):
    """Source of the URLs of a file."""

    def urls(self, artifact: Artifact) -> Iterator[str]:
        """Yield URLs; the next one is used if a server does not have the file.

        Raises:
            EnvsmithError: when the next URL cannot be determined.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MirroredFiles:
    """The URLs of the locks, with `--rewrite` applied."""

    rewrites: MirrorRules

    def urls(self, artifact: Artifact) -> Iterator[str]:
        """Yield the one URL."""
        yield self.rewrites.apply(artifact.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedFiles:
    """Files below one URL: a plain folder, which needs no listing, or a package index."""

    base: str
    """May contain user and password."""

    def urls(self, artifact: Artifact) -> Iterator[str]:
        """Yield ``BASE/FILE``, then the link of the index page ``BASE/PROJECT/``, which is read for wheels only.

        Raises:
            CatalogError: CAT030 to CAT033 when the page is invalid.
            ToolError: TOL030 to TOL033, TOL057 when the page cannot be fetched.
        """
        base = self.base.rstrip("/")
        yield f"{base}/{quote(artifact.filename)}"
        page = PageAddress(url=f"{base}/{artifact.project}/", root=base, index="", project=artifact.project)
        with open_client(Deadline(_PAGE_TIMEOUT_S)) as client:
            answer = client.get(page.url, {"Accept": ACCEPT}, limit_bytes=MAX_PAGE_BYTES)
        if answer.status == 200:
            for entry in parse_page(answer.body, answer.headers.get("content-type", ""), page):
                if entry.wheel.filename == artifact.filename:
                    yield entry.served_url
