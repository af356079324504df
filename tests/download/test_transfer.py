"""Several addresses, and the end of the work; what comes of single answers is in test_wheelhouse."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from envsmith.download.part_file import FOLDER, PartFile
from envsmith.download.transfer import StoppedError, Transfer
from envsmith.errors import ToolError
from tests.range_server import RangeServer, Step
from tests.wheelhouses import FAST, made_bytes

BODY = made_bytes(100_000)
SHA256 = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def house(tmp_path: Path) -> Path:
    (tmp_path / FOLDER).mkdir()
    return tmp_path


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture
def transfer(stop: threading.Event) -> Iterator[Transfer]:
    with requests.Session() as session:
        yield Transfer(session, FAST, stop)


def test_the_next_address_is_asked_where_the_first_has_nothing(transfer: Transfer, house: Path) -> None:
    with RangeServer() as server, PartFile(house, SHA256) as part:
        urls = iter([f"{server.origin}/none", server.put("x", BODY), f"{server.origin}/never"])
        transfer.fetch(urls, part, None, lambda _: None)
        assert part.is_verified
        assert server.requests_of("never") == []


def test_a_server_in_trouble_is_no_reason_to_go_elsewhere(transfer: Transfer, house: Path) -> None:
    with RangeServer() as server, PartFile(house, SHA256) as part:
        server.plan("x", *[Step(status=500)] * FAST.tries)
        with pytest.raises(ToolError) as caught:
            transfer.fetch([f"{server.origin}/x", server.put("y", BODY)], part, None, lambda _: None)
        assert caught.value.message == "the server answered 500"


def test_no_address_at_all(transfer: Transfer, house: Path) -> None:
    with PartFile(house, SHA256) as part, pytest.raises(ToolError) as caught:
        transfer.fetch([], part, None, lambda _: None)
    assert caught.value.code == "TOL047"


def test_the_work_ends_in_the_middle_and_the_bytes_stay(
    transfer: Transfer, house: Path, stop: threading.Event
) -> None:
    def heard(_: int) -> None:
        stop.set()

    with RangeServer() as server, PartFile(house, SHA256) as part:
        server.plan("x", Step(drip_s=0.001))
        with pytest.raises(StoppedError):
            transfer.fetch([server.put("x", BODY)], part, None, heard)
        assert 0 < part.size < len(BODY)


def test_the_work_ends_during_a_pause(house: Path, stop: threading.Event) -> None:
    with RangeServer() as server, PartFile(house, SHA256) as part, requests.Session() as session:
        server.plan("x", Step(status=503, headers={"Retry-After": "60"}))
        timer = threading.Timer(0.1, stop.set)
        timer.start()
        with pytest.raises(StoppedError):
            Transfer(session, FAST, stop).fetch([server.put("x", BODY)], part, None, lambda _: None)
        timer.join()


def test_sizes(transfer: Transfer) -> None:
    with RangeServer() as server:
        assert transfer.size([f"{server.origin}/none", server.put("x", BODY)]) == len(BODY)
        assert transfer.size([f"{server.origin}/none", "http://127.0.0.1:9/x"]) is None
