from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from envsmith.errors import ChangedFileError
from envsmith.index.cache import ListingCache
from envsmith.index.reader import PYTORCH_BASE
from envsmith.model.listing import IndexListing, Metadata, default_url
from tests.index.index_bench import (
    CU199,
    LINUX,
    NOW,
    TORCH,
    WINDOWS,
    Bench,
    listing_of,
    torch_wheel,
)
from tests.replay import ReplayIndex
from tests.replay_files import ReplayFile
from tests.replay_pages import JSON, NIGHTLY, OF_2024, OF_2025, OF_2026, Style


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with ReplayIndex() as replay:
        yield Bench(replay, tmp_path / "cache")


@pytest.mark.parametrize(
    "style",
    [OF_2024, OF_2025, OF_2026, JSON, Style(links="beside"), Style(links="absolute", timestamp=False)],
    ids=["2024", "2025", "2026", "json", "beside", "no-timestamp"],
)
def test_reads_every_form_to_the_same_wheel(bench: Bench, style: Style) -> None:
    file = torch_wheel()
    bench.replay.add(file)
    bench.replay.style = style
    reading = bench.read()
    wheel = bench.wheels(reading.listing)[file.filename]
    assert wheel.url == default_url("cu199", file.filename)
    assert wheel.sha256 == file.sha256
    assert wheel.upload_time == ("2026-11-01T12:00:00Z" if style.upload_times else None)
    assert reading.problems == ()
    metadata = reading.listing.projects["torch"]["2.20.0+cu199"].metadata
    assert metadata is not None
    assert metadata.requires_dist == ("sympy>=1.13",)
    assert metadata.confidence == "exact"
    assert bench.cache.read_listing("stable", CU199) == reading.listing


def test_real_r2_links_are_recorded_at_pytorchs_own_host(bench: Bench) -> None:
    bench.replay.add(torch_wheel())
    bench.replay.style = Style(links="r2")
    bench.wants = lambda _: False
    wheel = bench.wheels(bench.read().listing)[torch_wheel().filename]
    assert wheel.url == default_url("cu199", wheel.filename)


def test_the_same_listing_comes_from_every_host_and_form(bench: Bench, tmp_path: Path) -> None:
    bench.replay.add(torch_wheel(), torch_wheel(WINDOWS))
    texts = set()
    for number, style in enumerate((OF_2026, JSON, Style(links="relative"), Style(links="beside"))):
        bench.replay.style = style
        bench.cache = ListingCache(tmp_path / str(number), "x")
        listing = bench.read().listing
        texts.add(replace(listing, source="").to_json().replace(bench.replay.base, "BASE"))
    assert len(texts) == 1


def test_root_wheels_keep_their_place(bench: Bench) -> None:
    bench.replay.add(
        torch_wheel(),
        ReplayFile.row("torch-1.13.1-cp310-cp310-win_amd64.whl", index="cu199", at_root=True),
    )
    wheels = bench.wheels(bench.read().listing)
    assert wheels["torch-1.13.1-cp310-cp310-win_amd64.whl"].folder == "whl"
    assert wheels[torch_wheel().filename].folder == "cu199"


def test_pages_are_read_side_by_side_and_absent_ones_left_out(bench: Bench) -> None:
    bench.replay.add(
        torch_wheel(), ReplayFile.made("torchvision", "0.35.0+cu199", LINUX, ["torch"], index="cu199")
    )
    listing = bench.read("torch", "torchvision", "torchaudio").listing
    assert set(listing.projects) == {"torch", "torchvision"}
    assert bench.replay.count("/whl/cu199/torchaudio/") == 1


def test_a_second_reading_asks_whether_pages_changed(bench: Bench) -> None:
    bench.replay.add(torch_wheel())
    first = bench.read()
    second = bench.read()
    assert second == first
    page_requests = [headers for path, headers in bench.replay.requests if path == TORCH]
    assert "if-none-match" not in page_requests[0]
    assert "if-none-match" in page_requests[1]
    # What the wheel requires is known now.
    assert bench.replay.count() == 3


def test_pages_are_asked_for_once_a_day(bench: Bench) -> None:
    bench.replay.add(torch_wheel())
    day = timedelta(days=1)
    first = bench.read(max_age=day)
    bench.now = NOW + timedelta(hours=23)
    assert bench.read(max_age=day).listing == first.listing
    assert first.listing.retrieved == "2026-11-20"
    assert bench.replay.count(TORCH) == 1
    bench.now = NOW + timedelta(hours=24)
    assert bench.read(max_age=day).listing.retrieved == "2026-11-21"
    assert bench.replay.count(TORCH) == 2
    states = bench.cache.read_states("stable", CU199)
    assert {state.fetched_at for state in states.values()} == {"2026-11-21T10:00:00Z"}


