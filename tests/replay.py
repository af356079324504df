"""Replay PyTorch's index on this machine, so that tests need no network.

A `ReplayIndex` serves, from one port of 127.0.0.1, what download.pytorch.org serves::

    <base>/<index>/<project>/        project page (HTML of several eras, or PEP 691 JSON)
    <base>/<index>/                  list of projects
    <base>/<index>/<file>.whl        wheel, ranges answered
    <base>/<file>.whl                wheel at the root
    <...>.whl.metadata               sidecar (PEP 658)

``base`` is ``http://127.0.0.1:<port>/whl`` and stands for ``https://download.pytorch.org/whl``: give it to
``--index-base``, ``ENVSMITH_PYTORCH_INDEX`` or `PyTorchIndex`. ``<base>/<index>`` is a simple index that uv
and pip read: ``uv pip install --index-url <base>/cu199 torch`` takes the small wheels made here.

Use::

    with ReplayIndex() as replay:
        replay.add(ReplayFile.made("torch", "2.20.0+cu199", "cp312-cp312-win_amd64", index="cu199"))
        replay.fail("/whl/cu199/torch/", Fault.status(500, times=2))
        ...
        assert replay.count("/whl/cu199/torch/") == 3

Rows need no real wheel behind them: `ReplayFile.row` and `ReplayIndex.add_listing` list a file with any hash,
and asking for its bytes gives 404. Without the bytes, `ReplayFile.made(...)` with `dataclasses.replace` gives
wrong hashes, missing ones and so on. `style` chooses how pages are written, for all pages, or for one page by
`page_styles[path]`. A row's `href` is written as it is, so that any malformed page can be made.
"""

from __future__ import annotations

import email.utils
import hashlib
import re
import socket
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import unquote, urlsplit

from envsmith.model.listing import IndexListing
from tests.replay_faults import Fault, next_fault
from tests.replay_files import ReplayFile, files_of
from tests.replay_pages import OF_2026, Style, html_page, json_page


@dataclass
class _State:
    files: list[ReplayFile] = field(default_factory=list)
    style: Style = OF_2026
    page_styles: dict[str, Style] = field(default_factory=dict)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    guard: threading.Lock = field(default_factory=threading.Lock)


