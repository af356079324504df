"""Fetches one file by HTTP into its part, and goes on where it was broken off.

What comes of one file: each answer of a server is judged before its bytes join those that are here.
"""

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


_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
_ABSENT = frozenset({401, 403, 404, 410, 451})
_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
_CHUNK = 1 << 20


class BrokenError(Exception):
    """The answer ended early or said to come later."""

    def __init__(self, why: str, wait_s: float = 0.0) -> None:
        super().__init__(why)
        self.why = why
        self.wait_s = wait_s


class AbsentError(ToolError):
    """The server does not have the file, or does not give it to us."""


@dataclass(slots=True, kw_only=True)
class Incoming:
    """Takes the answers for one file, and judges whether they go on where the last one ended."""

    part: PartFile
    size_bytes: int | None
    heard: Callable[[int], None]
    where: str

    @property
    def is_whole(self) -> bool:
        """Whether nothing need be fetched: as many bytes as the file has, or already the right ones."""
        if self.size_bytes is None:
            return self.part.size > 0 and self.part.is_proved
        return self.part.size == self.size_bytes

    @property
    def is_at_end(self) -> bool:
        """Whether as many bytes are here as the server said; where it said nothing the hash alone can tell."""
        return self._expected is None or self.part.size >= self._expected

    def begin(self, status: int, headers: Mapping[str, str]) -> bool:
        """Take note of an answer's head, and say whether its body is to be read."""
        if status in _ABSENT:
            raise AbsentError(
                "TOL047",
                f"the server answered {status}",
                where=self.where,
                hint="check your permission to read it; name a mirror that has it with --rewrite",
            )
        if status in _LATER:
            raise BrokenError(f"the server answered {status}", _retry_after(headers))
        if status == 206:
            return self._goes_on(headers)
        if status == 416:
            return self._is_past_the_end(headers)
        if status != 200:
            raise unreachable(f"the server answered {status}", self.where)
        if self.part.size:
            self.restart()
        self._begin(headers, length(headers))
        return True

    def add(self, chunk: bytes) -> None:
        """Keep bytes, but never more than the file can have."""
        if self._expected is not None and self.part.size + len(chunk) > self._expected:
            raise other_file(f"it sends more than {self._expected} bytes", self.where)
        self.part.write(chunk)
        self.heard(len(chunk))

    def restart(self) -> None:
        """Begin anew: what is here does not belong to what the server has."""
        self.heard(-self.part.size)
        self.part.restart()

    @property
    def _expected(self) -> int | None:
        return self.part.origin.size_bytes if self.size_bytes is None else self.size_bytes

    def _goes_on(self, headers: Mapping[str, str]) -> bool:
        found = _RANGE.fullmatch(headers.get("Content-Range", "").strip())
        total = int(found[3]) if found and found[3] != "*" else None
        known = self.part.origin
        is_same = "" in (known.etag, _etag(headers)) or known.etag == _etag(headers)
        is_same = is_same and (None in (known.size_bytes, total) or known.size_bytes == total)
        if found is None or int(found[1]) != self.part.size or not is_same:
            self.restart()
            raise BrokenError("the file changed, or another part than asked for came")
        self._begin(headers, total)
        return True

    def _is_past_the_end(self, headers: Mapping[str, str]) -> bool:
        total = headers.get("Content-Range", "").strip().removeprefix("bytes */")
        if self.part.size and total == str(self.part.size) and self.part.is_proved:
            self.part.origin = PartOrigin(size_bytes=self.part.size)
            return False
        self.restart()
        raise BrokenError("the server has no such part of the file")

    def _begin(self, headers: Mapping[str, str], total: int | None) -> None:
        if None not in (total, self.size_bytes) and total != self.size_bytes:
            raise other_file(f"it has {total} bytes, and the lock's has {self.size_bytes}", self.where)
        self.part.begin_piece(PartOrigin(etag=_etag(headers), size_bytes=total))


def _etag(headers: Mapping[str, str]) -> str:
    """Return an ETag that vouches for each byte (RFC 9110, 8.8.1 and 13.1.5, read 2026-11-21); else nothing."""
    text = headers.get("ETag", "").strip()
    return text if re.fullmatch(r'"[\x21\x23-\x7e]{0,200}"', text) else ""


