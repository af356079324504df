"""Replay of the package index: a proxy on this machine that answers from a recording.

uv and envsmith ask the real addresses. ``HTTPS_PROXY`` leads them to the proxy, which answers for the index's hosts
with certificates of its own authority. So neither needs a special setting, and locks contain the real URLs.

    with IndexReplay(Recording.read("fitting-room")) as index:
        project.env |= index.environ(cache=tmp_path / "uv")
        ...
    assert not index.missed
"""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import trustme
from packaging.utils import canonicalize_name
from pip._internal.models.index import PyPI

from tests.index_recording import Recording, StandIn

INDEX_HOST, FILES_HOST = PyPI.netloc, PyPI.file_storage_domain
_JSON = "application/vnd.pypi.simple.v1+json"
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_REFUSED = b"this proxy serves the package index only\n"


@dataclass(kw_only=True)
class Reply:
    """An answer of the proxy."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    size: int | None = None
    """Content-Length in bytes where the body is left out, as in the answer to HEAD."""


class IndexProxy:
    """A proxy on a port of 127.0.0.1, from ``with`` to its end."""

    hosts = frozenset({INDEX_HOST, FILES_HOST})
    """Those that it answers for."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []
        """Path and ``Range`` of each request to the index, in order."""
        self.refused: list[str] = []
        """Other hosts that clients tried to reach."""
        self._authority = trustme.CA()
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._guard = threading.Lock()

    def answer(self, method: str, host: str, path: str, headers: Mapping[str, str]) -> Reply:
        """Answer a GET or HEAD request; the names of headers are in lower case."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._scratch = TemporaryDirectory(prefix="index-")
        self._bundle = Path(self._scratch.name) / "authority.pem"
        self._authority.cert_pem.write_to_path(self._bundle)
        self._server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": self}))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._scratch.cleanup()

    def environ(self, *, cache: Path) -> dict[str, str]:
        """Return the environment variables that lead uv, pip and envsmith to the proxy.

        Args:
            cache: folder of uv's cache; a shared one could answer instead of the proxy.
        """
        address = f"http://127.0.0.1:{self._server.server_port}"
        bundles = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT")
        proxies = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
        return {
            **dict.fromkeys(bundles, str(self._bundle)),
            **dict.fromkeys((*proxies, *map(str.lower, proxies)), address),
            **dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1"),
            "UV_CACHE_DIR": str(cache),
            # Its cache would give the replayed pages to others.
            "PIP_NO_CACHE_DIR": "1",
        }

    def context(self, host: str) -> ssl.SSLContext:
        """Return the TLS settings of the proxy for a host."""
        with self._guard:
            if host not in self._contexts:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                self._authority.issue_cert(host).configure_cert(context)
                self._contexts[host] = context
            return self._contexts[host]


class IndexReplay(IndexProxy):
    """A proxy that answers from a recording alone.

    uv reads the metadata of any wheel of a version when it resolves for several targets: one that was not recorded
    has that of another wheel of its version.

    Args:
        recording: all answers.
        adds_sidecars: offer the metadata of each wheel by itself (PEP 658), with its hash, whatever was recorded. pip
            reads more members of a wheel than a recording has, but not if it gets the metadata that way.
    """

    def __init__(self, recording: Recording, *, adds_sidecars: bool = False) -> None:
        super().__init__()
        self._recording = recording
        self._adds_sidecars = adds_sidecars
        releases = {_release(path): wheel for path, wheel in recording.wheels.items()}
        rows = (row["url"] for page in recording.projects.values() for row in page)
        others = {path: releases[_release(path)] for path in rows if _release(path) in releases}
        self._wheels = {path: one for path, one in others.items() if path.endswith(".whl")} | recording.wheels
        self.missed: list[str] = []
        """Requests without an answer in the recording; a test fails when there is one."""

    def answer(self, method: str, host: str, path: str, headers: Mapping[str, str]) -> Reply:
        """Answer from the recording; a request that it does not contain is answered 404 and noted."""
        reply = self._page(path) if host == INDEX_HOST else self._file(method, path, headers.get("range", ""))
        if reply is None:
            self.missed.append(f"{method} {path} {headers.get('range', '')}".strip())
            return Reply(status=404, body=b"not recorded\n")
        # As the real index allows; without it uv asks again in each of its runs.
        reply.headers["Cache-Control"] = "max-age=600"
        return reply

    def _page(self, path: str) -> Reply | None:
        name = canonicalize_name(path.removeprefix("/simple/").strip("/"))
        if name in self._recording.absent:
            return Reply(status=404, body=b"no such project\n")
        rows = self._recording.projects.get(name)
        if rows is None:
            return None
        files = [
            {**row, **self._sidecar_row(row), "url": f"https://{FILES_HOST}{row['url']}"} for row in rows
        ]
        page = {"files": files, "meta": {"api-version": "1.0"}, "name": name}
        return Reply(status=200, body=json.dumps(page).encode(), headers={"Content-Type": _JSON})

    def _sidecar_row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        wheel = self._recording.wheels.get(row["url"]) if self._adds_sidecars else None
        return {"core-metadata": {"sha256": sha256(wheel.metadata.encode()).hexdigest()}} if wheel else {}

    def _file(self, method: str, path: str, span: str) -> Reply | None:
        wheel, whole = self._wheels.get(path), self._recording.files.get(path)
        if path.endswith(".metadata"):
            return self._sidecar(path.removesuffix(".metadata"))
        if whole is not None:
            return Reply(status=200, body=whole)
        if wheel and method == "HEAD":
            return Reply(status=200, size=wheel.size)
        return _part(wheel, span) if wheel and span else None

    def _sidecar(self, path: str) -> Reply | None:
        wheel = self._wheels.get(path)
        if wheel is None:
            return None
        is_offered = self._adds_sidecars or wheel.has_sidecar
        return Reply(status=200, body=wheel.metadata.encode()) if is_offered else Reply(status=404)


def _release(path: str) -> tuple[str, ...]:
    """Return project and version of a wheel, as its filename spells them."""
    return tuple(path.rpartition("/")[2].split("-")[:2])


def _part(wheel: StandIn, span: str) -> Reply | None:
    match = _RANGE.fullmatch(span)
    if match is None:
        return None
    start = int(match[1]) if match[1] else max(0, wheel.size - int(match[2] or 0))
    stop = min(wheel.size, int(match[2]) + 1) if match[1] and match[2] else wheel.size
    if start >= stop:
        return Reply(status=416, headers={"Content-Range": f"bytes */{wheel.size}"})
    placed = {"Content-Range": f"bytes {start}-{stop - 1}/{wheel.size}"}
    return Reply(status=206, body=wheel.read(start, stop), headers=placed)


class _Server(ThreadingHTTPServer):
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing when a client hangs up."""


class _Handler(BaseHTTPRequestHandler):
    proxy: IndexProxy
    protocol_version = "HTTP/1.1"
    timeout = 60
    _host = ""
    """The host on the far side of the tunnel; empty before CONNECT."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
        """Log nothing."""

    def do_CONNECT(self) -> None:
        host = self.path.rpartition(":")[0]
        if host not in self.proxy.hosts:
            self.proxy.refused.append(host)
            self._send(Reply(status=403, body=_REFUSED))
            return
        self.send_response(200)
        self.end_headers()
        super().finish()
        self.request = self.proxy.context(host).wrap_socket(self.connection, server_side=True)
        self.setup()
        self._host, self.close_connection = host, False

    def finish(self) -> None:
        super().finish()
        # The TLS socket has taken over the one that the server closes.
        self.connection.close()

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        if not self._host:
            self.proxy.refused.append(urlsplit(self.path).hostname or self.path)
            self._send(Reply(status=403, body=_REFUSED))
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        path = urlsplit(self.path).path
        self.proxy.requests.append((path, headers.get("range", "")))
        self._send(self.proxy.answer(self.command, self._host, path, headers))

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(reply.body) if reply.size is None else reply.size))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)
