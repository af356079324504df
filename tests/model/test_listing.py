import json

import pytest

from envsmith.errors import CatalogError
from envsmith.model.backend import Backend
from envsmith.model.listing import IndexListing, Metadata, default_url, group_releases, index_name
from tests.values import OTHER_HEX, torch, wheel

METADATA = Metadata(requires_dist=("filelock",), requires_python=">=3.10", confidence="exact", basis="read")


def listing(channel: str = "stable") -> IndexListing:
    index = index_name(channel, Backend.parse("cu128"))
    rows = [
        torch("2.11.0+cu128", index=index),
        torch("2.11.0+cu128", "cp311", index=index, sha256=None),
        torch("2.10.0+cu128", index=index, upload_time="2026-01-21T00:00:00Z", withdrawn=(OTHER_HEX,)),
        wheel(
            "torchaudio-2.11.0-cp312-cp312-linux_aarch64.whl",
            index=index,
            url="https://download-r2.pytorch.org/x/torchaudio-2.11.0-cp312-cp312-linux_aarch64.whl",
        ),
    ]
    return IndexListing(
        channel=channel,
        backend=Backend.parse("cu128"),
        retrieved="2026-11-20",
        source="made up",
        projects=group_releases(rows, {("torch", "2.11.0+cu128"): METADATA}),
    )


@pytest.mark.parametrize("channel", ["stable", "test", "nightly"])
def test_written_and_read_again(channel: str) -> None:
    text = listing(channel).to_json()
    again = IndexListing.from_json(text)
    assert again == listing(channel)
    assert again.to_json() == text


def test_wheels_are_as_they_were() -> None:
    found = {item.version: item for item in IndexListing.from_json(listing().to_json()).releases("torch")}
    newest = list(found["2.11.0+cu128"].wheels())
    assert [item.sha256 is None for item in newest] == [True, False]
    assert found["2.11.0+cu128"].metadata == METADATA
    assert found["2.10.0+cu128"].metadata is None
    assert next(found["2.10.0+cu128"].wheels()).withdrawn == (OTHER_HEX,)


def test_address_away_from_the_usual_place_is_kept() -> None:
    release = IndexListing.from_json(listing().to_json()).releases("torchaudio")[0]
    assert next(release.wheels()).url.startswith("https://download-r2.pytorch.org/x/")


def test_index_and_address() -> None:
    assert (listing().index, listing("nightly").index) == ("cu128", "nightly/cu128")
    assert default_url("cu128", "a-1+b-py3-none-any.whl").endswith("/whl/cu128/a-1%2Bb-py3-none-any.whl")
    assert listing().releases("unknown") == ()


@pytest.mark.parametrize(
    "change",
    [
        {"form": 2},
        {"channel": "weekly"},
        {"backend": "cuda"},
        {"projects": []},
        {"projects": {"torch": {"2.0": {}}}},
        {"retrieved": None, "projects": None},
    ],
)
def test_other_forms_are_refused(change: dict[str, object]) -> None:
    text = json.dumps({**json.loads(listing().to_json()), **change})
    with pytest.raises(CatalogError) as caught:
        IndexListing.from_json(text)
    assert caught.value.code == "CAT011"


@pytest.mark.parametrize("text", ["", "[]", "{", "null", "[" * 100_000])
def test_no_json_of_ours(text: str) -> None:
    with pytest.raises(CatalogError) as caught:
        IndexListing.from_json(text)
    assert caught.value.code == "CAT011"


def test_malformed_row_is_found_when_its_wheels_are_asked_for() -> None:
    data = json.loads(listing().to_json())
    data["projects"]["torch"]["2.11.0+cu128"]["wheels"][0][1] = "no hash"
    release = IndexListing.from_json(json.dumps(data)).projects["torch"]["2.11.0+cu128"]
    with pytest.raises(CatalogError) as caught:
        list(release.wheels())
    assert caught.value.code == "CAT010"
