"""Get files by HTTP: bounded in size and time, few retries, no way from https down to http.

Why a server could not be read, in words: what the libraries raise names their classes and the socket's numbers.

Remember which servers gave no answer, so that nobody waits for one of them twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from envsmith.errors import ToolError
from envsmith.model.url import public_url
from envsmith.net.deadline import Deadline

if TYPE_CHECKING:
    import requests


_WORDS = {
    "NameResolutionError": "its name could not be resolved",
    "gaierror": "its name could not be resolved",
    "ConnectionRefusedError": "it refused the connection",
    "NewConnectionError": "no connection could be made",
    "ConnectTimeoutError": "no connection within the time allowed",
    "ConnectTimeout": "no connection within the time allowed",
    "ReadTimeoutError": "it did not go on answering",
    "ReadTimeout": "it did not go on answering",
    "TimeoutError": "it did not answer in time",
    "ConnectionResetError": "it broke the connection off",
    "RemoteDisconnected": "it closed the connection without an answer",
    "IncompleteRead": "the answer broke off",
    "ProtocolError": "the answer broke off",
    "ProxyError": "the proxy could not be used",
    "SSLCertVerificationError": "its certificate is not trusted",
    "SSLError": "no secure connection",
}
MAX_REDIRECTS = 5
_RETRIED = frozenset({429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CHUNK = 1 << 16


def network_words(error: BaseException) -> str:
    """Return why a request failed, in one clause, without addresses."""
    chain = list(causes(error))
    for cause in reversed(chain):
        if words := _WORDS.get(type(cause).__name__):
            return words
    text = str(chain[-1]).rpartition(": ")[2].strip()[:200]
    return text if text and "://" not in text else type(chain[-1]).__name__


def causes(error: BaseException) -> list[BaseException]:
    """Return an error and what it wraps: requests wraps urllib3, which wraps the socket's error."""
    found = [error]
    while len(found) < 20:
        last = found[-1]
        inner = getattr(last, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((item for item in last.args if isinstance(item, BaseException)), last.__cause__)
        if not isinstance(inner, BaseException) or inner in found:
            break
        found.append(inner)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What a server answered, its body read whole."""

    url: str
    """Where it came from at last, after redirects."""
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How long to wait and how often to try again."""

    connect_s: float = 5.0
    read_s: float = 15.0
    attempts: int = 3
    pause_s: float = 0.25
    """Before the second attempt; doubled for each further one."""
    sleep: Callable[[float], None] = time.sleep


class WebClient:
    """One connection pool; used by one thread at a time. Opened with `open_client`."""

    def __init__(self, session: requests.Session, deadline: Deadline, patience: RetryPolicy) -> None:
        self._session = session
        self._deadline = deadline
        self._patience = patience

    def get(self, url: str, headers: Mapping[str, str], *, limit_bytes: int) -> Response:
        """Get a URL; a status of 400 or more comes back as an answer, but for those retried in vain.

        Raises:
            ToolError: TOL030 when the server cannot be reached, TOL031 when the time is over, TOL032 for a
                redirect not followed, TOL033 when the body is larger than limit_bytes, TOL057 when the server
                keeps failing.
        """
        where = public_url(url)
        for attempt in range(self._patience.attempts):
            if attempt:
                self._pause(attempt, where)
            last = attempt == self._patience.attempts - 1
            answer = self._attempt(url, headers, limit_bytes, last=last)
            if answer is not None:
                return answer
        raise AssertionError("the last attempt answers or raises")

    def _attempt(
        self, url: str, headers: Mapping[str, str], limit_bytes: int, *, last: bool
    ) -> Response | None:
        import requests
        import urllib3

        where = public_url(url)
        try:
            answer = self._follow(url, headers, limit_bytes)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            self._deadline.check(where)
            # A malformed URL or header fails alike each time.
            if last or isinstance(error, ValueError):
                raise _failed(where, f"the server could not be read: {network_words(error)}") from error
            return None
        if answer.status not in _RETRIED:
            return answer
        if last:
            raise bad_status(answer.status, where)
        return None

    def _pause(self, attempt: int, where: str) -> None:
        pause_s = self._patience.pause_s * 2 ** (attempt - 1)
        if pause_s >= self._deadline.remaining_s():
            raise self._deadline.passed(where)
        self._patience.sleep(pause_s)

    def _follow(self, url: str, headers: Mapping[str, str], limit_bytes: int) -> Response:
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._once(url, headers, limit_bytes)
            target = redirection(url, answer.status, answer.headers.get("location"))
            if target is None:
                return answer
            url = target
        raise _refused(url, f"more than {MAX_REDIRECTS} redirects")

    def _once(self, url: str, headers: Mapping[str, str], limit_bytes: int) -> Response:
        where = public_url(url)
        self._deadline.check(where)
        left_s = max(self._deadline.remaining_s(), 0.001)
        timeout = (min(self._patience.connect_s, left_s), min(self._patience.read_s, left_s))
        with self._session.get(
            url, headers=dict(headers), timeout=timeout, stream=True, allow_redirects=False
        ) as response:
            found = {name.lower(): value for name, value in response.headers.items()}
            body = b"" if response.status_code in _REDIRECTS else self._body(response, where, limit_bytes)
            return Response(url=url, status=response.status_code, headers=found, body=body)

    def _body(self, response: requests.Response, where: str, limit_bytes: int) -> bytes:
        length = response.headers.get("Content-Length", "")
        if length.isascii() and length.isdigit() and int(length) > limit_bytes:
            raise _too_large(where, limit_bytes)
        kept = bytearray()
        for chunk in _chunks(response):
            kept += chunk
            if len(kept) > limit_bytes:
                raise _too_large(where, limit_bytes)
            self._deadline.check(where)
        return bytes(kept)


@contextmanager
def open_client(deadline: Deadline, patience: RetryPolicy | None = None) -> Iterator[WebClient]:
    """Open a client and close its connections at the end."""
    import requests

    with requests.Session() as session:
        session.headers["User-Agent"] = "envsmith"
        yield WebClient(session, deadline, patience or RetryPolicy())


def redirection(url: str, status: int, location: str | None) -> str | None:
    """Return where an answer sends on to; None where it is the answer itself.

    Raises:
        ToolError: TOL032 where following would leave https.
    """
    if status not in _REDIRECTS or not location:
        return None
    target = urljoin(url, location)
    if urlsplit(target).scheme not in {urlsplit(url).scheme, "https"}:
        raise _refused(url, f"a redirect to {public_url(target)} leaves {urlsplit(url).scheme}")
    return target


def bad_status(status: int, where: str, hint: str = "") -> ToolError:
    """Return the error of a server that is there, but gives a status instead of what it was asked for."""
    return ToolError(
        "TOL057",
        f"the server answered {status}",
        where=where,
        hint=hint or "try again, name a mirror with --index-base, or use --catalog embedded",
    )


def _chunks(response: requests.Response) -> Iterator[bytes]:
    # read1 gives what one receive brought, so that a server which drips cannot outlast the deadline.
    read1 = getattr(response.raw, "read1", None)
    if read1 is None:
        yield from response.iter_content(1024)
        return
    while chunk := read1(_CHUNK, decode_content=True):
        yield chunk


def _failed(where: str, message: str) -> ToolError:
    return ToolError(
        "TOL030",
        message,
        where=where,
        hint="check the connection and proxy, name a mirror with --index-base, or use --catalog embedded",
    )


def _refused(url: str, message: str) -> ToolError:
    return ToolError(
        "TOL032",
        message,
        where=public_url(url),
        hint="name the address it really has, with https, by --index-base or --rewrite",
    )


def _too_large(where: str, limit_bytes: int) -> ToolError:
    return ToolError(
        "TOL033",
        f"the answer is larger than {limit_bytes} bytes",
        where=where,
        hint="check that the address is that of a package index",
    )


class UnreachableHosts:
    """The servers that could not be reached. One that answers with an error is there, and is asked again."""

    def __init__(self) -> None:
        self._found: set[str] = set()

    @contextmanager
    def asked(self, url: str) -> Iterator[None]:
        """Ask within this block.

        Raises:
            ToolError: TOL030 at once where the server was silent before.
        """
        server = urlsplit(url).netloc
        if server in self._found:
            raise ToolError("TOL030", "the server could not be reached before", where=public_url(url))
        try:
            yield
        except ToolError as error:
            if error.code in ("TOL030", "TOL031"):
                self._found.add(server)
            raise
