"""Reader of routed projects: their wheels on another index or on a page of links."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from packaging.version import Version

from envsmith.errors import CatalogError, EnvsmithError, ProfileError, ToolError
from envsmith.files.text import open_regular, read_regular
from envsmith.host.current import utc_text
from envsmith.index.simple_api import ACCEPT, MAX_PAGE_BYTES, PageAddress, PageRow, parse_page
from envsmith.index.wheel_metadata import parse_metadata, read_metadata, read_requirements
from envsmith.model.route import RouteEntry, RoutePage
from envsmith.model.url import check_address
from envsmith.model.wheel import Wheel
from envsmith.net.client import RetryPolicy, WebClient, open_client
from envsmith.net.deadline import Deadline, run_all

DEADLINE_S = 120.0
_MOST_OTHERS = 6
_MOST_WHEEL_BYTES = 32 * 10**9
# A root that no link matches: a routed page is not a mirror of PyTorch's index.
_NO_ROOT = "https://pytorch.invalid/whl"


class RoutedPages:
    """Reads the wheels of routed projects and their requirements.

    Args:
        now: clock, with a time zone.
        policy: timeouts and retries.
    """

    def __init__(self, now: Callable[[], datetime], policy: RetryPolicy | None = None) -> None:
        self._now = now
        self._policy = policy

    def read(self, project: str, url: str, is_wanted: Callable[[Wheel], bool]) -> RoutePage:
        """Read a project's page, and the METADATA of the wanted wheels.

        Raises:
            CatalogError: CAT030 to CAT036 when a page or wheel is malformed.
            ToolError: TOL030 to TOL034, TOL057 when one cannot be fetched, TOL045 when the page does not exist.
        """
        try:
            return self._read(project, url, is_wanted)
        except (CatalogError, ToolError) as error:
            # The errors have hints about PyTorch's index.
            error.hint = f"check the address under [routes] of the profile, or remove {project} there"
            raise error.at(f"routes.{project}")  # noqa: B904 - the same error, with its place

    def _read(self, project: str, url: str, is_wanted: Callable[[Wheel], bool]) -> RoutePage:
        deadline = Deadline(DEADLINE_S)
        opened = partial(open_client, deadline, self._policy)
        with opened() as client:
            is_flat, found = _rows(client, project, url)
        usable = [row for row in found if _is_usable(row.wheel)]
        wanted = [row for row in usable if is_wanted(row.wheel)]
        outcomes = run_all([partial(_read_row, row) for row in wanted], opened, deadline)
        rows: list[RouteEntry] = []
        for row, outcome in zip(wanted, outcomes, strict=True):
            if isinstance(outcome, EnvsmithError) and row.wheel.yanked is not None:
                continue  # its file may be withdrawn as well
            if isinstance(outcome, Exception):
                raise outcome
            if outcome is None:
                raise deadline.error(url)
            rows.append(outcome)
        others = sorted((row.wheel for row in usable if row not in wanted), key=_newest, reverse=True)
        return RoutePage(
            project=project,
            url=url,
            is_flat=is_flat,
            read_at=utc_text(self._now()),
            entries=tuple(sorted(rows, key=lambda row: row.wheel.filename)),
            others=tuple(wheel.filename for wheel in others[:_MOST_OTHERS]),
        )


def _newest(wheel: Wheel) -> tuple[Version, str]:
    return wheel.version, wheel.filename


def _is_usable(wheel: Wheel) -> bool:
    """Say whether a lock may contain the wheel's address: without a query, and by https."""
    try:
        check_address(wheel.url)
    except ProfileError:
        return False
    return True


def _rows(client: WebClient, project: str, url: str) -> tuple[bool, tuple[PageRow, ...]]:
    """Return whether the page is flat, and its rows; an address that ends in ``.html`` is a flat page."""
    if not re.search(r"\.html?$", url):
        page = _page(client, project, url, f"{url.rstrip('/')}/{project}/", is_flat=False)
        if page is not None:
            return False, page
    page = _page(client, project, url, url, is_flat=True)
    if page is None:
        raise ToolError("TOL045", "the page does not exist", where=url)
    return True, page


def _page(
    client: WebClient, project: str, route: str, url: str, *, is_flat: bool
) -> tuple[PageRow, ...] | None:
    if url.startswith("file:"):
        return _local_page(project, route, url, is_flat=is_flat)
    answer = client.get(url, {"Accept": ACCEPT}, limit_bytes=MAX_PAGE_BYTES)
    if answer.status in {403, 404, 410}:
        return None
    if answer.status != 200:
        raise ToolError("TOL045", f"the server answered {answer.status}", where=url)
    address = PageAddress(url=answer.url, root=_NO_ROOT, index=route, project=project)
    return parse_page(answer.body, answer.headers.get("content-type", ""), address, is_flat=is_flat)


def _local_page(project: str, route: str, url: str, *, is_flat: bool) -> tuple[PageRow, ...] | None:
    path = _path(url)
    path = path / "index.html" if path.is_dir() else path
    try:
        body = read_regular(path, MAX_PAGE_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise _unreadable(url, error) from error
    address = PageAddress(url=path.as_uri(), root=_NO_ROOT, index=route, project=project)
    return parse_page(body, "text/html", address, is_flat=is_flat)


def _unreadable(url: str, error: OSError | ValueError) -> ToolError:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return ToolError("TOL045", f"cannot be read: {reason}", where=url)


def _path(url: str) -> Path:
    return Path(url2pathname(urlsplit(url).path))


def _read_row(row: PageRow, client: WebClient) -> RouteEntry:
    """Return a row with its requirements and, for a local file, its hash."""
    if row.served_url.startswith("file:"):
        return _read_local_row(row)
    found = read_requirements(client, row, may_lack_label=True)
    return RouteEntry(
        wheel=row.wheel, requires_dist=found.requires_dist, requires_python=found.requires_python
    )


def _read_local_row(row: PageRow) -> RouteEntry:
    path = _path(row.served_url)
    try:
        with open_regular(path, _MOST_WHEEL_BYTES) as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            body = read_metadata(file, row.served_url)
    except OSError as error:
        raise _unreadable(row.served_url, error) from error
    if row.wheel.sha256 not in (None, sha256):
        raise CatalogError(
            "CAT041", f"it has sha256 {sha256}, but its page says {row.wheel.sha256}", where=row.served_url
        )
    found = parse_metadata(body, row.wheel, row.served_url, may_lack_label=True)
    return RouteEntry(
        wheel=row.wheel,
        computed=sha256,
        requires_dist=found.requires_dist,
        requires_python=found.requires_python,
    )
