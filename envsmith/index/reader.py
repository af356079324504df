"""Read PyTorch's live index, or a mirror of it, into listings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

from packaging.version import Version

from envsmith.errors import CatalogError, EnvsmithError
from envsmith.index.cache import Overlay, PageState, is_fresh
from envsmith.index.listing_merge import Key, join_listings, merge_rows, reusable_metadata
from envsmith.index.page_fetch import FetchedPage, fetch_page, read_kept
from envsmith.index.page_rows import PageAddress, PageRow
from envsmith.index.wheel_metadata import choose_rows, merge, read_requirements
from envsmith.model.backend import Backend
from envsmith.model.listing import HOST, Listing, Metadata, Release, group, index_name
from envsmith.model.url import public_url
from envsmith.model.wheel import Wheel
from envsmith.net.client import Patience, WebClient, open_client
from envsmith.net.deadline import Deadline, run_all

PYTORCH_BASE = f"{HOST}/whl"


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRequest:
    """What to read, and how hard to try."""

    channel: str
    backend: Backend
    projects: tuple[str, ...]
    """Normalised names, each read from its own page."""
    deadline_s: float
    known: Listing | None = None
    """What is known beside the overlay: the snapshot."""
    max_age: timedelta = timedelta(0)
    """Pages read more lately than this are not asked for again."""

    @property
    def index(self) -> str:
        """Name of the index: ``nightly/cu130``."""
        return index_name(self.channel, self.backend)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What came of reading an index."""

    listing: Listing
    """Also kept in the overlay."""
    problems: tuple[EnvsmithError, ...]
    """Why some versions have no metadata; their releases say ``metadata=None``."""


