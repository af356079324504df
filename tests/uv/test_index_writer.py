import tomllib
from html.parser import HTMLParser
from pathlib import Path

import pytest

from envsmith.errors import ToolError
from envsmith.model.listing import VersionMetadata
from envsmith.plan.model import Amendment
from envsmith.uv.index_writer import INDEX_NAME, uv_settings, write_slice
from tests.values import HEX, plan, slice_of, torch

OLD, NEW = torch("2.10.0+cu128"), torch("2.11.0+cu128")
SLICE = slice_of(NEW, OLD, empty=("torchaudio",))


class Links(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found += [value or "" for name, value in attrs if name == "href"]


def links(folder: Path, project: str) -> list[str]:
    return Links((folder / project / "index.html").read_text("utf-8")).found


def test_pages_hold_address_and_hash(tmp_path: Path) -> None:
    folder = write_slice(SLICE, tmp_path / "slices")
    assert links(folder, "torch") == [f"{row.url}#sha256={HEX}" for row in (OLD, NEW)]


def test_project_not_to_be_had_gets_an_empty_page(tmp_path: Path) -> None:
    assert links(write_slice(SLICE, tmp_path), "torchaudio") == []


def test_equal_slices_share_a_folder_and_others_do_not(tmp_path: Path) -> None:
    first = write_slice(SLICE, tmp_path)
    assert write_slice(slice_of(OLD, NEW, empty=("torchaudio",)), tmp_path) == first
    assert write_slice(slice_of(NEW), tmp_path) != first
    assert sorted(path.name[0] == "." for path in tmp_path.iterdir()) == [False, False]


def test_slice_of_nothing(tmp_path: Path) -> None:
    assert list(write_slice(slice_of(), tmp_path).iterdir()) == []


def test_disk_that_refuses(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", "utf-8")
    with pytest.raises(ToolError) as caught:
        write_slice(SLICE, tmp_path / "file")
    assert caught.value.code == "TOL010"
    assert caught.value.hint


def test_settings_name_the_index_first_and_describe_its_versions(tmp_path: Path) -> None:
    settings = tomllib.loads(uv_settings(plan("torch", slice_=SLICE), tmp_path))
    (index,) = settings["index"]
    assert index == {"name": INDEX_NAME, "url": tmp_path.resolve().as_uri(), "exclude-newer": False}
    described = {
        (item["name"], item["version"]): item["requires-dist"] for item in settings["dependency-metadata"]
    }
    assert described == {("torch", "2.10.0+cu128"): [], ("torch", "2.11.0+cu128"): []}


def test_settings_quote_what_metadata_says(tmp_path: Path) -> None:
    odd = VersionMetadata(
        name="opuslib",
        version="3",
        requires_dist=('a; python_version >= "3.12"', "b\n[x]"),
        requires_python=">=3",
    )
    amended = plan("opuslib").amended(Amendment(decisions=(), sdist_metadata=(odd,)))
    (item,) = tomllib.loads(uv_settings(amended, tmp_path))["dependency-metadata"]
    assert item == {
        "name": "opuslib",
        "version": "3",
        "requires-dist": list(odd.requires_dist),
        "requires-python": ">=3",
    }


def test_source_distributions_not_read_yet_require_nothing(tmp_path: Path) -> None:
    (item,) = tomllib.loads(uv_settings(plan("opuslib"), tmp_path, ["opuslib"]))["dependency-metadata"]
    assert item == {"name": "opuslib", "requires-dist": []}
    read = VersionMetadata(name="opuslib", version="3", requires_dist=("numpy",))
    amended = plan("opuslib").amended(Amendment(decisions=(), sdist_metadata=(read,)))
    (item,) = tomllib.loads(uv_settings(amended, tmp_path, ["opuslib"]))["dependency-metadata"]
    assert item["requires-dist"] == ["numpy"]
