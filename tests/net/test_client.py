from __future__ import annotations

import gzip
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from envsmith.errors import ToolError
from envsmith.net.client import Response, RetryPolicy, WebClient, open_client
from envsmith.net.deadline import Deadline
from tests.replay import ReplayIndex
from tests.replay_faults import Fault
from tests.replay_files import ReplayFile

PAGE = "/whl/cu199/torch/"
QUICK = RetryPolicy(pause_s=0.001)


@pytest.fixture
def replay() -> Iterator[ReplayIndex]:
    with ReplayIndex() as server:
        server.add(ReplayFile.made("torch", "2.20.0+cu199", "cp312-cp312-win_amd64", index="cu199"))
        yield server


def get(
    replay: ReplayIndex,
    path: str = PAGE,
    *,
    limit_bytes: int = 100_000,
    deadline_s: float = 20,
    policy: RetryPolicy = QUICK,
) -> Response:
    with open_client(Deadline(deadline_s), policy) as client:
        return client.get(f"{replay.origin}{path}", {"X-Test": "1"}, limit_bytes=limit_bytes)


def failure(replay: ReplayIndex, path: str = PAGE, **changes: float) -> ToolError:
    with pytest.raises(ToolError) as caught:
        get(replay, path, **changes)  # type: ignore[arg-type]
    assert caught.value.hint
    return caught.value


def test_an_answer_has_status_headers_and_body(replay: ReplayIndex) -> None:
    answer = get(replay)
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html"
    assert answer.body.startswith(b"<!DOCTYPE html>")
    path, headers = replay.requests[0]
    assert (path, headers["x-test"], headers["user-agent"]) == (PAGE, "1", "envsmith")


def test_not_there_is_an_answer(replay: ReplayIndex) -> None:
    assert get(replay, "/whl/cu199/nothing/").status == 404
    assert replay.count() == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_failing_server_is_asked_again(replay: ReplayIndex, status: int) -> None:
    replay.fail(PAGE, Fault.status(status, times=2))
    assert get(replay).status == 200
    assert replay.count(PAGE) == 3


def test_a_server_that_keeps_failing_is_given_up(replay: ReplayIndex) -> None:
    replay.fail(PAGE, Fault.status(503))
    error = failure(replay)
    assert (error.code, error.where) == ("TOL057", f"{replay.origin}{PAGE}")
    assert "503" in error.message
    assert replay.count(PAGE) == 3


def test_pauses_grow(replay: ReplayIndex) -> None:
    slept: list[float] = []
    replay.fail(PAGE, Fault.status(500))
    with pytest.raises(ToolError):
        get(replay, policy=RetryPolicy(pause_s=0.5, attempts=4, sleep=slept.append))
    assert slept == [0.5, 1.0, 2.0]


def test_a_pause_longer_than_the_time_left_is_not_begun(replay: ReplayIndex) -> None:
    slept: list[float] = []
    replay.fail(PAGE, Fault.status(500))
    with pytest.raises(ToolError) as caught:
        get(replay, deadline_s=5, policy=RetryPolicy(pause_s=60, sleep=slept.append))
    assert (caught.value.code, slept) == ("TOL031", [])


def test_a_connection_cut_short_is_tried_again(replay: ReplayIndex) -> None:
    whole = get(replay).body
    replay.fail(PAGE, Fault.cut(times=1))
    assert len(get(replay).body) == len(whole)
    assert replay.count(PAGE) == 3


def test_a_connection_always_cut_short_is_given_up(replay: ReplayIndex) -> None:
    replay.fail(PAGE, Fault.cut())
    assert failure(replay).code == "TOL030"


def test_nobody_listening(replay: ReplayIndex) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://user:secret@127.0.0.1:{free.getsockname()[1]}/x?token=secret"
        with open_client(Deadline(20), QUICK) as client, pytest.raises(ToolError) as caught:
            client.get(url, {}, limit_bytes=10)
    assert caught.value.code == "TOL030"
    assert "refused" in caught.value.message
    assert "secret" not in str(caught.value)
    assert replay.count() == 0


def test_a_silent_server_is_left_at_the_deadline(replay: ReplayIndex) -> None:
    replay.fail(PAGE, Fault.slow(30))
    assert failure(replay, deadline_s=0.3).code == "TOL031"


def test_a_silent_server_is_left_after_the_read_timeout(replay: ReplayIndex) -> None:
    replay.fail(PAGE, Fault.slow(30, times=1))
    assert get(replay, policy=replace(QUICK, read_s=0.5)).status == 200
    assert replay.count(PAGE) == 2


def test_a_dripping_server_cannot_outlast_the_deadline(replay: ReplayIndex) -> None:
    replay.fail(PAGE, Fault.drip(0.05))
    assert failure(replay, deadline_s=0.4).code == "TOL031"
    assert replay.count(PAGE) <= 1


def test_a_body_announced_too_large_is_not_read(replay: ReplayIndex) -> None:
    assert failure(replay, limit_bytes=10).code == "TOL033"
    assert replay.count(PAGE) == 1


def test_a_body_that_unpacks_too_large_is_not_kept() -> None:
    packed = gzip.compress(b"0" * 2_000_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(head + packed)

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with open_client(Deadline(20), QUICK) as client, pytest.raises(ToolError) as caught:
            client.get(url, {}, limit_bytes=500_000)
        thread.join()
    assert caught.value.code == "TOL033"


def test_redirects_are_followed(replay: ReplayIndex) -> None:
    replay.fail("/whl/elsewhere/", Fault.redirect(PAGE))
    answer = get(replay, "/whl/elsewhere/")
    assert (answer.status, answer.url) == (200, f"{replay.origin}{PAGE}")


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://mirror.example/", "gopher://x/"])
def test_redirects_to_other_schemes_are_refused(replay: ReplayIndex, target: str) -> None:
    replay.fail(PAGE, Fault.redirect(target))
    error = failure(replay)
    assert error.code == "TOL032"
    assert replay.count() == 1


def test_a_redirect_from_https_to_http_is_refused(replay: ReplayIndex) -> None:
    class Downgrade(WebClient):
        def _request(self, url: str, headers: object, limit_bytes: int) -> Response:
            del headers, limit_bytes
            return Response(url=url, status=301, headers={"location": replay.base}, body=b"")

    import requests

    with requests.Session() as session, pytest.raises(ToolError) as caught:
        Downgrade(session, Deadline(20), QUICK).get("https://mirror.example/", {}, limit_bytes=10)
    assert caught.value.code == "TOL032"
    assert "leaves https" in caught.value.message
    assert replay.count() == 0


def test_redirects_in_a_circle_end(replay: ReplayIndex) -> None:
    replay.fail(PAGE, Fault.redirect(PAGE))
    assert failure(replay).code == "TOL032"
    assert replay.count(PAGE) == 6


@pytest.mark.parametrize("url", ["http://[::1", "http://", "mirror", "http://a b/"])
def test_what_is_no_url_is_refused_at_once(url: str) -> None:
    with open_client(Deadline(20), QUICK) as client, pytest.raises(ToolError) as caught:
        client.get(url, {}, limit_bytes=10)
    assert caught.value.code == "TOL030"


def test_requests_is_imported_only_when_something_is_fetched() -> None:
    code = "import envsmith.index.reader, sys; sys.exit('requests' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