def test_absence_is_remembered_for_a_day_too(bench: Bench) -> None:
    bench.replay.add(torch_wheel())
    for _ in range(2):
        bench.read("torch", "torchaudio", max_age=timedelta(days=1))
    assert bench.replay.count("/whl/cu199/torchaudio/") == 1


def test_a_page_lost_from_the_cache_is_fetched_whole(bench: Bench) -> None:
    bench.replay.add(torch_wheel())
    first = bench.read()
    page = bench.cache.listing_path("stable", CU199).parent / "cu199.pages" / "torch"
    page.write_bytes(b"broken")
    assert bench.read() == first
    assert "if-none-match" not in bench.replay.requests[-1][1]


def test_a_cached_page_that_cannot_be_parsed_is_fetched_whole(bench: Bench) -> None:
    bench.replay.add(torch_wheel())
    first = bench.read()
    states = bench.cache.read_states("stable", CU199)
    body = b"written by a version that read pages otherwise"
    bench.cache.write_page("stable", CU199, "torch", body)
    state = replace(states["torch"], body_sha256=hashlib.sha256(body).hexdigest())
    bench.cache.write_states("stable", CU199, {**states, "torch": state})
    assert bench.read() == first
    assert bench.replay.count(TORCH) == 2


def test_a_broken_listing_in_the_cache_is_written_anew(bench: Bench) -> None:
    bench.replay.add(torch_wheel())
    first = bench.read()
    bench.cache.listing_path("stable", CU199).write_text("{")
    assert bench.read().listing == first.listing
    assert bench.cache.read_listing("stable", CU199) == first.listing


def test_stable_files_no_longer_listed_stay(bench: Bench) -> None:
    known = torch_wheel(version="2.19.0+cu199")
    bench.replay.add(torch_wheel())
    listing = bench.read(known=listing_of(known)).listing
    assert set(listing.projects["torch"]) == {"2.19.0+cu199", "2.20.0+cu199"}
    bench.replay.remove("cu199", torch_wheel().filename)
    bench.replay.add(torch_wheel(version="2.21.0+cu199"))
    assert set(bench.read().listing.projects["torch"]) == {
        "2.19.0+cu199",
        "2.20.0+cu199",
        "2.21.0+cu199",
    }


def test_nightlies_no_longer_listed_vanish(bench: Bench) -> None:
    bench.channel = "nightly"
    bench.replay.style = NIGHTLY
    old, new = (f"2.21.0.dev2026{day}+cu199" for day in ("1101", "1119"))
    bench.replay.add(
        *(ReplayFile.made("torch", version, LINUX, index="nightly/cu199") for version in (old, new))
    )
    first = bench.read().listing
    assert set(first.projects["torch"]) == {old, new}
    assert {wheel.sha256 for wheel in bench.wheels(first).values()} == {None}
    bench.replay.remove("nightly/cu199", f"torch-{old}-{LINUX}.whl")
    listing = bench.read(known=first).listing
    assert set(listing.projects["torch"]) == {new}
    assert listing.index == "nightly/cu199"
    assert bench.wheels(listing)[f"torch-{new}-{LINUX}.whl"].url.startswith(f"{PYTORCH_BASE}/nightly/cu199/")


def test_projects_not_asked_for_stay_as_they_were(bench: Bench) -> None:
    bench.replay.add(torch_wheel(), ReplayFile.made("triton", "3.9.0", LINUX, index="cu199"))
    bench.read("torch", "triton")
    assert set(bench.read("torch").listing.projects) == {"torch", "triton"}


def test_a_published_file_must_keep_its_hash(bench: Bench) -> None:
    old, new = torch_wheel(), torch_wheel(LINUX, "2.20.0+cu199", "new>=1")
    bench.replay.add(new)
    for _ in range(2):
        with pytest.raises(ChangedFileError) as caught:
            bench.read(known=listing_of(old), max_age=timedelta(days=1))
        assert caught.value.code == "CAT042"
        assert str(old.sha256) in caught.value.message
        assert str(new.sha256) in caught.value.message
        assert f"--accept-changed {new.filename}" in caught.value.hint
    assert bench.cache.read_listing("stable", CU199) is None


@pytest.mark.parametrize("channel", ["nightly", "test"])
def test_a_file_of_a_channel_that_is_rebuilt_may_change(bench: Bench, channel: str) -> None:
    old = torch_wheel()
    new = replace(torch_wheel(LINUX, "2.20.0+cu199", "new>=1"), index=f"{channel}/cu199")
    bench.channel = channel
    bench.replay.add(new)
    listing = bench.read(known=listing_of(old, channel=channel)).listing
    assert bench.wheels(listing)[new.filename].sha256 == new.sha256


