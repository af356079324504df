"""Overlay: what was read from live indexes, kept in the user's cache in the form of the snapshot."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from envsmith.errors import CatalogError, ToolError
from envsmith.model.backend import Backend
from envsmith.model.listing import IndexListing, index_name

_HINT = "`envsmith catalog refresh` writes the file anew; deleting it is safe"
_PROJECT = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageState:
    """What is known of one page that was read."""

    fetched_at: str
    """UTC, RFC 3339: when the server last said that this is the page."""
    absent: bool
    """Whether the server said that there is no such page."""
    content_type: str
    body_sha256: str
    etag: str | None = None
    last_modified: str | None = None
    moved_to: str | None = None
    """Address of the page where a redirect led to it; relative links start there."""


class ListingCache:
    """A folder of listings, of the pages they were read from, and of when that was.

    Args:
        root: folder, made when first written to.
        name: the server it holds, as `overlay_name` gives it.
    """

    def __init__(self, root: Path, name: str) -> None:
        self.root = root
        self.name = name
        self._base = root / "listings" / name

    def listing_path(self, channel: str, backend: Backend) -> Path:
        """Return where the listing lies, whether or not it is there."""
        return self._base / channel / f"{backend}.json"

    def read_listing(self, channel: str, backend: Backend) -> IndexListing | None:
        """Return the listing, or None where there is none.

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
            raise CatalogError("CAT037", f"not usable: {error}", where=str(path), hint=_HINT) from error
        if listing.index != index_name(channel, backend):
            raise CatalogError("CAT037", f"it lists {listing.index}", where=str(path), hint=_HINT)
        return listing

    def write_listing(self, listing: IndexListing) -> None:
        """Write a listing in the place of the one before it.

        Raises:
            ToolError: TOL035 when the cache cannot be written.
        """
        replace_file(self.listing_path(listing.channel, listing.backend), listing.to_json().encode())

    def read_states(self, channel: str, backend: Backend) -> dict[str, PageState]:
        """Return what is known of the pages of an index, by project; empty where nothing usable is.

        A state file that cannot be read costs a download, nothing else, so it is no error.
        """
        try:
            data = json.loads(self._states_path(channel, backend).read_bytes())
            return {project: _state(item) for project, item in data["pages"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return {}

    def write_states(self, channel: str, backend: Backend, states: Mapping[str, PageState]) -> None:
        """Write what is known of the pages of an index.

        Raises:
            ToolError: TOL035 when the cache cannot be written.
        """
        pages = {project: asdict(state) for project, state in sorted(states.items())}
        text = json.dumps({"form": 1, "pages": pages}, indent=1) + "\n"
        replace_file(self._states_path(channel, backend), text.encode())

    def read_page(self, channel: str, backend: Backend, project: str, state: PageState) -> bytes | None:
        """Return the page a state speaks of, or None where the file is gone or another one."""
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
        replace_file(self._page_path(channel, backend, project), body)

    def age_of(self, channel: str, backend: Backend, now: datetime) -> timedelta | None:
        """Return the age of the oldest page of an index, or None where none was read.

        Args:
            channel: of the index.
            backend: of the index.
            now: with a time zone.
        """
        times = [_moment(state.fetched_at) for state in self.read_states(channel, backend).values()]
        return now - min(times) if times else None

    def _states_path(self, channel: str, backend: Backend) -> Path:
        return self._base / channel / f"{backend}.pages.json"

    def _page_path(self, channel: str, backend: Backend, project: str) -> Path:
        if not _PROJECT.fullmatch(project):
            raise CatalogError("CAT039", f"{project!r} is no normalised project name")
        return self._base / channel / f"{backend}.pages" / project


def overlay_name(base: str, usual: str) -> str:
    """Return a server's folder name: the host for PyTorch's own, else a digest, for URLs hold secrets."""
    if base.rstrip("/") == usual:
        return usual.split("/")[2]
    return hashlib.sha256(base.rstrip("/").encode()).hexdigest()[:16]


def is_fresh(state: PageState | None, now: datetime, max_age: timedelta = DAY) -> bool:
    """Say whether a page was read so lately that nobody need ask again; one from the future was not."""
    return state is not None and timedelta(0) <= now - _moment(state.fetched_at) < max_age


def replace_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: readers see the old one until the new one is on the disk.

    Raises:
        ToolError: TOL035 when it cannot be written.
    """
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)  # noqa: PTH105 - atomic on every system, by its documentation
        temporary = None
    except OSError as error:
        raise ToolError(
            "TOL035",
            f"cannot write: {error.strerror or error}",
            where=str(path),
            hint="free space, or name a folder you may write to in ENVSMITH_CACHE_DIR",
        ) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def _state(item: Mapping[str, object]) -> PageState:
    state = PageState(**item)  # type: ignore[arg-type]
    _moment(state.fetched_at)
    texts = (
        state.content_type,
        state.body_sha256,
        *(x or "" for x in (state.etag, state.last_modified, state.moved_to)),
    )
    # These go back into request headers, which take no line ends.
    if not all(isinstance(text, str) and text.isprintable() for text in texts):
        raise ValueError("a value that no server sent")
    return state


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment
