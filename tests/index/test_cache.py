from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from envsmith.errors import CatalogError, ToolError
from envsmith.index import cache as cache_module
from envsmith.index.cache import ListingCache, PageState, is_fresh, server_name, write_cached
from envsmith.model.backend import Backend
from envsmith.model.listing import IndexListing

CU128 = Backend.parse("cu128")
NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
STATE = PageState(
    fetched_at="2026-11-20T09:00:00Z",
    absent=False,
    content_type="text/html",
    body_sha256="a591a6d40bf420404a011733cfb7b190d62c65bf0bcda32b57b277d9ad9f146e",
    etag='"x"',
)
LISTING = IndexListing(channel="stable", backend=CU128, retrieved="2026-11-20", source="x")


@pytest.fixture
def cache(tmp_path: Path) -> ListingCache:
    return ListingCache(tmp_path / "cache", "download.pytorch.org")


def test_servers_are_kept_apart_and_their_secrets_out_of_names() -> None:
    usual = "https://download.pytorch.org/whl"
    assert server_name(f"{usual}/", usual) == "download.pytorch.org"
    one = server_name("https://u:secret@mirror.example/whl", usual)
    assert one != server_name("https://mirror.example/whl", usual)
    assert one.isalnum()


def test_a_listing_is_read_as_written(cache: ListingCache) -> None:
    assert cache.read_listing("stable", CU128) is None
    cache.write_listing(LISTING)
    assert cache.read_listing("stable", CU128) == LISTING
    path = cache.listing_path("stable", CU128)
    assert path == cache.root / "listings" / "download.pytorch.org" / "stable" / "cu128.json"
    assert IndexListing.from_json(path.read_text("utf-8")) == LISTING


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"form": 9}', b'{"form": 1}'])
def test_a_broken_listing_is_reported(cache: ListingCache, content: bytes) -> None:
    cache.write_listing(LISTING)
    path = cache.listing_path("stable", CU128)
    path.write_bytes(content)
    with pytest.raises(CatalogError) as caught:
        cache.read_listing("stable", CU128)
    assert (caught.value.code, caught.value.where) == ("CAT037", str(path))
    assert "refresh" in caught.value.hint


def test_the_listing_of_another_index_is_reported(cache: ListingCache) -> None:
    path = cache.listing_path("nightly", CU128)
    path.parent.mkdir(parents=True)
    path.write_text(LISTING.to_json())
    with pytest.raises(CatalogError, match="cu128"):
        cache.read_listing("nightly", CU128)


def test_states_are_read_as_written(cache: ListingCache) -> None:
    assert cache.read_states("stable", CU128) == {}
    states = {"torch": STATE, "triton": replace(STATE, absent=True, etag=None)}
    cache.write_states("stable", CU128, states)
    assert cache.read_states("stable", CU128) == states


@pytest.mark.parametrize(
    "change",
    [
        {"fetched_at": "yesterday"},
        {"fetched_at": "2026-11-20T09:00:00"},
        {"fetched_at": 3},
        {"etag": "a\r\nX-Evil: 1"},
        {"content_type": 3},
        {"more": 1},
    ],
)
def test_states_nobody_wrote_are_forgotten(cache: ListingCache, change: dict[str, object]) -> None:
    cache.write_states("stable", CU128, {"torch": STATE})
    path = cache.listing_path("stable", CU128).with_suffix(".pages.json")
    data = json.loads(path.read_text())
    data["pages"]["torch"] |= change
    path.write_text(json.dumps(data))
    assert cache.read_states("stable", CU128) == {}


def test_a_page_is_given_only_as_its_state_says(cache: ListingCache) -> None:
    assert cache.read_page("stable", CU128, "torch", STATE) is None
    cache.write_page("stable", CU128, "torch", b"Hello World")
    assert cache.read_page("stable", CU128, "torch", STATE) == b"Hello World"
    cache.write_page("stable", CU128, "torch", b"Hello")
    assert cache.read_page("stable", CU128, "torch", STATE) is None


@pytest.mark.parametrize("project", ["../torch", "a/b", "", "Torch", ".", "torch\n"])
def test_a_project_is_no_path(cache: ListingCache, project: str) -> None:
    with pytest.raises(CatalogError):
        cache.write_page("stable", CU128, project, b"")


def test_pages_are_fresh_for_a_day() -> None:
    assert is_fresh(STATE, NOW)
    assert is_fresh(STATE, datetime(2026, 11, 21, 8, 59, 59, tzinfo=UTC))
    assert not is_fresh(STATE, datetime(2026, 11, 21, 9, 0, tzinfo=UTC))
    assert not is_fresh(STATE, datetime(2026, 11, 20, 8, 0, tzinfo=UTC))
    assert not is_fresh(STATE, NOW, timedelta(0))
    assert not is_fresh(None, NOW)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.json"
    write_cached(path, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ToolError, match="No space left") as caught:
        write_cached(path, b"new")
    assert (caught.value.code, caught.value.where) == ("TOL035", str(path))
    assert path.read_bytes() == b"old"
    assert [item.name for item in tmp_path.iterdir()] == ["x.json"]


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ToolError) as caught:
        ListingCache(tmp_path / "file", "x").write_listing(LISTING)
    assert caught.value.code == "TOL035"


KILLED = """
import os, signal, sys
from pathlib import Path
from envsmith.index import cache
wrapped = getattr(os, sys.argv[2])
def die(*arguments):
    if sys.argv[3] == "after":
        wrapped(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(os, sys.argv[2], die)
cache.write_cached(Path(sys.argv[1]), b"new")
"""


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is of POSIX")
@pytest.mark.parametrize(
    ("call", "moment", "left"),
    [("fsync", "before", b"old"), ("replace", "before", b"old"), ("replace", "after", b"new")],
)
def test_killed_between_writing_and_replacing_the_old_file_stays(
    tmp_path: Path, call: str, moment: str, left: bytes
) -> None:
    path = tmp_path / "x.json"
    write_cached(path, b"old")
    command = [sys.executable, "-c", KILLED, str(path), call, moment]
    result = subprocess.run(command, check=False, cwd=Path(cache_module.__file__).parents[2])
    assert result.returncode == -signal.SIGKILL
    assert path.read_bytes() == left
    write_cached(path, b"newer")
    assert path.read_bytes() == b"newer"