class PyTorchIndex:
    """PyTorch's index, or what stands for it.

    Args:
        base: what stands for ``https://download.pytorch.org/whl``.
        overlay: where pages and listings are kept; of this server alone.
        wants_metadata: whether the requirements of a wheel could matter; asked where none are known.
        now: the time, with a zone.
        patience: timeouts and retries.

    Raises:
        CatalogError: CAT038 when base is no http or https URL.
    """

    def __init__(
        self,
        base: str,
        overlay: Overlay,
        *,
        wants_metadata: Callable[[Wheel], bool],
        now: Callable[[], datetime] = utc_now,
        patience: Patience | None = None,
    ) -> None:
        self.base = checked_base(base)
        self._overlay = overlay
        self._wants_metadata = wants_metadata
        self._now = now
        self._patience = patience

    def read(self, request: ReadRequest) -> Reading:
        """Read the pages of one index, join them with what is known, and keep the result in the overlay.

        Pages that were read are kept even when another one fails. Metadata that the time did not suffice for
        is read the next time. On stable and test, files known before stay although a page no longer lists
        them; on nightly they go.

        Raises:
            CatalogError: CAT030 to CAT033 for a page that cannot be trusted, CAT034 when the server has no
                page of this index.
            ToolError: TOL030 to TOL033, TOL057 when a page cannot be fetched, TOL035 when it cannot be kept.
        """
        deadline = Deadline(request.deadline_s)
        pages = self._read_pages(request, deadline)
        if all(page.state.absent for page in pages.values()):
            raise CatalogError(
                "CAT034",
                f"there is no index {request.index}",
                where=public_url(self.base),
                hint="check backend, channel and --index-base; see `envsmith catalog show`",
            )
        known = join_listings(request.known, self._before(request))
        wheels = _merged(request, pages, known)
        found = reusable_metadata(known, wheels)
        wanted = self._wanted(pages, found.keys())
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
        self._overlay.write_listing(listing)
        return Reading(listing=listing, problems=_problems(outcomes, deadline, public_url(self.base)))

    def _read_pages(self, request: ReadRequest, deadline: Deadline) -> dict[str, FetchedPage]:
        states = self._overlay.read_states(request.channel, request.backend)
        now = self._now()
        pages: dict[str, FetchedPage] = {}
        tasks: dict[str, Callable[[WebClient], FetchedPage]] = {}
        for project in request.projects:
            state = states.get(project)
            kept = self._kept(request, project, state) if state else None
            if kept and is_fresh(kept.state, now, request.max_age):
                pages[project] = kept
            else:
                tasks[project] = partial(fetch_page, self._address(request, project), kept, now)
        outcomes = run_all(list(tasks.values()), self._client(deadline), deadline)
        found = zip(tasks, outcomes, strict=True)
        fetched = {project: page for project, page in found if isinstance(page, FetchedPage)}
        self._keep(request, fetched, states)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome
            if outcome is None:
                raise deadline.passed(public_url(self.base))
        return pages | fetched

    def _kept(self, request: ReadRequest, project: str, state: PageState) -> FetchedPage | None:
        if state.absent:
            return FetchedPage(rows=(), state=state, body=b"")
        body = self._overlay.read_page(request.channel, request.backend, project, state)
        if body is None:
            return None
        try:
            return read_kept(self._address(request, project), state, body)
        except CatalogError:
            # Kept by a version that read pages otherwise: asked for anew.
            return None

    def _keep(
        self, request: ReadRequest, pages: Mapping[str, FetchedPage], states: dict[str, PageState]
    ) -> None:
        for project, page in pages.items():
            known = states.get(project)
            if not page.state.absent and (known is None or known.body_sha256 != page.state.body_sha256):
                self._overlay.write_page(request.channel, request.backend, project, page.body)
        if pages:
            fresh = {project: page.state for project, page in pages.items()}
            self._overlay.write_states(request.channel, request.backend, states | fresh)

    def _before(self, request: ReadRequest) -> Listing | None:
        try:
            return self._overlay.read_listing(request.channel, request.backend)
        except CatalogError:
            # About to be written anew, out of the pages; whoever only reads it is told.
            return None

    def _wanted(
        self, pages: Mapping[str, FetchedPage], known: Collection[Key]
    ) -> list[tuple[Key, tuple[PageRow, ...]]]:
        versions: dict[Key, list[PageRow]] = {}
        for page in pages.values():
            for row in page.rows:
                if not row.yanked:
                    versions.setdefault((row.wheel.name, str(row.wheel.version)), []).append(row)
        wanted = [
            (key, tuple(rows))
            for key, rows in versions.items()
            if key not in known and any(self._wants_metadata(row.wheel) for row in rows)
        ]
        # The newest first: they matter most where the time does not suffice for all.
        return sorted(wanted, key=lambda item: (Version(item[0][1]), item[0][0]), reverse=True)

    def _listing(
        self, request: ReadRequest, wheels: Iterable[Wheel], metadata: Mapping[Key, Metadata], newest: str
    ) -> Listing:
        return Listing(
            channel=request.channel,
            backend=request.backend,
            retrieved=newest[:10],
            source=f"{public_url(self.base)}/{request.index}",
            projects=group(wheels, metadata),
        )

    def _basis(self) -> str:
        day = self._now().astimezone(UTC).date().isoformat()
        return f"METADATA of the wheels at {public_url(self.base)}, read {day}"

    def _address(self, request: ReadRequest, project: str) -> PageAddress:
        return PageAddress(
            url=f"{self.base}/{request.index}/{project}/",
            root=self.base,
            index=request.index,
            project=project,
        )

    def _client(self, deadline: Deadline) -> Callable[[], AbstractContextManager[WebClient]]:
        return partial(open_client, deadline, self._patience)


def checked_base(base: str) -> str:
    """Return the address without a slash at its end.

    Raises:
        CatalogError: CAT038 when it is no http or https URL, or has a query or fragment.
    """
    try:
        parts = urlsplit(base)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = None
    if not usable or not base.isprintable() or set(base) & set(" ?#\\"):
        raise CatalogError(
            "CAT038",
            f"{public_url(base)!r} is no address of an index",
            hint=f"write it like {PYTORCH_BASE}: what stands before /cu128/torch/",
        )
    return base.rstrip("/")


def _merged(
    request: ReadRequest, pages: Mapping[str, FetchedPage], known: Mapping[Key, Release]
) -> tuple[Wheel, ...]:
    before: dict[str, list[Wheel]] = {}
    for (project, _), release in known.items():
        before.setdefault(project, []).extend(release.wheels())
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
        if outcome is None or (isinstance(outcome, EnvsmithError) and outcome.code == "TOL031"):
            late += 1
        elif isinstance(outcome, EnvsmithError):
            problems.append(outcome)
        elif isinstance(outcome, Exception):
            raise outcome
    if late:
        problems.append(deadline.passed(f"{where}: metadata of {late} versions"))
    return tuple(problems)
