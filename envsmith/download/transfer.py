"""Resumable HTTP downloads of one file: checks of each response, and retries."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envsmith.download.part_file import PartFile, PartOrigin
from envsmith.errors import ToolError
from envsmith.model.url import redact_url
from envsmith.net.client import MAX_REDIRECTS, describe_network_error, redirect_target

if TYPE_CHECKING:
    import requests


# Content-Range of RFC 9110, 14.4; at most 18 digits, so that no number is too large for other programs.
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
# A strong ETag; a weak one (W/"…") does not identify bytes.
_STRONG_ETAG = re.compile(r'"[\x21\x23-\x7e]{0,200}"')
_NOT_AVAILABLE = frozenset({401, 403, 404, 410, 451})
_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
_CHUNK_BYTES = 1 << 20


class InterruptedTransferError(Exception):
    """A response ended early, or asks for a later retry."""

    def __init__(self, why: str, wait_s: float = 0.0) -> None:
        super().__init__(why)
        self.why = why
        self.wait_s = wait_s


class FileNotServedError(ToolError):
    """The server does not have the file, or denies access."""


class StoppedError(Exception):
    """The download was stopped by an error of another file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferPolicy:
    """Timeouts and retries."""

    connect_s: float = 10.0
    read_s: float = 30.0
    tries: int = 5
    """Responses without new bytes in a row."""
    max_responses: int = 200
    pause_s: float = 0.5
    """After the first response without new bytes; doubled after each further one."""
    max_pause_s: float = 10.0
    slow_bytes_per_s: float = 1000.0
    """The connection of a slower server is closed, and the request repeated."""
    slow_after_s: float = 30.0
    """Period over which the rate is measured."""
    held_s: float = 900.0
    """How long another process may keep a file without new bytes; more than its own timeouts take."""
    clock: Callable[[], float] = time.monotonic


@dataclass(slots=True, kw_only=True)
class ResponseChecker:
    """Checks that each response continues the bytes received so far."""

    part: PartFile
    size_bytes: int | None
    moved: Callable[[int], None]
    where: str

    @property
    def is_complete(self) -> bool:
        """Whether nothing needs to be fetched: the size is reached, or the hash is right."""
        if self.size_bytes is None:
            return self.part.size > 0 and self.part.is_verified
        return self.part.size == self.size_bytes

    @property
    def is_at_end(self) -> bool:
        """Whether the size stated by lock or server is reached; always true without a stated size."""
        return self._expected_size is None or self.part.size >= self._expected_size

    def begin(self, status: int, headers: Mapping[str, str]) -> bool:
        """Check the status and headers of a response; return whether to read its body."""
        if status in _NOT_AVAILABLE:
            raise FileNotServedError(
                "TOL047",
                f"the server answered {status}",
                where=self.where,
                hint="check your permissions, or use a mirror with --rewrite",
            )
        if status in _RETRIED:
            raise InterruptedTransferError(f"the server answered {status}", _retry_after(headers))
        if status == 206:
            return self._begin_range(headers)
        if status == 416:
            return self._range_not_satisfiable(headers)
        if status != 200:
            raise unavailable(f"the server answered {status}", self.where)
        if self.part.size:
            self.restart()
        self._begin(headers, content_length(headers))
        return True

    def add(self, chunk: bytes) -> None:
        """Append bytes, up to the expected size.

        Raises:
            ToolError: TOL048 beyond it.
        """
        if self._expected_size is not None and self.part.size + len(chunk) > self._expected_size:
            raise wrong_file(f"more than {self._expected_size} bytes", self.where)
        self.part.write(chunk)
        self.moved(len(chunk))

    def restart(self) -> None:
        """Discard the bytes received so far: they are not part of the server's file."""
        self.moved(-self.part.size)
        self.part.restart()

    @property
    def _expected_size(self) -> int | None:
        return self.part.origin.size_bytes if self.size_bytes is None else self.size_bytes

    def _begin_range(self, headers: Mapping[str, str]) -> bool:
        found = _RANGE.fullmatch(headers.get("Content-Range", "").strip())
        total = int(found[3]) if found and found[3] != "*" else None
        known = self.part.origin
        is_same = "" in (known.etag, _etag(headers)) or known.etag == _etag(headers)
        is_same = is_same and (None in (known.size_bytes, total) or known.size_bytes == total)
        if found is None or int(found[1]) != self.part.size or not is_same:
            self.restart()
            raise InterruptedTransferError("the file changed, or the server sent another range")
        self._begin(headers, total)
        return True

    def _range_not_satisfiable(self, headers: Mapping[str, str]) -> bool:
        total = headers.get("Content-Range", "").strip().removeprefix("bytes */")
        if self.part.size and total == str(self.part.size) and self.part.is_verified:
            self.part.origin = PartOrigin(size_bytes=self.part.size)
            return False
        self.restart()
        raise InterruptedTransferError("the server does not have the requested range")

    def _begin(self, headers: Mapping[str, str], total: int | None) -> None:
        if None not in (total, self.size_bytes) and total != self.size_bytes:
            raise wrong_file(f"{total} bytes instead of {self.size_bytes}", self.where)
        self.part.begin_response(PartOrigin(etag=_etag(headers), size_bytes=total))


def _etag(headers: Mapping[str, str]) -> str:
    """Return a strong ETag (RFC 9110, 8.8.1 and 13.1.5, read 2026-11-21); empty without one."""
    text = headers.get("ETag", "").strip()
    return text if _STRONG_ETAG.fullmatch(text) else ""


