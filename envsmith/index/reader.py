"""Reader of PyTorch's live index, or of a mirror: pages are fetched conditionally and merged into listings."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from packaging.version import Version

from envsmith.errors import CatalogError, ChangedFileError, EnvsmithError
from envsmith.index.cache import ListingCache, PageState, is_fresh
from envsmith.index.simple_api import ACCEPT, MAX_PAGE_BYTES, PageAddress, PageRow, parse_page
from envsmith.index.wheel_metadata import choose_rows, merge, read_requirements
from envsmith.model.backend import Backend
from envsmith.model.listing import (
    HOST,
    PYTORCH_HOSTS,
    Entry,
    IndexListing,
    Metadata,
    Release,
    group_releases,
    index_name,
)
from envsmith.model.url import redact_url
from envsmith.model.wheel import Wheel
from envsmith.net.client import RetryPolicy, WebClient, bad_status, open_client
from envsmith.net.deadline import Deadline, DeadlineError, run_all

if TYPE_CHECKING:
    from envsmith.net.client import Response, WebClient


Key = tuple[str, str]
"""Project and version text."""
PYTORCH_BASE = f"{HOST}/whl"


def join_listings(first: IndexListing | None, second: IndexListing | None) -> dict[Key, Release]:
    """Return the releases of two listings; a version in both has the rows of both, the first's in doubt."""
    releases: dict[Key, Release] = {}
    for listing in (second, first):
        if listing is None:
            continue
        for project, versions in listing.projects.items():
            for version, release in versions.items():
                releases[project, version] = _joined(release, releases.get((project, version)))
    return releases


def merge_rows(page: Iterable[PageRow], known: Iterable[Wheel], *, keep_unlisted: bool) -> tuple[Wheel, ...]:
    """Return the wheels of a page of one project, completed from the known wheels.

    A new hash replaces the known one, which becomes withdrawn.

    Args:
        page: rows of the page.
        known: wheels of the same project and index.
        keep_unlisted: whether to keep known wheels that the page no longer lists.
    """
    before = {wheel.filename: wheel for wheel in known}
    merged: dict[str, Wheel] = {}
    for row in page:
        old = before.pop(row.wheel.filename, None)
        merged[row.wheel.filename] = row.wheel if old is None else _updated(row.wheel, old)
    if keep_unlisted:
        merged |= before
    return tuple(merged[name] for name in sorted(merged))


def check_recorded_hashes(
    page: Iterable[PageRow], listings: Iterable[IndexListing | None], accepted: Collection[str]
) -> None:
    """Check that the files of a page have a hash that a listing records; two on record both count.

    Args:
        page: rows of the page.
        listings: of the same index.
        accepted: names of files that may change.

    Raises:
        ChangedFileError: CAT042 when one has another hash.
    """
    recorded: dict[str, set[str]] = {}
    releases = (
        release
        for listing in listings
        if listing
        for versions in listing.projects.values()
        for release in versions.values()
    )
    for filename, sha256, _, _, withdrawn, _ in (entry for release in releases for entry in release.entries):
        recorded.setdefault(filename, set()).update(filter(None, (sha256, *withdrawn)))
    changed = [
        row.wheel
        for row in page
        if row.wheel.sha256
        and row.wheel.filename not in accepted
        and row.wheel.sha256 not in (recorded.get(row.wheel.filename) or {row.wheel.sha256})
    ]
    if not changed:
        return
    first, *others = changed
    more = f"; {len(others)} more files have changed as well" if others else ""
    raise ChangedFileError(
        "CAT042",
        f"{first.filename} has sha256 {first.sha256} now, but "
        f"{' and '.join(sorted(recorded[first.filename]))} on record{more}",
        where=redact_url(first.url),
        hint="a published file must not change: tell its publisher. "
        f"To use the new file anyway: --accept-changed {first.filename}",
    )


def reusable_metadata(known: Mapping[Key, Release], wheels: Iterable[Wheel]) -> dict[Key, Metadata]:
    """Return the known metadata that is still valid: no wheel of its version has another hash now."""
    current = {wheel.filename: wheel.sha256 for wheel in wheels}
    return {
        key: release.metadata
        for key, release in known.items()
        if release.metadata is not None
        and all(row[1] is None or current.get(row[0], row[1]) == row[1] for row in release.entries)
    }


