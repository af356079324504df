"""Fetch one project page, conditionally, and read it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from envsmith.index.cache import PageState
from envsmith.index.page_rows import PYTORCH_HOSTS, PageAddress, PageRow
from envsmith.index.simple_api import ACCEPT, MAX_PAGE_BYTES, parse_page
from envsmith.model.url import public_url
from envsmith.net.client import bad_status

if TYPE_CHECKING:
    from envsmith.net.client import Answer, WebClient


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedPage:
    """A page as read now or kept from before; without rows where the server has no such page."""

    rows: tuple[PageRow, ...]
    state: PageState
    body: bytes


def fetch_page(
    address: PageAddress, kept: FetchedPage | None, now: datetime, client: WebClient
) -> FetchedPage:
    """Ask for a page, only as changed since it was kept.

    Raises:
        CatalogError: CAT030 to CAT033 when the page cannot be trusted.
        ToolError: TOL030 to TOL033, TOL057 when it cannot be fetched.

    Source: astral-sh/uv#9746 and uv's documentation of ``ignore-error-codes``, read 2026-11-21: the PyTorch
    index answers 403 where a package is not present.
    """
    answer = client.get(address.url, _headers(kept), limit_bytes=MAX_PAGE_BYTES)
    at = now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if answer.status == 304 and kept is not None:
        return replace(kept, state=replace(kept.state, fetched_at=at))
    if answer.status in {404, 410} or (
        answer.status == 403 and urlsplit(answer.url).hostname in PYTORCH_HOSTS
    ):
        state = PageState(fetched_at=at, absent=True, content_type="", body_sha256="")
        return FetchedPage(rows=(), state=state, body=b"")
    if answer.status != 200:
        hint = "check --index-base and your permission to read it, or use --catalog embedded"
        raise bad_status(answer.status, address.name, hint)
    state = _state(answer, at, address)
    return read_kept(address, state, answer.body)


def read_kept(address: PageAddress, state: PageState, body: bytes) -> FetchedPage:
    """Read the text of a page.

    Raises:
        CatalogError: CAT030 to CAT033 when it cannot be trusted.
    """
    place = address
    if state.moved_to:
        root = state.moved_to.removesuffix(f"/{address.index}/{address.project}/")
        place = replace(address, url=state.moved_to, root=address.root if root == state.moved_to else root)
    return FetchedPage(rows=parse_page(body, state.content_type, place), state=state, body=body)


def _headers(kept: FetchedPage | None) -> dict[str, str]:
    headers = {"Accept": ACCEPT}
    if kept is not None and kept.state.etag:
        headers["If-None-Match"] = kept.state.etag
    if kept is not None and kept.state.last_modified:
        headers["If-Modified-Since"] = kept.state.last_modified
    return headers


def _state(answer: Answer, at: str, address: PageAddress) -> PageState:
    return PageState(
        fetched_at=at,
        absent=False,
        content_type=answer.headers.get("content-type", ""),
        body_sha256=hashlib.sha256(answer.body).hexdigest(),
        etag=_printable(answer.headers.get("etag")),
        last_modified=_printable(answer.headers.get("last-modified")),
        moved_to=None if answer.url == address.url else public_url(answer.url),
    )


def _printable(text: str | None) -> str | None:
    return text if text and text.isascii() and text.isprintable() else None
