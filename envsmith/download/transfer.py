"""Fetches one file by HTTP into its part, and goes on where it was broken off."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envsmith.download.incoming import AbsentError, BrokenError, Incoming, length, unreachable
from envsmith.download.part_file import PartFile
from envsmith.errors import ToolError
from envsmith.model.url import public_url
from envsmith.net.client import MAX_REDIRECTS, redirection
from envsmith.net.network_words import network_words

if TYPE_CHECKING:
    import requests

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Endurance:
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

    def __init__(self, session: requests.Session, endurance: Endurance, stop: threading.Event) -> None:
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
                    url, Incoming(part=part, size_bytes=size_bytes, heard=heard, where=public_url(url))
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
                    target = redirection(url, response.status_code, response.headers.get("Location"))
                    if target is None:
                        yield response
                        return
                    url = target
            raise unreachable(f"more than {MAX_REDIRECTS} redirects", public_url(url))
        except (
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            ConnectionError,
            TimeoutError,
        ) as error:
            raise BrokenError(f"the server could not be read: {network_words(error)}") from error

    def _pause(self, fruitless: int, wait_s: float) -> None:
        own_s = self._endurance.pause_s * 2 ** (fruitless - 1) if fruitless else 0.0
        if self._stop.wait(min(max(own_s, wait_s), self._endurance.longest_pause_s)):
            raise StoppedError
