"""Serve wheels over loopback, and let that go wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from tests.install.made import Made


@dataclass
class Served:
    """What the server has, and how it behaves; may be changed while it runs."""

    files: dict[str, bytes] = field(default_factory=dict)
    cut_at: dict[str, int] = field(default_factory=dict)
    """File → bytes after which each of its connections is closed."""
    stalled: str = ""
    """File that is never sent."""
    asked: threading.Event = field(default_factory=threading.Event)
    """Tells that it was asked for."""
    ended: threading.Event = field(default_factory=threading.Event)
    address: str = ""
    requests: int = 0

    def add(self, *wheels: Made) -> None:
        """Serve wheels under their names."""
        self.files.update({wheel.filename: wheel.body for wheel in wheels})


@contextmanager
def served(*wheels: Made) -> Iterator[Served]:
    """Run the server on a port of 127.0.0.1."""
    state = Served()
    state.add(*wheels)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
            """Say nothing."""

        def do_HEAD(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            self._answer()

        def _answer(self) -> None:
            state.requests += 1
            name = unquote(urlsplit(self.path).path.rpartition("/")[2])
            body = state.files.get(name)
            if name == state.stalled:
                state.asked.set()
                state.ended.wait()
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            if body is None or self.command == "HEAD":
                return
            cut = state.cut_at.get(name)
            self.wfile.write(body[:cut])
            if cut is not None and cut < len(body):
                self.close_connection = True

    server = _Server(("127.0.0.1", 0), Handler)
    state.address = f"http://127.0.0.1:{server.server_port}/files"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients under test are killed."""