def length(headers: Mapping[str, str]) -> int | None:
    """Return how long a server says its answer is; None where it does not say."""
    text = headers.get("Content-Length", "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _retry_after(headers: Mapping[str, str]) -> float:
    text = headers.get("Retry-After", "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0.0


def unreachable(why: str, where: str) -> ToolError:
    """Return the error for a server that does not give the file, for now."""
    return ToolError(
        "TOL047",
        why,
        where=where,
        hint="run the command again when the server answers: what was fetched is kept; --rewrite names a mirror",
    )


def other_file(why: str, where: str) -> ToolError:
    """Return the error for a server that has other bytes than the lock says."""
    return ToolError(
        "TOL048",
        f"the server has another file: {why}",
        where=where,
        hint="do not use what that server has; another mirror can be named with --rewrite",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferPolicy:
    """How long to wait for a server, and how often to come back."""

    connect_s: float = 10.0
    read_s: float = 30.0
    tries: int = 5
    """Answers in a row that brought nothing new."""
    most: int = 200
    """Answers in all."""
    pause_s: float = 0.5
    """After the first answer that brought nothing; doubled for each further one."""
    longest_pause_s: float = 10.0
    slow_bytes_per_s: float = 1000.0
    slow_after_s: float = 30.0
    """A server slower than that for so long is left, and asked anew."""
    clock: Callable[[], float] = time.monotonic


class StoppedError(Exception):
    """The work is to end."""


class Transfer:
    """Fetches files, one after the other; used by one thread.

    Args:
        session: the connections.
        endurance: how patient to be.
        stop: set when the work is to end.
    """

    def __init__(self, session: requests.Session, endurance: TransferPolicy, stop: threading.Event) -> None:
        self._session = session
        self._endurance = endurance
        self._stop = stop

    def fetch(
        self, urls: Iterable[str], part: PartFile, size_bytes: int | None, heard: Callable[[int], None]
    ) -> None:
        """Fetch a file until the server says that it is whole; its hash is the caller's to judge.

        Args:
            urls: where it may lie; the next one is asked where a server does not have it.
            part: gets the bytes; those it has are not fetched again.
            size_bytes: of the whole file, where the lock says it.
            heard: gets the number of new bytes, below zero where bytes are thrown away.

        Raises:
            ToolError: TOL047 when no server gives it, TOL048 when one has another file, TOL032 for a redirect
                not followed, TOL043 and TOL046 when the disk refuses.
            StoppedError: when the work is to end.
        """
        refused: ToolError | None = None
        for url in urls:
            try:
                return self._fetch(
                    url, Incoming(part=part, size_bytes=size_bytes, heard=heard, where=redact_url(url))
                )
            except AbsentError as error:
                refused = error
        raise refused or unreachable("no address of it is known", "")

    def size(self, urls: Iterable[str]) -> int | None:
        """Return how large a server says a file is; None where it does not say, or is not there."""
        for url in urls:
            try:
                with self._answer(url, {"Accept-Encoding": "identity"}, method="HEAD") as response:
                    if response.status_code == 200:
                        return length(response.headers)
            except (BrokenError, ToolError):
                continue
        return None

    def _fetch(self, url: str, incoming: Incoming) -> None:
        if incoming.is_whole:
            return
        fruitless = 0
        for _ in range(self._endurance.most):
            before = incoming.part.size
            try:
                self._once(url, incoming)
            except BrokenError as error:
                fruitless = 0 if incoming.part.size > before else fruitless + 1
                if fruitless >= self._endurance.tries:
                    raise unreachable(error.why, incoming.where) from error
                self._pause(fruitless, error.wait_s)
            else:
                return
        raise unreachable(f"it broke off {self._endurance.most} times", incoming.where)

    def _once(self, url: str, incoming: Incoming) -> None:
        part = incoming.part
        headers = {"Accept-Encoding": "identity"}
        if part.size:
            headers["Range"] = f"bytes={part.size}-"
            if part.origin.etag:
                headers["If-Range"] = part.origin.etag
        with self._answer(url, headers) as response:
            if incoming.begin(response.status_code, response.headers):
                self._stream(response, incoming)
        if not incoming.is_at_end:
            raise BrokenError("the answer broke off")

    def _stream(self, response: requests.Response, incoming: Incoming) -> None:
        endurance = self._endurance
        begun, size = endurance.clock(), incoming.part.size
        while chunk := response.raw.read1(_CHUNK, decode_content=False):
            incoming.add(chunk)
            if self._stop.is_set():
                raise StoppedError
            passed_s = endurance.clock() - begun
            if passed_s >= endurance.slow_after_s:
                if incoming.part.size - size < endurance.slow_bytes_per_s * passed_s:
                    raise BrokenError(f"it sent {incoming.part.size - size} bytes in {passed_s:.0f} s")
                begun, size = endurance.clock(), incoming.part.size

    @contextmanager
    def _answer(
        self, url: str, headers: Mapping[str, str], method: str = "GET"
    ) -> Iterator[requests.Response]:
        """Ask, follow redirects, and lend the answer; what goes wrong on the way breaks it off."""
        import requests
        import urllib3

        timeout = (self._endurance.connect_s, self._endurance.read_s)
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
            raise unreachable(f"more than {MAX_REDIRECTS} redirects", redact_url(url))
        except (
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            ConnectionError,
            TimeoutError,
        ) as error:
            raise BrokenError(f"the server could not be read: {describe_network_error(error)}") from error

    def _pause(self, fruitless: int, wait_s: float) -> None:
        own_s = self._endurance.pause_s * 2 ** (fruitless - 1) if fruitless else 0.0
        if self._stop.wait(min(max(own_s, wait_s), self._endurance.longest_pause_s)):
            raise StoppedError
