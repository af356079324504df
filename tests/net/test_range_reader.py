from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace

import pytest

from envsmith.errors import ToolError
from envsmith.net import range_reader
from envsmith.net.client import Response, RetryPolicy, WebClient, open_client
from envsmith.net.deadline import Deadline
from envsmith.net.range_reader import RangeReader
from tests.replay import ReplayIndex
from tests.replay_faults import Fault
from tests.replay_files import ReplayFile

NAME = "torch-2.20.0+cu199-cp312-cp312-win_amd64.whl"
PATH = f"/whl/cu199/{NAME}"


def large_wheel() -> bytes:
    """A megabyte that does not compress, its METADATA in front, so that several ranges are needed."""
    noise = b"".join(hashlib.sha256(str(number).encode()).digest() for number in range(32_000))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("torch-2.20.0+cu199.dist-info/METADATA", "Name: torch\n")
        archive.writestr("torch/lib.dll", noise)
    return buffer.getvalue()


WHEEL = large_wheel()


@pytest.fixture
def replay() -> Iterator[ReplayIndex]:
    with ReplayIndex() as server:
        server.add(replace(ReplayFile.row(NAME, index="cu199"), body=WHEEL))
        yield server


@pytest.fixture
def client() -> Iterator[WebClient]:
    with open_client(Deadline(20), RetryPolicy(pause_s=0.001)) as opened:
        yield opened


def reader(replay: ReplayIndex, client: WebClient) -> RangeReader:
    return RangeReader(client, f"{replay.base}/cu199/{NAME.replace('+', '%2B')}")


def test_reads_a_file_of_an_archive_without_the_rest(replay: ReplayIndex, client: WebClient) -> None:
    with reader(replay, client) as remote, zipfile.ZipFile(io.BufferedReader(remote)) as archive:
        assert archive.read("torch-2.20.0+cu199.dist-info/METADATA") == b"Name: torch\n"
    ranges = [headers["range"] for _, headers in replay.requests]
    assert ranges == [f"bytes=-{1 << 17}", f"bytes=0-{(1 << 18) - 1}"]


def test_any_part_equals_the_file(replay: ReplayIndex, client: WebClient) -> None:
    with reader(replay, client) as remote:
        assert remote.seek(0, io.SEEK_END) == len(WHEEL)
        for start, count in ((0, 10), (500_000, 300_000), (len(WHEEL) - 5, 100), (len(WHEEL), 5)):
            remote.seek(start)
            kept = b""
            while chunk := remote.read(count - len(kept)):
                kept += chunk
            assert kept == WHEEL[start : start + count]
        with pytest.raises(ValueError, match="before the start"):
            remote.seek(-1)


def test_a_server_without_ranges_is_refused_before_it_sends_all(
    replay: ReplayIndex, client: WebClient
) -> None:
    replay.fail(PATH, Fault.ranges_ignored())
    with pytest.raises(ToolError) as caught:
        reader(replay, client)
    assert caught.value.code == "TOL034"
    assert "whole file" in caught.value.message


def test_a_small_file_may_come_whole(replay: ReplayIndex, client: WebClient) -> None:
    replay.add(replace(ReplayFile.row(NAME, index="cu199"), body=b"0123456789"))
    replay.fail(PATH, Fault.ranges_ignored())
    with reader(replay, client) as remote:
        assert remote.read() == b"0123456789"


@pytest.mark.parametrize("status", [404, 403, 416])
def test_a_file_that_is_not_there(replay: ReplayIndex, client: WebClient, status: int) -> None:
    replay.fail(PATH, Fault.status(status))
    with pytest.raises(ToolError, match=str(status)) as caught:
        reader(replay, client)
    assert caught.value.code == "TOL034"


def test_a_file_that_changes_is_refused(replay: ReplayIndex, client: WebClient) -> None:
    with reader(replay, client) as remote:
        replay.add(replace(ReplayFile.row(NAME, index="cu199"), body=WHEEL[::-1]))
        with pytest.raises(ToolError, match="changed"):
            remote.read(10)


def test_no_more_than_the_limit_is_fetched(
    replay: ReplayIndex, client: WebClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(range_reader, "MAX_TOTAL_BYTES", 400_000)
    with reader(replay, client) as remote:
        assert len(remote.read(10)) == 10
        remote.seek(500_000)
        with pytest.raises(ToolError, match="more than 400000 bytes") as caught:
            remote.read(10)
    assert caught.value.code == "TOL034"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-range": "bytes 0-9/*"},
        {"content-range": "bytes 0-9/5"},
        {"content-range": "bytes 0-99/1000"},
        {"content-range": "bytes 9-0/1000"},
        {"content-range": "bytes 0-9/1000", "content-encoding": "gzip"},
    ],
)
def test_a_range_that_is_another_one_is_refused(headers: dict[str, str]) -> None:
    class Wrong(WebClient):
        def __init__(self) -> None:
            """Hold no connection."""

        def get(self, url: str, _: object, *, limit_bytes: int) -> Response:
            del limit_bytes
            return Response(url=url, status=206, headers=headers, body=b"0123456789")

    with pytest.raises(ToolError) as caught:
        RangeReader(Wrong(), "https://mirror.example/x.whl")
    assert caught.value.code == "TOL034"
