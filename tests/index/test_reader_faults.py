from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from envsmith.errors import CatalogError, ToolError
from envsmith.index.reader import PYTORCH_BASE, PyTorchIndex, ReadRequest, checked_base
from tests.index.index_bench import (
    CU199,
    LINUX,
    NOW,
    QUICK,
    TORCH,
    Bench,
    failure,
    torch_wheel,
)
from tests.replay import ReplayIndex
from tests.replay_faults import Fault
from tests.replay_files import ReplayFile
from tests.replay_pages import Style


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with ReplayIndex() as replay:
        yield Bench(replay, tmp_path / "cache")


def test_an_index_that_does_not_exist_is_named(bench: Bench) -> None:
    error = failure(bench, "torch", "torchvision")
    assert isinstance(error, CatalogError)
    assert (error.code, error.where) == ("CAT034", bench.replay.base)
    assert "cu199" in error.message
    assert bench.cache.read_listing("stable", CU199) is None


def test_a_failing_server_is_asked_again_then_given_up(bench: Bench) -> None:
    bench.replay.add(torch_wheel())
    bench.replay.fail(TORCH, Fault.status(500, times=2))
    assert bench.read().listing.projects
    bench.replay.fail(TORCH, Fault.status(500))
    assert failure(bench).code == "TOL057"


def test_a_page_that_failed_leaves_the_listing_and_the_others_are_kept(bench: Bench) -> None:
    bench.replay.add(torch_wheel(), ReplayFile.made("triton", "3.9.0", LINUX, index="cu199"))
    first = bench.read("torch", "triton").listing
    bench.replay.add(torch_wheel(version="2.21.0+cu199"))
    bench.replay.fail("/whl/cu199/triton/", Fault.truncated())
    bench.cache.listing_path("stable", CU199).parent.joinpath("cu199.pages.json").unlink()
    error = failure(bench, "torch", "triton")
    assert error.code == "CAT030"
    assert "/cu199/triton/" in error.where
    assert bench.cache.read_listing("stable", CU199) == first
    assert set(bench.cache.read_states("stable", CU199)) == {"torch"}


def test_a_slow_server_is_left_at_the_deadline_and_nothing_changes(bench: Bench) -> None:
    bench.replay.add(torch_wheel())
    first = bench.read().listing
    bench.replay.fail(TORCH, Fault.slow(30))
    error = failure(bench, deadline_s=0.3)
    assert isinstance(error, ToolError)
    assert error.code == "TOL031"
    assert bench.cache.read_listing("stable", CU199) == first


def test_metadata_that_comes_too_late_is_read_the_next_time(bench: Bench) -> None:
    bench.replay.add(torch_wheel(), torch_wheel(version="2.19.0+cu199"))
    slow = f"/whl/cu199/{torch_wheel().filename}.metadata"
    bench.replay.fail(slow, Fault.slow(30))
    reading = bench.read(deadline_s=5)
    (problem,) = reading.problems
    assert problem.code == "TOL031"
    assert "metadata of 1 version" in problem.where
    releases = reading.listing.projects["torch"]
    assert releases["2.20.0+cu199"].metadata is None
    assert releases["2.19.0+cu199"].metadata is not None
    bench.replay.heal()
    releases = bench.read().listing.projects["torch"]
    assert releases["2.20.0+cu199"].metadata is not None


@pytest.mark.parametrize("text", ["Links for torch", "<a href='x.whl'>torch-1-py3-none-any.whl</a>"])
def test_a_page_of_nonsense_changes_nothing(bench: Bench, text: str) -> None:
    bench.replay.add(torch_wheel())
    first = bench.read().listing
    bench.replay.fail(TORCH, Fault.body(text))
    assert failure(bench).code in {"CAT030", "CAT032"}
    assert bench.cache.read_listing("stable", CU199) == first


@pytest.mark.parametrize(
    "base",
    [
        "",
        "mirror",
        "ftp://mirror.example/whl",
        "https://",
        "https://m.example/?x",
        "https://m.example/a b",
        "https://m.example/#x",
        "https://[::1",
        "file:///srv/whl",
        "https://m.example:99999/",
        "https://m/\n",
    ],
)
def test_what_is_no_base_is_refused(base: str) -> None:
    with pytest.raises(CatalogError) as caught:
        checked_base(base)
    assert caught.value.code == "CAT038"
    assert PYTORCH_BASE in caught.value.hint


def test_a_base_loses_its_last_slash() -> None:
    assert checked_base("https://user:secret@m.example/whl/") == "https://user:secret@m.example/whl"


def test_passwords_of_a_mirror_are_used_and_never_recorded(bench: Bench) -> None:
    bench.replay.add(torch_wheel())
    base = bench.replay.base.replace("http://", "http://user:secret@")
    index = PyTorchIndex(base, bench.cache, wants_metadata=bench.wants, now=lambda: NOW, policy=QUICK)
    request = ReadRequest(channel="stable", backend=CU199, projects=("torch",), deadline_s=20)
    bench.replay.style = Style(links="relative")
    listing = index.read(request).listing
    assert {headers.get("authorization") for _, headers in bench.replay.requests} == {
        "Basic dXNlcjpzZWNyZXQ="
    }
    kept = "".join(
        path.read_text("utf-8") + str(path) for path in bench.cache.root.rglob("*") if path.is_file()
    )
    assert "secret" not in kept + listing.to_json()
