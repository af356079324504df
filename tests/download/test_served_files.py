from __future__ import annotations

from itertools import islice

import pytest

from envsmith.download.locations import ServedFiles
from envsmith.errors import EnvsmithError
from tests.range_server import RangeServer, Step
from tests.wheelhouses import NAME, artifact

ITEM = artifact("https://a.example/x", b"x")


def test_the_name_is_asked_for_before_any_page() -> None:
    (first,) = islice(ServedFiles(base="http://127.0.0.1:9/w/").urls(ITEM), 1)
    assert first == f"http://127.0.0.1:9/w/{NAME.replace('+', '%2B')}"


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        (NAME, "/simple/torch/"),
        (f"../../files/{NAME}", "/files/"),
        (f"/pool/{NAME}#sha256={'a' * 64}", "/pool/"),
    ],
)
def test_a_page_tells_where_the_file_lies(link: str, expected: str) -> None:
    quoted = link.replace("+", "%2B")
    text = f'<!DOCTYPE html><html><body><a href="{quoted}">{NAME}</a></body></html>'
    with RangeServer() as server:
        server.put("simple/torch/", text.encode())
        server.headers["simple/torch/"] = {"Content-Type": "text/html; charset=utf-8"}
        found = list(ServedFiles(base=f"{server.origin}/simple").urls(ITEM))
    assert found[1:] == [f"{server.origin}{expected}{NAME.replace('+', '%2B')}"]


def test_a_server_without_pages() -> None:
    with RangeServer() as server:
        assert len(list(ServedFiles(base=server.origin).urls(ITEM))) == 1


def test_a_page_that_is_none() -> None:
    with RangeServer() as server:
        server.put("torch/", b"<html>log in")
        server.headers["torch/"] = {"Content-Type": "text/html"}
        with pytest.raises(EnvsmithError) as caught:
            list(ServedFiles(base=server.origin).urls(ITEM))
        assert caught.value.code == "CAT030"
        server.plan("torch/", *[Step(status=503)] * 3)
        with pytest.raises(EnvsmithError) as caught:
            list(ServedFiles(base=server.origin).urls(ITEM))
        assert caught.value.code == "TOL057"
