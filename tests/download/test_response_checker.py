"""How answers are judged; what comes of whole fetches is in test_wheelhouse."""

from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.download.part_file import FOLDER, PartFile, PartOrigin
from envsmith.download.transfer import (
    FileNotServedError,
    InterruptedTransferError,
    ResponseChecker,
    content_length,
)
from envsmith.errors import ToolError
from tests.values import HEX


def incoming(part: PartFile, moved: list[int], size: int | None = 10) -> ResponseChecker:
    return ResponseChecker(part=part, size_bytes=size, moved=moved.append, where="http://a.example/x")


@pytest.fixture
def house(tmp_path: Path) -> Path:
    (tmp_path / FOLDER).mkdir()
    return tmp_path


def test_an_answer_that_goes_on(house: Path) -> None:
    moved: list[int] = []
    with PartFile(house, HEX) as part:
        sink = incoming(part, moved)
        assert sink.begin(200, {"Content-Length": "10", "ETag": '"x"'})
        sink.add(b"01234")
        assert not sink.is_at_end
        assert sink.begin(206, {"Content-Range": "bytes 5-9/10", "ETag": '"x"'})
        sink.add(b"56789")
        assert sink.is_at_end
        assert sink.is_complete
    assert sum(moved) == 10


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Range": "bytes 4-9/10"},
        {"Content-Range": "bytes 5-9/11"},
        {"Content-Range": "bytes 5-9/10", "ETag": '"y"'},
        {"Content-Range": "items 5-9/10"},
    ],
)
def test_an_answer_that_does_not_go_on(house: Path, headers: dict[str, str]) -> None:
    moved: list[int] = []
    with PartFile(house, HEX) as part:
        part.begin_response(PartOrigin(etag='"x"', size_bytes=10))
        part.write(b"01234")
        with pytest.raises(InterruptedTransferError):
            incoming(part, moved, None).begin(206, headers)
        assert part.size == 0
    assert moved == [-5]


@pytest.mark.parametrize(
    ("text", "wait_s"), [("7", 7.0), ("-1", 0.0), ("Fri, 01 Jan 2027", 0.0), ("9" * 9, 0.0)]
)
def test_how_long_a_server_wants_to_be_left_alone(house: Path, text: str, wait_s: float) -> None:
    with PartFile(house, HEX) as part, pytest.raises(InterruptedTransferError) as caught:
        incoming(part, []).begin(503, {"Retry-After": text})
    assert caught.value.wait_s == wait_s


def test_absence_is_told_apart_from_trouble(house: Path) -> None:
    with PartFile(house, HEX) as part:
        with pytest.raises(FileNotServedError):
            incoming(part, []).begin(404, {})
        with pytest.raises(ToolError) as caught:
            incoming(part, []).begin(204, {})
    assert not isinstance(caught.value, FileNotServedError)


@pytest.mark.parametrize(
    ("text", "size"), [("12", 12), (" 12 ", 12), ("-1", None), ("٣", None), ("9" * 30, None)]
)
def test_lengths(text: str, size: int | None) -> None:
    assert content_length({"Content-Length": text}) == size
    assert content_length({}) is None
