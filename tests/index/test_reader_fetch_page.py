from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from envsmith.errors import CatalogError, ToolError
from envsmith.index.reader import FetchedPage, fetch_page, parse_body
from envsmith.index.simple_api import PageAddress
from envsmith.model.listing import default_url
from envsmith.net.client import Response, RetryPolicy, WebClient, open_client
from envsmith.net.deadline import Deadline
from tests.replay import ReplayIndex
from tests.replay_faults import Fault
from tests.replay_files import ReplayFile
from tests.replay_pages import JSON

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
PAGE = "/whl/cu199/torch/"
FILE = ReplayFile.made("torch", "2.20.0+cu199", "cp312-cp312-win_amd64", index="cu199")


@pytest.fixture
def replay() -> Iterator[ReplayIndex]:
    with ReplayIndex([FILE]) as server:
        yield server


@pytest.fixture
def client() -> Iterator[WebClient]:
    with open_client(Deadline(20), RetryPolicy(pause_s=0.001)) as opened:
        yield opened


def address(base: str) -> PageAddress:
    return PageAddress(url=f"{base}/cu199/torch/", root=base, index="cu199", project="torch")


def test_a_page_is_read_with_what_is_needed_to_ask_again(replay: ReplayIndex, client: WebClient) -> None:
    page = fetch_page(address(replay.base), None, NOW, client)
    assert [row.wheel.filename for row in page.rows] == [FILE.filename]
    assert page.state.fetched_at == "2026-11-20T10:00:00Z"
    assert page.state.etag
    assert page.state.last_modified
    assert page.state.moved_to is None
    assert parse_body(address(replay.base), page.state, page.body) == page


def test_an_unchanged_page_is_not_sent_again(replay: ReplayIndex, client: WebClient) -> None:
    first = fetch_page(address(replay.base), None, NOW, client)
    second = fetch_page(address(replay.base), first, LATER, client)
    _, headers = replay.requests[-1]
    assert headers["if-none-match"] == first.state.etag
    assert headers["if-modified-since"] == first.state.last_modified
    assert second.rows == first.rows
    assert second.body == first.body
    assert (first.state.fetched_at, second.state.fetched_at) == (
        "2026-11-20T10:00:00Z",
        "2026-11-21T10:00:00Z",
    )


def test_a_changed_page_is(replay: ReplayIndex, client: WebClient) -> None:
    first = fetch_page(address(replay.base), None, NOW, client)
    replay.add(ReplayFile.row("torch-2.21.0+cu199-cp312-cp312-win_amd64.whl", index="cu199"))
    assert len(fetch_page(address(replay.base), first, LATER, client).rows) == 2


def test_json_is_asked_for_and_read(replay: ReplayIndex, client: WebClient) -> None:
    replay.style = JSON
    page = fetch_page(address(replay.base), None, NOW, client)
    assert page.state.content_type == "application/vnd.pypi.simple.v1+json"
    assert [row.wheel.url for row in page.rows] == [default_url("cu199", FILE.filename)]


@pytest.mark.parametrize("status", [404, 410])
def test_a_page_that_is_not_there_is_absent(replay: ReplayIndex, client: WebClient, status: int) -> None:
    replay.fail(PAGE, Fault.status(status))
    page = fetch_page(address(replay.base), None, NOW, client)
    assert page.state.absent
    assert page.rows == ()


@pytest.mark.parametrize("status", [304, 401, 403, 418])
def test_other_answers_are_errors(replay: ReplayIndex, client: WebClient, status: int) -> None:
    replay.fail(PAGE, Fault.status(status))
    with pytest.raises(ToolError, match=str(status)) as caught:
        fetch_page(address(replay.base), None, NOW, client)
    assert (caught.value.code, caught.value.where) == ("TOL057", f"{replay.origin}{PAGE}")


def test_pytorch_says_403_of_pages_it_does_not_have() -> None:
    class Refusing(WebClient):
        def __init__(self) -> None:
            """Hold no connection."""

        def get(self, url: str, _: object, *, limit_bytes: int) -> Response:
            del limit_bytes
            return Response(url=url, status=403, headers={}, body=b"<Error>AccessDenied</Error>")

    page = fetch_page(address("https://download.pytorch.org/whl"), None, NOW, Refusing())
    assert page.state.absent


@pytest.mark.parametrize(
    "fault",
    [
        Fault.truncated(),
        Fault.content_type("application/octet-stream"),
        Fault.body("<html><body><h1>Please sign in</h1></body></html>"),
        Fault.body("{}"),
    ],
)
def test_what_is_no_page_is_refused(replay: ReplayIndex, client: WebClient, fault: Fault) -> None:
    replay.fail(PAGE, fault)
    with pytest.raises(CatalogError) as caught:
        fetch_page(address(replay.base), None, NOW, client)
    assert caught.value.code == "CAT030"


def test_a_page_that_moved_is_read_as_standing_there(replay: ReplayIndex, client: WebClient) -> None:
    replay.fail("/old/cu199/torch/", Fault.redirect(f"{replay.origin}{PAGE}"))
    page = fetch_page(address(f"{replay.origin}/old"), None, NOW, client)
    assert page.state.moved_to == f"{replay.origin}{PAGE}"
    assert [row.wheel.url for row in page.rows] == [default_url("cu199", FILE.filename)]
    assert parse_body(address(f"{replay.origin}/old"), page.state, page.body) == page


def test_a_page_that_moved_to_another_path_keeps_its_own_addresses(
    replay: ReplayIndex, client: WebClient
) -> None:
    replay.fail("/old/cu199/torch/", Fault.redirect(f"{replay.origin}/whl/cu199/torch"))
    page: FetchedPage = fetch_page(address(f"{replay.origin}/old"), None, NOW, client)
    assert [row.wheel.url for row in page.rows] == [
        f"{replay.base}/cu199/{FILE.filename.replace('+', '%2B')}"
    ]