def _joined(first: Release, second: Release | None) -> Release:
    if second is None:
        return first
    others = {row[0]: row for row in second.entries}
    own = [_with_hashes(row, others.pop(row[0], row)) for row in first.entries]
    return replace(
        first,
        entries=tuple(sorted((*own, *others.values()))),
        metadata=first.metadata or second.metadata,
    )


def _with_hashes(entry: Entry, other: Entry) -> Entry:
    """Return an entry that keeps the hashes of another one for the same file as withdrawn."""
    filename, sha256, upload_time, url, withdrawn, yanked = entry
    hashes = {*withdrawn, *other[4], *filter(None, (other[1],))} - {sha256}
    return (filename, sha256, upload_time, url, tuple(sorted(hashes)), yanked) if sha256 else entry


def _updated(new: Wheel, old: Wheel) -> Wheel:
    if new.sha256 is not None and old.sha256 is not None and new.sha256 != old.sha256:
        withdrawn = {*old.withdrawn, old.sha256} - {new.sha256}
        return replace(new, withdrawn=tuple(sorted(withdrawn)))
    # A page gives the time of the object's last change, which a copy updates: the earlier time is that of the upload.
    times = [time for time in (new.upload_time, old.upload_time) if time]
    return replace(
        new,
        url=old.url if old.url.startswith(HOST) and not new.url.startswith(HOST) else new.url,
        sha256=new.sha256 or old.sha256,
        upload_time=min(times, default=None),
        withdrawn=old.withdrawn,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedPage:
    """A page, fetched or from the cache; without rows if the server has no such page."""

    rows: tuple[PageRow, ...]
    state: PageState
    body: bytes


def fetch_page(
    address: PageAddress, cached: FetchedPage | None, now: datetime, client: WebClient
) -> FetchedPage:
    """Fetch a page, unless the cached one is still current.

    Raises:
        CatalogError: CAT030 to CAT033 when the page is malformed.
        ToolError: TOL030 to TOL033, TOL057 when it cannot be fetched.

    Source: astral-sh/uv#9746 and uv's documentation of ``ignore-error-codes``, read 2026-11-21: PyTorch's index
    answers 403 for a missing package.
    """
    answer = client.get(address.url, _headers(cached), limit_bytes=MAX_PAGE_BYTES)
    at = now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if answer.status == 304 and cached is not None:
        return replace(cached, state=replace(cached.state, fetched_at=at))
    if answer.status in {404, 410} or (
        answer.status == 403 and urlsplit(answer.url).hostname in PYTORCH_HOSTS
    ):
        state = PageState(fetched_at=at, absent=True, content_type="", body_sha256="")
        return FetchedPage(rows=(), state=state, body=b"")
    if answer.status != 200:
        hint = "check --index-base and your access to it, or use --catalog embedded"
        raise bad_status(answer.status, address.name, hint)
    state = _state(answer, at, address)
    return parse_body(address, state, answer.body)


def parse_body(address: PageAddress, state: PageState, body: bytes) -> FetchedPage:
    """Parse the body of a page.

    Raises:
        CatalogError: CAT030 to CAT033 when it is malformed.
    """
    final = address
    if state.moved_to:
        root = state.moved_to.removesuffix(f"/{address.index}/{address.project}/")
        final = replace(address, url=state.moved_to, root=address.root if root == state.moved_to else root)
    return FetchedPage(rows=parse_page(body, state.content_type, final), state=state, body=body)


def _headers(cached: FetchedPage | None) -> dict[str, str]:
    headers = {"Accept": ACCEPT}
    if cached is not None and cached.state.etag:
        headers["If-None-Match"] = cached.state.etag
    if cached is not None and cached.state.last_modified:
        headers["If-Modified-Since"] = cached.state.last_modified
    return headers


def _state(answer: Response, at: str, address: PageAddress) -> PageState:
    return PageState(
        fetched_at=at,
        absent=False,
        content_type=answer.headers.get("content-type", ""),
        body_sha256=hashlib.sha256(answer.body).hexdigest(),
        etag=_printable(answer.headers.get("etag")),
        last_modified=_printable(answer.headers.get("last-modified")),
        moved_to=None if answer.url == address.url else redact_url(answer.url),
    )


def _printable(text: str | None) -> str | None:
    return text if text and text.isascii() and text.isprintable() else None


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRequest:
    """An index to read, and the limits of reading."""

    channel: str
    backend: Backend
    projects: tuple[str, ...]
    """Normalised names."""
    deadline_s: float
    known: IndexListing | None = None
    """Listing to merge with: the snapshot."""
    max_age: timedelta = timedelta(0)
    """Cached pages younger than this are not fetched again."""

    @property
    def index(self) -> str:
        """Name of the index: ``nightly/cu130``."""
        return index_name(self.channel, self.backend)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadListing:
    """A listing with the problems met while reading it."""

    listing: IndexListing
    problems: tuple[EnvsmithError, ...]
    """Reasons why some versions have no metadata."""


class PyTorchIndex:
    """PyTorch's index, or a mirror of it.

    Args:
        base: address of the index.
        cache: of this server's pages and listings.
        wants_metadata: whether to read the requirements of a wheel if they are unknown.
        accepted: names of stable files whose hash may have changed.
        now: clock, with a time zone.
        policy: timeouts and retries.

    Raises:
        CatalogError: CAT038 when base is not an http or https URL.
    """

    def __init__(
        self,
        base: str,
        cache: ListingCache,
        *,
        wants_metadata: Callable[[Wheel], bool],
        accepted: Collection[str] = (),
        now: Callable[[], datetime] = utc_now,
        policy: RetryPolicy | None = None,
    ) -> None:
        self.base = checked_base(base)
        self._cache = cache
        self._wants_metadata = wants_metadata
        self._accepted = accepted
        self._now = now
        self._policy = policy

    def read(self, request: ReadRequest) -> ReadListing:
        """Read the pages of an index, merge them with the known listings, and cache the result.

        Pages are cached even when another one fails. Metadata that the deadline cuts off is read the next time. Known
        files that a page no longer lists stay on stable and test, and are dropped on nightly.

        Raises:
            CatalogError: CAT030 to CAT033 when a page is malformed, CAT034 when the server has no page of this index,
                CAT042 when a stable file has another hash than before.
            ToolError: TOL030 to TOL033, TOL057 when a page cannot be fetched, TOL035 when the cache cannot be written.
        """
        deadline = Deadline(request.deadline_s)
        pages = self._read_pages(request, deadline)
        if all(page.state.absent for page in pages.values()):
            raise CatalogError(
                "CAT034",
                f"index `{request.index}` does not exist",
                where=redact_url(self.base),
                hint="check backend, channel and --index-base; see `envsmith catalog show`",
            )
        cached = self._cached_listing(request)
        if request.channel == "stable":
            rows = [row for page in pages.values() for row in page.rows]
            check_recorded_hashes(rows, (request.known, cached), self._accepted)
            for wheel in (row.wheel for row in rows if row.wheel.filename in self._accepted):
                if wheel.sha256:
                    self._cache.accept(wheel.filename, wheel.sha256)
        known = join_listings(request.known, cached)
        wheels = _merged(request, pages, known)
        found = reusable_metadata(known, wheels)
        wanted = self._missing_metadata(pages, found.keys())
        outcomes = run_all(
            [partial(_read_version, rows, self._basis()) for _, rows in wanted],
            self._client(deadline),
            deadline,
        )
        for (key, _), outcome in zip(wanted, outcomes, strict=True):
            if isinstance(outcome, Metadata):
                found[key] = outcome
        newest = max(page.state.fetched_at for page in pages.values())
        listing = self._listing(request, wheels, found, newest)
        self._cache.write_listing(listing)
        return ReadListing(listing=listing, problems=_problems(outcomes, deadline, redact_url(self.base)))

    def _read_pages(self, request: ReadRequest, deadline: Deadline) -> dict[str, FetchedPage]:
        states = self._cache.read_states(request.channel, request.backend)
        now = self._now()
        pages: dict[str, FetchedPage] = {}
        tasks: dict[str, Callable[[WebClient], FetchedPage]] = {}
        for project in request.projects:
            state = states.get(project)
            cached = self._cached(request, project, state) if state else None
            if cached and is_fresh(cached.state, now, request.max_age):
                pages[project] = cached
            else:
                tasks[project] = partial(fetch_page, self._address(request, project), cached, now)
        outcomes = run_all(list(tasks.values()), self._client(deadline), deadline)
        found = zip(tasks, outcomes, strict=True)
        fetched = {project: page for project, page in found if isinstance(page, FetchedPage)}
        self._store(request, fetched, states)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome
            if outcome is None:
                raise deadline.error(redact_url(self.base))
        return pages | fetched

    def _cached(self, request: ReadRequest, project: str, state: PageState) -> FetchedPage | None:
        if state.absent:
            return FetchedPage(rows=(), state=state, body=b"")
        body = self._cache.read_page(request.channel, request.backend, project, state)
        if body is None:
            return None
        try:
            return parse_body(self._address(request, project), state, body)
        except CatalogError:
            return None  # cached by another version of envsmith, which accepted it: fetch it again

    def _store(
        self, request: ReadRequest, pages: Mapping[str, FetchedPage], states: dict[str, PageState]
    ) -> None:
        for project, page in pages.items():
            known = states.get(project)
            if not page.state.absent and (known is None or known.body_sha256 != page.state.body_sha256):
                self._cache.write_page(request.channel, request.backend, project, page.body)
        if pages:
            fresh = {project: page.state for project, page in pages.items()}
            self._cache.write_states(request.channel, request.backend, states | fresh)

    def _cached_listing(self, request: ReadRequest) -> IndexListing | None:
        try:
            return self._cache.read_listing(request.channel, request.backend)
        except CatalogError:
            return None  # a damaged listing is about to be replaced; `ListingCache.read_listing` reports it to others

    def _missing_metadata(
        self, pages: Mapping[str, FetchedPage], known: Collection[Key]
    ) -> list[tuple[Key, tuple[PageRow, ...]]]:
        versions: dict[Key, list[PageRow]] = {}
        for page in pages.values():
            for row in page.rows:
                versions.setdefault((row.wheel.name, str(row.wheel.version)), []).append(row)
        wanted = [
            (key, tuple(rows))
            for key, rows in versions.items()
            if key not in known and any(self._wants_metadata(row.wheel) for row in rows)
        ]
        # Newest first: they matter most if the deadline cuts the rest off.
        return sorted(wanted, key=lambda item: (Version(item[0][1]), item[0][0]), reverse=True)

    def _listing(
        self, request: ReadRequest, wheels: Iterable[Wheel], metadata: Mapping[Key, Metadata], newest: str
    ) -> IndexListing:
        return IndexListing(
            channel=request.channel,
            backend=request.backend,
            retrieved=newest[:10],
            source=f"{redact_url(self.base)}/{request.index}",
            projects=group_releases(wheels, metadata),
        )

    def _basis(self) -> str:
        day = self._now().astimezone(UTC).date().isoformat()
        return f"METADATA of the wheels at {redact_url(self.base)}, read {day}"

    def _address(self, request: ReadRequest, project: str) -> PageAddress:
        return PageAddress(
            url=f"{self.base}/{request.index}/{project}/",
            root=self.base,
            index=request.index,
            project=project,
        )

    def _client(self, deadline: Deadline) -> Callable[[], AbstractContextManager[WebClient]]:
        return partial(open_client, deadline, self._policy)


def checked_base(base: str) -> str:
    """Return an address without a trailing slash.

    Raises:
        CatalogError: CAT038 when it is not an http or https URL, or has a query or fragment.
    """
    try:
        parts = urlsplit(base)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = None
    if not usable or not base.isprintable() or set(base) & set(" ?#\\"):
        raise CatalogError(
            "CAT038",
            f"invalid index address {redact_url(base)!r}",
            hint=f"expected an address such as {PYTORCH_BASE}, the part before /cu128/torch/",
        )
    return base.rstrip("/")


def _merged(
    request: ReadRequest, pages: Mapping[str, FetchedPage], known: Mapping[Key, Release]
) -> tuple[Wheel, ...]:
    before: dict[str, list[Wheel]] = {}
    for (project, _), release in known.items():
        before.setdefault(project, []).extend(release.wheels(yanked=True))
    keep = request.channel != "nightly"
    merged = [
        wheel
        for project, page in pages.items()
        for wheel in merge_rows(page.rows, before.get(project, ()), keep_unlisted=keep)
    ]
    others = [wheel for project, wheels in before.items() if project not in pages for wheel in wheels]
    return tuple(merged + others)


def _read_version(rows: tuple[PageRow, ...], basis: str, client: WebClient) -> Metadata:
    return merge({family: read_requirements(client, row) for family, row in choose_rows(rows).items()}, basis)


def _problems(outcomes: Iterable[object], deadline: Deadline, where: str) -> tuple[EnvsmithError, ...]:
    problems: list[EnvsmithError] = []
    late = 0
    for outcome in outcomes:
        if outcome is None or (isinstance(outcome, DeadlineError)):
            late += 1
        elif isinstance(outcome, EnvsmithError):
            problems.append(outcome)
        elif isinstance(outcome, Exception):
            raise outcome
    if late:
        problems.append(deadline.error(f"{where}: metadata of {late} versions"))
    return tuple(problems)