def content_length(headers: Mapping[str, str]) -> int | None:
    """Return the Content-Length of a response; None without a valid one."""
    text = headers.get("Content-Length", "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _retry_after(headers: Mapping[str, str]) -> float:
    text = headers.get("Retry-After", "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0.0


def unavailable(why: str, where: str) -> ToolError:
    """Return the error for a server that does not send the file at present."""
    return ToolError(
        "TOL047",
        why,
        where=where,
        hint="run the command again later, or use a mirror with --rewrite; downloaded bytes are kept",
    )


def wrong_file(why: str, where: str) -> ToolError:
    """Return the error for a server whose file is not the locked one."""
    return ToolError(
        "TOL048",
        f"the server's file is not the locked one: {why}",
        where=where,
        hint="do not use the file of this server; use another mirror with --rewrite",
    )


class Transfer:
    """Downloads files one after the other, in one thread.

    Args:
        session: open connections.
        policy: timeouts and retries.
        stop: set to stop the download.
    """

    def __init__(self, session: requests.Session, policy: TransferPolicy, stop: threading.Event) -> None:
        self._session = session
        self._policy = policy
        self._stop = stop

    def fetch(
        self, urls: Iterable[str], part: PartFile, size_bytes: int | None, moved: Callable[[int], None]
    ) -> None:
        """Download a file to its end; the caller checks its hash.

        Args:
            urls: the next one is used if a server does not have the file.
            part: receives the bytes; those it has are not downloaded again.
            size_bytes: of the complete file, if known.
            moved: called with the number of new bytes, negative for discarded ones.

        Raises:
            ToolError: TOL047 when no server sends the file, TOL048 when it is not the locked one, TOL032 for a
                redirect that is not followed, TOL043 and TOL046 for disk errors.
            StoppedError: when stopped.
        """
        refused: ToolError | None = None
        for url in urls:
            checker = ResponseChecker(part=part, size_bytes=size_bytes, moved=moved, where=redact_url(url))
            try:
                return self._fetch(url, checker)
            except FileNotServedError as error:
                refused = error
        raise refused or unavailable("no URL is known", "")

    def size(self, urls: Iterable[str]) -> int | None:
        """Return the size of a file by the first server that states it; None if none does."""
        for url in urls:
            try:
                with self._request(url, {"Accept-Encoding": "identity"}, method="HEAD") as response:
                    if response.status_code == 200:
                        return content_length(response.headers)
            except (InterruptedTransferError, ToolError):
                continue
        return None

    def _fetch(self, url: str, checker: ResponseChecker) -> None:
        if checker.is_complete:
            return
        fruitless = 0
        for _ in range(self._policy.max_responses):
            before = checker.part.size
            try:
                self._fetch_once(url, checker)
            except InterruptedTransferError as error:
                fruitless = 0 if checker.part.size > before else fruitless + 1
                if fruitless >= self._policy.tries:
                    raise unavailable(error.why, checker.where) from error
                self._pause(fruitless, error.wait_s)
            else:
                return
        raise unavailable(f"interrupted {self._policy.max_responses} times", checker.where)

    def _fetch_once(self, url: str, checker: ResponseChecker) -> None:
        part = checker.part
        headers = {"Accept-Encoding": "identity"}
        if part.size:
            headers["Range"] = f"bytes={part.size}-"
            if part.origin.etag:
                headers["If-Range"] = part.origin.etag
        with self._request(url, headers) as response:
            if checker.begin(response.status_code, response.headers):
                self._read_body(response, checker)
        if not checker.is_at_end:
            raise InterruptedTransferError("the response ended early")

    def _read_body(self, response: requests.Response, checker: ResponseChecker) -> None:
        policy = self._policy
        begun, size = policy.clock(), checker.part.size
        while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=False):
            checker.add(chunk)
            if self._stop.is_set():
                raise StoppedError
            elapsed_s = policy.clock() - begun
            if elapsed_s >= policy.slow_after_s:
                received = checker.part.size - size
                if received < policy.slow_bytes_per_s * elapsed_s:
                    raise InterruptedTransferError(f"only {received} bytes in {elapsed_s:.0f} s")
                begun, size = policy.clock(), checker.part.size

    @contextmanager
    def _request(
        self, url: str, headers: Mapping[str, str], method: str = "GET"
    ) -> Iterator[requests.Response]:
        """Send a request, follow redirects, and yield the response; network errors interrupt the transfer."""
        import requests
        import urllib3

        timeout = (self._policy.connect_s, self._policy.read_s)
        try:
            for _ in range(MAX_REDIRECTS + 1):
                if self._stop.is_set():
                    raise StoppedError
                with self._session.request(
                    method, url, headers=dict(headers), timeout=timeout, stream=True, allow_redirects=False
                ) as response:
                    target = redirect_target(url, response.status_code, response.headers.get("Location"))
                    if target is None:
                        yield response
                        return
                    url = target
            raise unavailable(f"more than {MAX_REDIRECTS} redirects", redact_url(url))
        except (
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            ConnectionError,
            TimeoutError,
        ) as error:
            raise InterruptedTransferError(
                f"cannot read from the server: {describe_network_error(error)}"
            ) from error

    def _pause(self, fruitless: int, wait_s: float) -> None:
        own_s = self._policy.pause_s * 2 ** (fruitless - 1) if fruitless else 0.0
        if self._stop.wait(min(max(own_s, wait_s), self._policy.max_pause_s)):
            raise StoppedError
