"""HTTP client: GET requests with limits on size and time, retries, and safe redirects."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from envsmith.errors import ToolError
from envsmith.model.url import origin, redact_url
from envsmith.net.deadline import Deadline, DeadlineError

if TYPE_CHECKING:
    import requests

MAX_REDIRECTS = 5
_RETRIED = frozenset({429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CHUNK_BYTES = 1 << 16
# Exception classes of requests, urllib3 and the standard library, by name: their own texts show addresses.
_DESCRIPTIONS = {
    "NameResolutionError": "host name not found",
    "gaierror": "host name not found",
    "ConnectionRefusedError": "connection refused",
    "NewConnectionError": "connection failed",
    "ConnectTimeoutError": "connection timed out",
    "ConnectTimeout": "connection timed out",
    "ReadTimeoutError": "timed out while reading",
    "ReadTimeout": "timed out while reading",
    "TimeoutError": "timed out",
    "ConnectionResetError": "connection reset",
    "RemoteDisconnected": "connection closed without an answer",
    "IncompleteRead": "incomplete answer",
    "ProtocolError": "incomplete answer",
    "ProxyError": "proxy not usable",
    "SSLCertVerificationError": "certificate not trusted",
    "SSLError": "no secure connection",
}


Credentials = Mapping[str, tuple[str, str]]
"""Scheme, host and port of a server → user and password."""
NO_CREDENTIALS: Credentials = MappingProxyType({})


class UnreachableError(ToolError):
    """TOL030: a server cannot be reached."""


class TooLargeError(ToolError):
    """TOL033: an answer is larger than its limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """Answer of a server, with its whole body."""

    url: str
    """Address after redirects."""
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Timeouts and number of attempts."""

    connect_s: float = 5.0
    read_s: float = 15.0
    attempts: int = 3
    pause_s: float = 0.25
    """Before the second attempt; doubled for each further one."""
    sleep: Callable[[float], None] = time.sleep


class WebClient:
    """One connection pool, for one thread at a time; open it with `open_client`."""

    def __init__(self, session: requests.Session, deadline: Deadline, policy: RetryPolicy) -> None:
        self._session = session
        self._deadline = deadline
        self._policy = policy

    def get(self, url: str, headers: Mapping[str, str], *, limit_bytes: int) -> Response:
        """Get a URL; return a response of any status but those that are retried.

        Raises:
            UnreachableError: TOL030 when the server cannot be reached.
            DeadlineError: TOL031 when the time is over.
            TooLargeError: TOL033 when the body is larger than limit_bytes.
            ToolError: TOL032 when a redirect leaves https or there are too many, TOL057 when the server keeps failing.
        """
        where = redact_url(url)
        for attempt in range(self._policy.attempts):
            if attempt:
                self._pause(attempt, where)
            last = attempt == self._policy.attempts - 1
            answer = self._attempt(url, headers, limit_bytes, last=last)
            if answer is not None:
                return answer
        raise AssertionError("the last attempt answers or raises")

    def _attempt(
        self, url: str, headers: Mapping[str, str], limit_bytes: int, *, last: bool
    ) -> Response | None:
        import requests
        import urllib3

        where = redact_url(url)
        try:
            answer = self._follow(url, headers, limit_bytes)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            self._deadline.check(where)
            # A ValueError means a malformed URL or header: another attempt would fail alike.
            if last or isinstance(error, ValueError):
                raise _unreachable(where, describe_network_error(error)) from error
            return None
        if answer.status not in _RETRIED:
            return answer
        if last:
            raise bad_status(answer.status, where)
        return None

    def _pause(self, attempt: int, where: str) -> None:
        pause_s = self._policy.pause_s * 2 ** (attempt - 1)
        if pause_s >= self._deadline.remaining_s():
            raise self._deadline.error(where)
        self._policy.sleep(pause_s)

    def _follow(self, url: str, headers: Mapping[str, str], limit_bytes: int) -> Response:
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._request(url, headers, limit_bytes)
            target = redirect_target(url, answer.status, answer.headers.get("location"))
            if target is None:
                return answer
            url = target
        raise _bad_redirect(url, f"more than {MAX_REDIRECTS} redirects")

    def _request(self, url: str, headers: Mapping[str, str], limit_bytes: int) -> Response:
        where = redact_url(url)
        self._deadline.check(where)
        left_s = max(self._deadline.remaining_s(), 0.001)
        timeout = (min(self._policy.connect_s, left_s), min(self._policy.read_s, left_s))
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
        body = bytearray()
        for chunk in _chunks(response):
            body += chunk
            if len(body) > limit_bytes:
                raise _too_large(where, limit_bytes)
            self._deadline.check(where)
        return bytes(body)


@contextmanager
def open_client(
    deadline: Deadline, policy: RetryPolicy | None = None, credentials: Credentials = NO_CREDENTIALS
) -> Iterator[WebClient]:
    """Open a client, and close its connections at the end of the block."""
    with open_session(credentials) as session:
        yield WebClient(session, deadline, policy or RetryPolicy())


@contextmanager
def open_session(credentials: Credentials) -> Iterator[requests.Session]:
    """Open a session, and close its connections at the end of the block.

    Args:
        credentials: origin of a server → user and password; the netrc file has those of the others.
    """
    import requests

    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        url = request.url or ""
        if found := credentials.get(origin(url)) or requests.utils.get_netrc_auth(url):
            requests.auth.HTTPBasicAuth(*found)(request)
        return request

    with requests.Session() as session:
        session.headers["User-Agent"] = "envsmith"
        if credentials:
            session.auth = sign
        yield session


class UnreachableHosts:
    """Hosts that could not be reached: each costs one timeout. A host that answers with an error is reachable."""

    def __init__(self) -> None:
        self._hosts: set[str] = set()

    @contextmanager
    def guard(self, url: str) -> Iterator[None]:
        """Run requests to a URL inside the block, and remember its host if it cannot be reached.

        Raises:
            UnreachableError: TOL030 at once when the host could not be reached before.
        """
        host = urlsplit(url).netloc
        if host in self._hosts:
            raise _unreachable(redact_url(url), "no answer to an earlier request")
        try:
            yield
        except (UnreachableError, DeadlineError):
            self._hosts.add(host)
            raise


def redirect_target(url: str, status: int, location: str | None) -> str | None:
    """Return the address a response redirects to, or None if it is not a redirect.

    Raises:
        ToolError: TOL032 when the redirect leaves https.
    """
    if status not in _REDIRECTS or not location:
        return None
    target = urljoin(url, location)
    if urlsplit(target).scheme not in {urlsplit(url).scheme, "https"}:
        raise _bad_redirect(url, f"a redirect to {redact_url(target)} leaves {urlsplit(url).scheme}")
    return target


def describe_network_error(error: BaseException) -> str:
    """Return the cause of a failed request in a few words, without addresses."""
    chain = list(causes(error))
    for cause in reversed(chain):
        if text := _DESCRIPTIONS.get(type(cause).__name__):
            return text
    text = str(chain[-1]).rpartition(": ")[2].strip()[:200]
    return text if text and "://" not in text else type(chain[-1]).__name__


def causes(error: BaseException) -> list[BaseException]:
    """Return an error and those it wraps: requests wraps urllib3, which wraps the socket's error."""
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


