from __future__ import annotations

from dataclasses import replace

from envsmith.index.reader import join_listings, merge_rows, reusable_metadata
from envsmith.index.simple_api import PageRow
from envsmith.model.backend import Backend
from envsmith.model.listing import IndexListing, Metadata, default_url, group_releases
from envsmith.model.wheel import Wheel

A, B, C = "aa" * 32, "bb" * 32, "cc" * 32
ONE = "torch-2.20.0+cu199-cp312-cp312-win_amd64.whl"
TWO = "torch-2.21.0+cu199-cp312-cp312-win_amd64.whl"


def wheel(filename: str = ONE, sha256: str | None = A, **changes: object) -> Wheel:
    made = Wheel.from_entry(
        index="cu199", filename=filename, url=default_url("cu199", filename), sha256=sha256
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def listed(item: Wheel) -> PageRow:
    return PageRow(wheel=item, served_url=item.url, metadata_sha256=None, has_metadata=False)


def merged(page: Wheel, known: Wheel) -> Wheel:
    (result,) = merge_rows([listed(page)], [known], keep_unlisted=True)
    return result


def test_files_no_longer_listed_stay_only_where_asked() -> None:
    page, known = [listed(wheel(TWO))], [wheel(ONE)]
    assert merge_rows(page, known, keep_unlisted=True) == (wheel(ONE), wheel(TWO))
    assert merge_rows(page, known, keep_unlisted=False) == (wheel(TWO),)


def test_other_bytes_under_a_known_name_withdraw_the_known_ones() -> None:
    result = merged(wheel(sha256=B), wheel(sha256=A, withdrawn=(C,), upload_time="2026-01-01T00:00:00Z"))
    assert result.sha256 == B
    assert result.withdrawn == (A, C)
    assert result.upload_time is None


def test_bytes_that_come_back_are_withdrawn_no_longer() -> None:
    result = merged(wheel(sha256=C), wheel(sha256=A, withdrawn=(C,)))
    assert (result.sha256, result.withdrawn) == (C, (A,))


def test_a_page_without_a_hash_does_not_lose_the_known_one() -> None:
    assert merged(wheel(sha256=None), wheel(sha256=A, withdrawn=(C,))) == wheel(sha256=A, withdrawn=(C,))
    assert merged(wheel(sha256=A), wheel(sha256=None)).sha256 == A


def test_the_earlier_time_of_equal_bytes_is_kept() -> None:
    early, late = "2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z"
    assert merged(wheel(upload_time=late), wheel(upload_time=early)).upload_time == early
    assert merged(wheel(upload_time=None), wheel(upload_time=late)).upload_time == late


def test_equal_bytes_keep_the_address_at_pytorch() -> None:
    elsewhere = wheel(url=f"https://mirror.example/x/{ONE.replace('+', '%2B')}")
    assert merged(elsewhere, wheel()).url == wheel().url
    assert merged(wheel(), elsewhere).url == wheel().url
    assert merged(replace(elsewhere, sha256=B), wheel()).url == elsewhere.url


def test_the_page_decides_whether_a_file_is_yanked() -> None:
    assert merged(wheel(yanked="broken"), wheel()).yanked == "broken"
    assert merged(wheel(), wheel(yanked="broken")).yanked is None


def listing(*wheels: Wheel, metadata: Metadata | None = None) -> IndexListing:
    known = {(item.name, str(item.version)): metadata for item in wheels} if metadata else {}
    return IndexListing(
        channel="stable",
        backend=Backend.parse("cu199"),
        retrieved="2026-11-01",
        source="x",
        projects=group_releases(wheels, {key: value for key, value in known.items() if value}),
    )


EXACT = Metadata(requires_dist=("sympy",), requires_python=None, confidence="exact", basis="x")
OTHER = replace(EXACT, basis="y")


def test_two_listings_join_to_all_rows_the_first_ones_winning() -> None:
    linux = "torch-2.20.0+cu199-cp312-cp312-manylinux_2_28_x86_64.whl"
    joined = join_listings(
        listing(wheel(ONE, A), metadata=EXACT),
        listing(wheel(ONE, B), wheel(linux, C), wheel(TWO, A), metadata=OTHER),
    )
    assert {key[1] for key in joined} == {"2.20.0+cu199", "2.21.0+cu199"}
    first = joined["torch", "2.20.0+cu199"]
    assert [(row[0], row[1]) for row in first.entries] == [(linux, C), (ONE, A)]
    assert first.metadata == EXACT
    assert joined["torch", "2.21.0+cu199"].metadata == OTHER
    assert join_listings(None, None) == {}


def test_metadata_only_one_listing_has_is_kept() -> None:
    joined = join_listings(listing(wheel()), listing(wheel(), metadata=EXACT))
    assert joined["torch", "2.20.0+cu199"].metadata == EXACT


def test_metadata_of_wheels_with_other_bytes_is_not_reused() -> None:
    known = join_listings(listing(wheel(ONE, A), wheel(TWO, A), metadata=EXACT), None)
    assert set(reusable_metadata(known, [wheel(ONE, A), wheel(TWO, B)])) == {("torch", "2.20.0+cu199")}
    assert len(reusable_metadata(known, [])) == 2
    assert reusable_metadata(join_listings(listing(wheel()), None), [wheel()]) == {}
