"""A file server on this machine that answers HTTP ranges, and goes wrong on purpose.

Use::

    with RangeServer() as server:
        url = server.put("torch-1-py3-none-any.whl", body)
        server.plan("torch-1-py3-none-any.whl", Step(cut_at=1000), Step(status=503))
        ...
        assert server.ranges("torch-1-py3-none-any.whl") == ["", "bytes=1000-", "bytes=1000-"]

Requests with GET take the planned steps in turn; when none is left the file is served as it should be.
"""

from __future__ import annotations

import hashlib
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import quote, unquote, urlsplit


@dataclass(frozen=True, kw_only=True)
class Step:
    """How one request is answered."""

    status: int = 0
    """Instead of 200 and 206, with an empty body."""
    cut_at: int | None = None
    """The connection breaks off after the file's first bytes up to here."""
    body: bytes | None = None
    """Another file, all of a sudden."""
    etag: str | None = None
    """As the header says it; an empty text leaves it out."""
    ignores_range: bool = False
    has_length: bool = True
    content_range: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    drip_s: float = 0.0
    """Pause before every further 64 bytes."""
    gate: threading.Event | None = None
    """Half of the bytes are sent, the rest when it is set."""


@dataclass
class _State:
    files: dict[str, bytes] = field(default_factory=dict)
    steps: dict[str, list[Step]] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    guard: threading.Lock = field(default_factory=threading.Lock)
    ended: threading.Event = field(default_factory=threading.Event)
    has_heads: bool = True
    headers: dict[str, dict[str, str]] = field(default_factory=dict)


class RangeServer:
    """The server; it runs between ``with`` and its end."""

    def __init__(self, *, has_heads: bool = True) -> None:
        self._state = _State(has_heads=has_heads)

    def __enter__(self) -> Self:
        state = self._state

        class Handler(_Handler):
            served = state

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._state.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def origin(self) -> str:
        """``http://127.0.0.1:<port>``."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def put(self, path: str, body: bytes) -> str:
        """Serve a file, and return its address."""
        self._state.files[path] = body
        return f"{self.origin}/{quote(path)}"

    @property
    def headers(self) -> dict[str, dict[str, str]]:
        """Headers by path, sent with each file."""
        return self._state.headers

    def plan(self, path: str, *steps: Step) -> None:
        """Answer the next requests of a path that way, in turn."""
        self._state.steps.setdefault(path, []).extend(steps)

    def calm(self) -> None:
        """Answer as it should be from now on."""
        self._state.steps.clear()

    def requests_of(self, path: str) -> list[dict[str, str]]:
        """Return the headers (names in lower case) of each GET of a path, in order."""
        return [
            headers
            for method, found, headers in list(self._state.requests)
            if (method, found) == ("GET", path)
        ]

    def ranges(self, path: str) -> list[str]:
        """Return the range that each GET of a path asked for."""
        return [headers.get("range", "") for headers in self.requests_of(path)]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients under test hang up."""


class _Handler(BaseHTTPRequestHandler):
    served: _State
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
        """Say nothing."""

    def do_HEAD(self) -> None:
        """Say how large a file is."""
        self._note("HEAD")
        body = self.served.files.get(self._path)
        is_there = body is not None and self.served.has_heads
        self._head(200 if is_there else 405, {"Content-Length": str(len(body or b"")) if is_there else "0"})

    def do_GET(self) -> None:
        """Answer as planned."""
        self._note("GET")
        with self.served.guard:
            steps = self.served.steps.get(self._path, [])
            step = steps.pop(0) if steps else Step()
        body = self.served.files.get(self._path) if step.body is None else step.body
        if step.status or body is None:
            self._head(step.status or 404, {"Content-Length": "0", **step.headers})
            return
        self._serve(step, body)

    @property
    def _path(self) -> str:
        return unquote(urlsplit(self.path).path)[1:]

    def _note(self, method: str) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.served.guard:
            self.served.requests.append((method, self._path, headers))

    def _serve(self, step: Step, body: bytes) -> None:
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"' if step.etag is None else step.etag
        start = 0 if step.ignores_range else self._start(etag)
        if start > len(body) or (start == len(body) and start):
            self._head(416, {"Content-Range": f"bytes */{len(body)}", "Content-Length": "0"})
            return
        headers = {"Accept-Ranges": "bytes", **({"ETag": etag} if etag else {}), **step.headers}
        headers |= self.served.headers.get(self._path, {})
        if step.has_length:
            headers["Content-Length"] = str(len(body) - start)
        else:
            headers["Connection"] = "close"
        if start:
            headers["Content-Range"] = step.content_range or f"bytes {start}-{len(body) - 1}/{len(body)}"
        self._head(206 if start else 200, headers)
        for piece in _pieces(step, body[start : step.cut_at]):
            self.wfile.write(piece)
            self.wfile.flush()
            if (step.drip_s and self.served.ended.wait(step.drip_s)) or self.served.ended.is_set():
                break
        if step.cut_at is not None or not step.has_length:
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

    def _start(self, etag: str) -> int:
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        condition = self.headers.get("If-Range")
        return int(found[1]) if found and condition in (None, etag) else 0

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


def _pieces(step: Step, body: bytes) -> Iterator[bytes]:
    if step.gate:
        yield body[: len(body) // 2]
        step.gate.wait(30)
        yield body[len(body) // 2 :]
        return
    size = 64 if step.drip_s else 1 << 16
    for start in range(0, len(body), size):
        yield body[start : start + size]