class ReplayIndex:
    """The server; it runs between ``with`` and its end. Attributes may be changed while it runs."""

    def __init__(self, files: Iterable[ReplayFile] = (), *, style: Style = OF_2026) -> None:
        self._state = _State(files=list(files), style=style)

    def __enter__(self) -> Self:
        state = self._state

        class Handler(_Handler):
            replayed = state

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

    @property
    def base(self) -> str:
        """What stands for ``https://download.pytorch.org/whl``."""
        return f"{self.origin}/whl"

    @property
    def style(self) -> Style:
        """How pages are written where ``page_styles`` says nothing else."""
        return self._state.style

    @style.setter
    def style(self, style: Style) -> None:
        self._state.style = style

    @property
    def page_styles(self) -> dict[str, Style]:
        """Styles by page path, ``/whl/cu199/torch/``."""
        return self._state.page_styles

    def add(self, *files: ReplayFile) -> None:
        """List further files; one with the same index and filename takes the place of the one before it."""
        for new in files:
            self.remove(new.index, new.filename)
            self._state.files.append(new)

    def remove(self, index: str, filename: str) -> None:
        """List a file no longer."""
        self._state.files = [
            file for file in self._state.files if (file.index, file.filename) != (index, filename)
        ]

    def add_listing(self, listing: IndexListing) -> None:
        """List all rows of a listing (the snapshot's, say): metadata can be had of them, bytes cannot."""
        self.add(*files_of(listing))

    def fail(self, path: str, *faults: Fault) -> None:
        """Let requests of a path (``/whl/cu199/torch/``) go wrong: each fault for its times, in turn."""
        self._state.faults.setdefault(path, []).extend(faults)

    def heal(self) -> None:
        """Take all faults away."""
        self._state.faults.clear()

    def count(self, path: str | None = None) -> int:
        """Return how many requests came, of a path or at all."""
        seen = Counter(path for path, _ in self._state.requests)
        return seen.total() if path is None else seen[path]

    def downloads(self, path: str) -> int:
        """Return how often the whole of a file was asked for: not a range of it."""
        return sum(asked == path and "range" not in headers for asked, headers in self._state.requests)

    @property
    def requests(self) -> list[tuple[str, dict[str, str]]]:
        """Path and headers (names in lower case) of every request, in order."""
        return list(self._state.requests)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients under test hang up."""


class _Handler(BaseHTTPRequestHandler):
    replayed: _State
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
        """Say nothing."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        state, path = self.replayed, unquote(urlsplit(self.path).path)
        with state.guard:
            state.requests.append((path, {name.lower(): value for name, value in self.headers.items()}))
            fault = next_fault(state.faults.get(path, []))
        if fault and fault.kind == "slow":
            state.ended.wait(fault.number)
        if fault and fault.kind in {"status", "redirect"}:
            status = int(fault.number) if fault.kind == "status" else 302
            self._send(status, b"", {"Location": fault.text} if fault.text else {})
            return
        found = _find(state, path, self.headers.get("Accept", ""), self._origin())
        if found is None:
            self._send(404, b"not here\n", {"Content-Type": "text/plain"})
            return
        body, kind = found
        self._answer(body, kind, fault)

    def _origin(self) -> str:
        return f"http://{self.headers.get('Host', '127.0.0.1')}"

    def _answer(self, body: bytes, kind: str, fault: Fault | None) -> None:
        etag = f'"{hashlib.sha256(re.sub(rb"<!--.*-->", b"", body)).hexdigest()[:16]}"'
        headers = {
            "Content-Type": kind,
            "ETag": etag,
            "Last-Modified": email.utils.formatdate(1_790_000_000, usegmt=True),
        }
        if fault and fault.kind == "content_type":
            headers["Content-Type"] = fault.text
        if fault and fault.kind == "body":
            body = fault.text.encode()
            del headers["ETag"], headers["Last-Modified"]
        elif self.headers.get("If-None-Match") == etag:
            self._send(304, b"", headers)
            return
        wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if wanted and not (fault and fault.kind == "ranges_ignored"):
            self._send_range(body, wanted, headers, fault)
        else:
            self._send(200, body, headers, fault)

    def _send_range(
        self, body: bytes, wanted: re.Match[str], headers: dict[str, str], fault: Fault | None
    ) -> None:
        size = len(body)
        start = int(wanted[1]) if wanted[1] else max(0, size - int(wanted[2] or 0))
        last = min(int(wanted[2]), size - 1) if wanted[1] and wanted[2] else size - 1
        if start > last:
            self._send(416, b"", {"Content-Range": f"bytes */{size}"})
            return
        span = {"Content-Range": f"bytes {start}-{last}/{size}"}
        self._send(206, body[start : last + 1], {**headers, **span}, fault)

    def _send(self, status: int, body: bytes, headers: dict[str, str], fault: Fault | None = None) -> None:
        if fault and fault.kind == "truncated":
            body = body[: len(body) // 2]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Accept-Ranges", "bytes")
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self._write(body, fault)

    def _write(self, body: bytes, fault: Fault | None) -> None:
        if fault and fault.kind == "drip":
            for byte in body:
                if self.replayed.ended.wait(fault.number):
                    return
                self.wfile.write(bytes([byte]))
        elif fault and fault.kind == "cut":
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        else:
            self.wfile.write(body)


def _find(state: _State, path: str, accept: str, origin: str) -> tuple[bytes, str] | None:
    files = state.files
    for file in files:
        if file.path == path and file.body is not None:
            return file.body, "binary/octet-stream"
        if f"{file.path}.metadata" == path and file.metadata is not None:
            return file.metadata, "binary/octet-stream"
    page = re.fullmatch(r"/whl/(?P<index>.+?)/(?P<project>[a-z0-9-]+)/?", path)
    if page and (rows := [f for f in files if (f.index, f.project) == (page["index"], page["project"])]):
        style = state.page_styles.get(path, state.style)
        if style.json and "application/vnd.pypi.simple.v1+json" in accept:
            return json_page(page["project"], rows, style, origin), "application/vnd.pypi.simple.v1+json"
        return html_page(page["project"], rows, style, origin), "text/html"
    root = path.removeprefix("/whl/").strip("/")
    if projects := sorted({file.project for file in files if file.index == root}):
        links = "".join(f'    <a href="{name}/">{name}</a><br/>\n' for name in projects)
        return f"<!DOCTYPE html>\n<html>\n  <body>\n{links}  </body>\n</html>\n".encode(), "text/html"
    return None
