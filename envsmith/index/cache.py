"""Cache of listings and pages of live indexes, in the user's cache folder and the snapshot's format."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from envsmith.errors import CatalogError, ToolError
from envsmith.files.atomic import write_atomic
from envsmith.files.os_errors import translate_os_errors
from envsmith.model.backend import Backend
from envsmith.model.listing import IndexListing, index_name

_HINT = "`envsmith catalog refresh` replaces the file; deleting it is safe"
_PROJECT = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")  # normalised, so that it cannot lead out of the folder
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageState:
    """State of one cached page."""

    fetched_at: str
    """Time of the last answer, UTC, RFC 3339."""
    absent: bool
    """Whether the server has no such page."""
    content_type: str
    body_sha256: str
    etag: str | None = None
    last_modified: str | None = None
    moved_to: str | None = None
    """Address after redirects, which relative links start from; None without redirects."""


class ListingCache:
    """Listings, pages and page states of one server.

    Args:
        root: cache folder, created when first needed.
        name: of the server, from `server_name`.
    """

    def __init__(self, root: Path, name: str) -> None:
        self.root = root
        self.name = name
        self._base = root / "listings" / name

    def listing_path(self, channel: str, backend: Backend) -> Path:
        """Return the path of a listing, whether or not it exists."""
        return self._base / channel / f"{backend}.json"

    def read_listing(self, channel: str, backend: Backend) -> IndexListing | None:
        """Return a cached listing, or None if there is none.

        Raises:
            CatalogError: CAT037 when the file cannot be read or holds another listing.
        """
        path = self.listing_path(channel, backend)
        try:
            text = path.read_text("utf-8")
            listing = IndexListing.from_json(text)
        except FileNotFoundError:
            return None
        except (OSError, UnicodeError, CatalogError) as error:
            raise CatalogError("CAT037", f"invalid listing: {error}", where=str(path), hint=_HINT) from error
        if listing.index != index_name(channel, backend):
            raise CatalogError("CAT037", f"it lists {listing.index}", where=str(path), hint=_HINT)
        return listing

    def write_listing(self, listing: IndexListing) -> None:
        """Write or replace a listing.

        Raises:
            ToolError: TOL035 when the cache cannot be written.
        """
        write_cached(self.listing_path(listing.channel, listing.backend), listing.to_json().encode())

    def read_states(self, channel: str, backend: Backend) -> dict[str, PageState]:
        """Return the page states of an index by project, empty if the file is missing or damaged.

        A damaged file is not an error, for it only costs a download.
        """
        try:
            data = json.loads(self._states_path(channel, backend).read_bytes())
            return {project: _state(item) for project, item in data["pages"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return {}

    def write_states(self, channel: str, backend: Backend, states: Mapping[str, PageState]) -> None:
        """Write the page states of an index.

        Raises:
            ToolError: TOL035 when the cache cannot be written.
        """
        pages = {project: asdict(state) for project, state in sorted(states.items())}
        text = json.dumps({"form": 1, "pages": pages}, indent=1) + "\n"
        write_cached(self._states_path(channel, backend), text.encode())

    def read_page(self, channel: str, backend: Backend, project: str, state: PageState) -> bytes | None:
        """Return the cached page of a state, or None if it is missing or changed."""
        try:
            body = self._page_path(channel, backend, project).read_bytes()
        except OSError:
            return None
        return body if hashlib.sha256(body).hexdigest() == state.body_sha256 else None

    def write_page(self, channel: str, backend: Backend, project: str, body: bytes) -> None:
        """Write a page.

        Raises:
            ToolError: TOL035 when the cache cannot be written.
        """
        write_cached(self._page_path(channel, backend, project), body)

    def accepted(self, filename: str) -> frozenset[str]:
        """Return the hashes that the user accepted for a published file, besides the one on record."""
        try:
            return frozenset(map(str, json.loads(self._accepted_path.read_bytes())[filename]))
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            return frozenset()

    def accept(self, filename: str, sha256: str) -> None:
        """Record that the user accepted another hash for a published file.

        Raises:
            ToolError: TOL035 when the cache cannot be written.
        """
        try:
            known = dict(json.loads(self._accepted_path.read_bytes()))
        except (OSError, ValueError, TypeError, RecursionError):
            known = {}
        known[filename] = sorted({*self.accepted(filename), sha256})
        write_cached(self._accepted_path, json.dumps(known).encode())

    @property
    def _accepted_path(self) -> Path:
        return self._base / "accepted.json"

    def _states_path(self, channel: str, backend: Backend) -> Path:
        return self._base / channel / f"{backend}.pages.json"

    def _page_path(self, channel: str, backend: Backend, project: str) -> Path:
        if not _PROJECT.fullmatch(project):
            raise CatalogError("CAT039", f"{project!r} is not a normalised project name")
        return self._base / channel / f"{backend}.pages" / project


def server_name(base: str, pytorch_base: str) -> str:
    """Return the name of a server's folder: the host for PyTorch's own, else a hash, for URLs can contain secrets."""
    if base.rstrip("/") == pytorch_base:
        return pytorch_base.split("/")[2]
    return hashlib.sha256(base.rstrip("/").encode()).hexdigest()[:16]


def is_fresh(state: PageState | None, now: datetime, max_age: timedelta = DAY) -> bool:
    """Say whether a page is younger than an age; one with a time in the future is not."""
    return state is not None and timedelta(0) <= now - _moment(state.fetched_at) < max_age


def write_cached(path: Path, data: bytes) -> None:
    """Write a file of the cache in one step, and the folders above it.

    Raises:
        ToolError: TOL035 when it cannot be written.
    """
    hint = "free space, or name a folder you may write to in ENVSMITH_CACHE_DIR"
    with translate_os_errors(path, ToolError, ("TOL035", "TOL035"), hint=hint):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, data, is_cache=True)


def _state(item: Mapping[str, object]) -> PageState:
    state = PageState(**item)  # type: ignore[arg-type]
    _moment(state.fetched_at)
    texts = (
        state.content_type,
        state.body_sha256,
        *(x or "" for x in (state.etag, state.last_modified, state.moved_to)),
    )
    # Some of them become request headers, in which a line end would start another header.
    if not all(isinstance(text, str) and text.isprintable() for text in texts):
        raise ValueError("invalid value")
    return state


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment
