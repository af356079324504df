from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from envsmith.adapters import surroundings


class Slow(BaseHTTPRequestHandler):
    """A server whose clock stands in 2020."""

    def do_HEAD(self) -> None:
        self.send_response_only(200)
        self.send_header("Date", "Wed, 01 Jan 2020 00:00:00 GMT")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Slow) as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{made.server_address[1]}/whl/"
        made.shutdown()
        thread.join()


def test_an_answer_and_the_clock(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    found = surroundings.reach(server, {"HTTPS_PROXY": "http://me:secret@proxy:3128"})
    assert found.error == ""
    assert found.ahead_s is not None
    assert found.ahead_s > 86_400
    assert found.proxies == (("HTTPS_PROXY", "http://proxy:3128"),)


def test_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    found = surroundings.reach("http://127.0.0.1:9/", {})
    assert found.error
    assert found.ahead_s is None


def test_the_room_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    found = surroundings.room(tmp_path / "a" / "b")
    assert found.folder == str(tmp_path / "a" / "b")
    assert found.free_bytes == pytest.approx(surroundings.room(tmp_path).free_bytes, rel=0.2)


@pytest.mark.parametrize(
    ("variables", "place"),
    [({"UV_CACHE_DIR": "/c"}, "/c"), ({"XDG_CACHE_HOME": "/x"}, "/x/uv")],
)
def test_uv_s_cache(variables: dict[str, str], place: str) -> None:
    assert surroundings.uv_cache(variables) == Path(place)


def test_path_as_this_process_has_it() -> None:
    assert surroundings.path_scopes({"PATH": "/usr/bin"}) == {"process": "/usr/bin"}
