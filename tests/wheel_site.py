"""A site on loopback that offers wheels as projects do: by a page of links, or as an index."""

from __future__ import annotations

import functools
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

from packaging.utils import canonicalize_name

from tests.replay_files import make_wheel


@dataclass(kw_only=True)
class WheelSite:
    """A folder of wheels, and the address where it is served."""

    root: Path
    url: str
    asked: list[str] = field(default_factory=list)

    def wheel(self, filename: str, *requires: str, with_label: bool = True) -> str:
        """Put a small true wheel into ``files``, and return its sha256; its METADATA may leave out the label."""
        name, version, tags = filename.removesuffix(".whl").split("-", 2)
        body = make_wheel(name, version if with_label else version.partition("+")[0], tags, requires)
        place = self.root / "files" / filename
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(body)
        return hashlib.sha256(body).hexdigest()

    def flat(self, *, text: str = "") -> str:
        """Write a page of links to all wheels, without hashes, and return its address."""
        lines = [f'<a href="files/{quote(name)}">{escape(text or name)}</a><br>' for name in self._names()]
        return self._page("links.html", lines)

    def index(self) -> str:
        """Write a page with hashes for each project, and return the index's address."""
        for project in {canonicalize_name(name.split("-")[0]) for name in self._names()}:
            names = [name for name in self._names() if canonicalize_name(name.split("-")[0]) == project]
            lines = [
                f'<a href="../../files/{quote(name)}#sha256={self.sha256(name)}">{escape(name)}</a><br>'
                for name in names
            ]
            self._page(f"simple/{project}/index.html", lines)
        return f"{self.url}/simple"

    def sha256(self, filename: str) -> str:
        """Return the hash of a wheel."""
        return hashlib.sha256((self.root / "files" / filename).read_bytes()).hexdigest()

    def _names(self) -> list[str]:
        return sorted(path.name for path in (self.root / "files").glob("*.whl"))

    def _page(self, name: str, lines: list[str]) -> str:
        place = self.root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("\n".join(["<!DOCTYPE html><html><body>", *lines, "</body></html>"]), "utf-8")
        return f"{self.url}/{name}"


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *words: object, asked: list[str], directory: str) -> None:
        self._asked = asked
        super().__init__(*words, directory=directory)  # type: ignore[arg-type]

    def log_request(self, code: object = "-", size: object = "-") -> None:  # noqa: ARG002 - its names in the base
        self._asked.append(f"{self.command} {self.path}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
        """Stay silent."""


@contextmanager
def serve(root: Path) -> Iterator[WheelSite]:
    """Serve a folder while the block runs."""
    asked: list[str] = []
    root.mkdir(parents=True, exist_ok=True)
    handler = functools.partial(_Handler, asked=asked, directory=str(root))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield WheelSite(root=root, url=f"http://127.0.0.1:{server.server_address[1]}", asked=asked)
        finally:
            server.shutdown()
            thread.join()