def bad_status(status: int, where: str, hint: str = "") -> ToolError:
    """Return the error for a status other than success."""
    return ToolError(
        "TOL057",
        f"the server answered {status}",
        where=where,
        hint=hint or "try again, name a mirror with --index-base, or use --catalog embedded",
    )


def _chunks(response: requests.Response) -> Iterator[bytes]:
    # read1 returns after one receive: a server that sends byte by byte cannot outlast the deadline.
    read1 = getattr(response.raw, "read1", None)
    if read1 is None:
        yield from response.iter_content(1024)
        return
    while chunk := read1(_CHUNK_BYTES, decode_content=True):
        yield chunk


def _unreachable(where: str, cause: str) -> UnreachableError:
    return UnreachableError(
        "TOL030",
        f"the server could not be reached: {cause}",
        where=where,
        hint="check the connection and proxy, name a mirror with --index-base, or use --catalog embedded",
    )


def _bad_redirect(url: str, message: str) -> ToolError:
    return ToolError(
        "TOL032",
        message,
        where=redact_url(url),
        hint="give the final https address with --index-base or --rewrite",
    )


def _too_large(where: str, limit_bytes: int) -> TooLargeError:
    return TooLargeError(
        "TOL033",
        f"the answer is larger than {limit_bytes} bytes",
        where=where,
        hint="check that the address is that of a package index",
    )