def test_both_hashes_on_record_count(bench: Bench) -> None:
    old, new = torch_wheel(), torch_wheel(LINUX, "2.20.0+cu199", "new>=1")
    bench.replay.add(new)
    bench.accepted = (new.filename,)
    assert bench.cache.accepted(new.filename) == frozenset()
    bench.read(known=listing_of(old))
    assert bench.cache.accepted(new.filename) == {new.sha256}
    bench.accepted = ()
    bench.read(known=listing_of(old))
    bench.replay.add(old)
    bench.read(known=listing_of(old))
    bench.replay.add(torch_wheel(LINUX, "2.20.0+cu199", "third>=1"))
    with pytest.raises(ChangedFileError, match="and"):
        bench.read(known=listing_of(old))


def test_an_accepted_file_has_the_new_hash_and_keeps_the_old_as_withdrawn(bench: Bench) -> None:
    old = torch_wheel()
    bench.accepted = (old.filename,)
    exact = Metadata(requires_dist=("old",), requires_python=None, confidence="exact", basis="x")
    new = torch_wheel(LINUX, "2.20.0+cu199", "new>=1")
    bench.replay.add(new)
    listing = bench.read(known=listing_of(old, metadata=exact)).listing
    wheel = bench.wheels(listing)[new.filename]
    assert new.sha256 != old.sha256
    assert (wheel.sha256, wheel.withdrawn) == (new.sha256, (old.sha256,))
    metadata = listing.projects["torch"]["2.20.0+cu199"].metadata
    assert metadata is not None
    assert metadata.requires_dist == ("new>=1",)
    assert bench.read().listing == listing


def test_known_metadata_is_not_fetched(bench: Bench) -> None:
    exact = Metadata(requires_dist=("sympy",), requires_python=None, confidence="composed", basis="x")
    bench.replay.add(torch_wheel())
    listing = bench.read(known=listing_of(torch_wheel(), metadata=exact)).listing
    assert listing.projects["torch"]["2.20.0+cu199"].metadata == exact
    assert bench.replay.count() == 1


def test_only_metadata_that_could_matter_is_fetched(bench: Bench) -> None:
    bench.replay.add(torch_wheel(version="2.19.0+cu199"), torch_wheel())
    bench.wants = lambda wheel: wheel.version.minor > 19
    releases = bench.read().listing.projects["torch"]
    assert releases["2.19.0+cu199"].metadata is None
    assert releases["2.20.0+cu199"].metadata is not None
    assert bench.replay.count() == 2


def test_platforms_that_require_other_things_are_told_apart(bench: Bench) -> None:
    bench.replay.add(
        torch_wheel(LINUX, "2.20.0+cu199", "sympy", "nvidia-x==1"),
        torch_wheel(WINDOWS, "2.20.0+cu199", "sympy"),
        torch_wheel("cp313-cp313-win_amd64", "2.20.0+cu199", "sympy"),
    )
    metadata = bench.read().listing.projects["torch"]["2.20.0+cu199"].metadata
    assert metadata is not None
    assert metadata.requires_dist == ("sympy", 'nvidia-x==1; sys_platform == "linux"')
    assert sum(path.endswith(".metadata") for path, _ in bench.replay.requests) == 2


def test_a_sidecar_with_another_digest_is_not_believed_and_told(bench: Bench) -> None:
    bench.replay.add(replace(torch_wheel(), metadata_sha256="ab" * 32), torch_wheel(version="2.19.0+cu199"))
    reading = bench.read()
    (problem,) = reading.problems
    assert problem.code == "CAT035"
    assert reading.listing.projects["torch"]["2.20.0+cu199"].metadata is None
    assert reading.listing.projects["torch"]["2.19.0+cu199"].metadata is not None


def test_wheels_without_sidecar_are_read_by_ranges(bench: Bench) -> None:
    bench.replay.add(replace(torch_wheel(), metadata=None))
    metadata = bench.read().listing.projects["torch"]["2.20.0+cu199"].metadata
    assert metadata is not None
    assert metadata.requires_dist == ("sympy>=1.13",)
    assert bench.replay.base in metadata.basis
    assert "2026-11-20" in metadata.basis


def test_yanked_wheels_are_kept_apart(bench: Bench) -> None:
    bench.replay.add(torch_wheel(), replace(torch_wheel(WINDOWS), yanked=True))
    known = listing_of(torch_wheel(WINDOWS))
    listing = IndexListing.from_json(bench.read(known=known).listing.to_json())
    assert set(bench.wheels(listing)) == {torch_wheel().filename}
    (release,) = listing.releases("torch")
    assert {wheel.filename: wheel.yanked for wheel in release.wheels(yanked=True)} == {
        torch_wheel().filename: None,
        torch_wheel(WINDOWS).filename: "",
    }
