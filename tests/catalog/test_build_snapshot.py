"""The tool that builds the snapshot, on made-up index entries, and on the collected ones if they are available."""

import json
from pathlib import Path
from typing import Any

import pytest

from envsmith.catalog import Catalog
from envsmith.model.backend import Backend
from envsmith.model.listing import IndexListing
from envsmith.model.wheel import Wheel
from tests.catalog.tool_modules import REPOSITORY, load

tool = load("build_snapshot")
BACKENDS = [Backend.parse(name) for name in ("cpu", "cu126", "cu128", "cu129", "rocm6.4", "rocm7.2", "xpu")]
DATA = REPOSITORY.parent / "shared" / "pytorch-index"
gathered = pytest.mark.skipif(
    not DATA.is_dir(), reason="the gathered rows (../shared/pytorch-index) are not here"
)
HOST = "https://download.pytorch.org/whl"
ONE, TWO, THREE = "1" * 64, "2" * 64, "3" * 64


def row(index: str, filename: str, sha256: str | None = ONE, **values: Any) -> Any:
    name, version = filename.split("-")[:2]
    return tool.Row(
        **{
            "index": index,
            "name": name.replace("_", "-"),
            "version": version,
            "filename": filename,
            "url": f"{HOST}/{index}/{filename.replace('+', '%2B')}",
            "sha256": sha256,
            "upload_time": None,
            "repositories": 1,
        }
        | values
    )


def wheel(version: str = "2.8.0+cu128", name: str = "torch", platform: str = "manylinux_2_28_x86_64") -> str:
    return f"{name}-{version}-cp312-cp312-{platform}.whl"


def build(*rows: Any, metadata: Any = None, conflicts: Any = None) -> dict[str, IndexListing]:
    found = tool.build(rows, metadata or {}, conflicts or {}, BACKENDS, "2026-11-20")
    return {listing.index: listing for listing in found}


def only(listing: IndexListing, project: str = "torch") -> Wheel:
    (release,) = listing.releases(project)
    (found,) = release.wheels()
    return found


def test_index_names_become_channels_and_backends() -> None:
    found = build(row("cu128", wheel()), row("nightly/cu128", wheel()), row("test/cpu", wheel("2.8.0+cpu")))
    assert sorted(found) == ["cu128", "nightly/cu128", "test/cpu"]
    assert found["nightly/cu128"].channel == "nightly"
    assert found["cu128"].retrieved == "2026-11-20"


@pytest.mark.parametrize(
    "index",
    ["cu128_full", "cu121_pypi_cudnn", "cpu-cxx11-abi", "cpu_pypi_pkg", "cu102", "(root)", "variant/cu128"],
)
def test_foreign_folders_and_the_root_are_left_out(index: str) -> None:
    assert build(row(index, wheel())) == {}


def test_old_versions_stay_only_with_metadata() -> None:
    old, new = wheel("1.12.1"), wheel("1.13.0")
    metadata = tool.Metadata(requires_dist=(), requires_python=None, confidence="exact", basis="x")
    assert build(row("cpu", old)) == {}
    assert set(build(row("cpu", old), row("cpu", new))["cpu"].projects["torch"]) == {"1.13.0"}
    kept = build(row("cpu", old), metadata={("torch", "1.12.1"): metadata})
    assert kept["cpu"].projects["torch"]["1.12.1"].metadata == metadata


def test_a_file_without_a_proper_name_is_left_out() -> None:
    assert (
        build(row("cu128", "torch-2.10.0-1+cu128-cp312-cp312-manylinux_2_28_x86_64.whl", version="2.10.0"))
        == {}
    )


def test_an_address_is_written_down_only_where_it_is_not_the_usual() -> None:
    usual = build(row("cu128", wheel()))["cu128"]
    assert '"https' not in usual.to_json()
    old = build(row("cu128", wheel("1.13.1"), url=f"{HOST}/{wheel('1.13.1')}"))["cu128"]
    assert f'"{HOST}/{wheel("1.13.1")}"' in old.to_json()
    assert only(old).folder == "whl"


def test_an_address_not_recorded_is_the_root_for_a_triton_and_the_index_for_others() -> None:
    triton = wheel("3.1.0", "triton")
    assert only(build(row("cu128", triton, url=None))["cu128"], "triton").url == f"{HOST}/{triton}"
    assert (
        only(build(row("test/cu128", triton, url=None))["test/cu128"], "triton").url
        == f"{HOST}/test/{triton}"
    )
    assert (
        only(build(row("cu128", wheel(), url=None))["cu128"]).url
        == f"{HOST}/cu128/{wheel().replace('+', '%2B')}"
    )


def test_renamed_tritons_go_to_their_family_and_channel_only() -> None:
    name = wheel("3.5.0", "triton_rocm")
    rows = [row(index, wheel()) for index in ("rocm6.4", "rocm7.2", "xpu", "cu128", "test/rocm6.4")]
    found = build(*rows, row("(root)", name, url=f"{HOST}/{name}"))
    assert {index for index, listing in found.items() if "triton-rocm" in listing.projects} == {
        "rocm6.4",
        "rocm7.2",
    }
    assert only(found["rocm7.2"], "triton-rocm").url == f"{HOST}/{name}"
    found = build(*rows, row("test", name, url=f"{HOST}/test/{name}"))
    assert {index for index, listing in found.items() if "triton-rocm" in listing.projects} == {
        "test/rocm6.4"
    }


def test_a_renamed_triton_alone_makes_no_listing() -> None:
    assert build(row("rocm6.4", wheel("3.5.0", "triton_rocm"))) == {}


def test_tritons_of_the_root_serve_old_aarch64_only() -> None:
    rows = [row(index, wheel()) for index in ("cu126", "cu128", "cu129")]
    tritons = [
        row("(root)", wheel("3.3.1", "triton", "linux_aarch64")),
        row("(root)", wheel("3.3.1", "triton", "linux_x86_64")),
        row("(root)", wheel("3.5.0", "triton", "linux_aarch64")),
    ]
    found = build(*rows, *tritons)
    assert "triton" not in found["cu126"].projects
    for index in ("cu128", "cu129"):
        assert only(found[index], "triton").filename == wheel("3.3.1", "triton", "linux_aarch64")


def test_a_row_without_a_hash_stays_without() -> None:
    found = only(build(row("cu128", wheel(), None))["cu128"])
    assert found.sha256 is None
    assert ", null, " in build(row("cu128", wheel(), None))["cu128"].to_json()


def test_a_hash_is_taken_where_one_of_two_rows_has_it() -> None:
    triton = wheel("3.5.0", "triton_xpu")
    rows = [row("xpu", wheel()), row("xpu", triton, None), row("(root)", triton, TWO)]
    assert only(build(*rows)["xpu"], "triton-xpu").sha256 == TWO


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"upload_time": "2026-06-17T00:00:00Z"}, {"upload_time": "2026-05-12T00:00:00Z", "repositories": 9}),
        ({"upload_time": "2026-06-17T00:00:00Z"}, {"repositories": 9}),
        ({"repositories": 2}, {"repositories": 1}),
        ({}, {}),
    ],
)
def test_the_later_then_better_attested_hash_wins(first: dict[str, Any], second: dict[str, Any]) -> None:
    rows = [row("cu128", wheel(), ONE, **first), row("cu128", wheel(), TWO, **second)]
    for order in (rows, rows[::-1]):
        found = only(build(*order)["cu128"])
        assert (found.sha256, found.withdrawn) == (ONE, (TWO,))
        assert found.upload_time == first.get("upload_time")


def test_a_hash_only_on_record_among_the_conflicts_is_withdrawn() -> None:
    conflicts = {("cu128", wheel()): (ONE, THREE), ("cu126", wheel()): (TWO,)}
    found = only(build(row("cu128", wheel()), conflicts=conflicts)["cu128"])
    assert (found.sha256, found.withdrawn) == (ONE, (THREE,))


def test_the_same_file_in_two_indexes_stays_two_rows() -> None:
    found = build(row("cu126", wheel("2.8.0"), ONE), row("cu128", wheel("2.8.0"), TWO))
    assert [only(found[index]).sha256 for index in ("cu126", "cu128")] == [ONE, TWO]
    assert not only(found["cu126"]).withdrawn


def lines(*items: dict[str, Any]) -> str:
    return "".join(json.dumps(item) + "\n" for item in items)


def folder(path: Path) -> Path:
    item = {"index": "cu128", "name": "torch", "version": "2.8.0+cu128", "filename": wheel()}
    hashed = {
        "url": f"{HOST}/cu128/{wheel().replace('+', '%2B')}",
        "sha256": ONE,
        "n_repos": 4,
        "seen_in": ["a"],
    }
    time = {"upload_time": "2025-08-06 10:00:00+00:00"}
    metadata = {"requires_dist": ["sympy"], "requires_python": None, "basis": "x", "confidence": "exact"}
    path.mkdir()
    (path / "wheels.jsonl").write_text(lines(item | hashed | time))
    other = item | {"filename": wheel(platform="win_amd64"), "url": None, "sha256": None, "upload_time": None}
    (path / "wheels_nohash.jsonl").write_text(lines(other | {"seen_in": []}))
    named = {"name": "torch", "version": "2.8.0+cu128"}
    (path / "requires_dist.jsonl").write_text(lines(named | metadata))
    (path / "conflicts.json").write_text('{"same_index_same_filename_different_sha256": []}')
    return path


def test_a_folder_is_written_the_same_twice_and_old_files_go(tmp_path: Path) -> None:
    data, out = folder(tmp_path / "data"), tmp_path / "catalog"
    (out / "snapshot" / "stable").mkdir(parents=True)
    (out / "snapshot" / "stable" / "cu90.json").write_text("{}")
    assert tool.write(data, out, "2026-11-20") == 1
    first = {path: path.read_bytes() for path in out.rglob("*.*")}
    assert tool.write(data, out, "2026-11-20") == 1
    assert {path: path.read_bytes() for path in out.rglob("*.*")} == first
    assert {path.name for path in first} == {"cu128.json", "snapshot.toml"}
    listing = Catalog(out).listing("stable", Backend.parse("cu128"))
    assert listing is not None
    (release,) = listing.releases("torch")
    windows, linux = sorted(release.wheels(), key=lambda found: found.sha256 or "")
    assert (windows.sha256, linux.sha256, linux.upload_time) == (None, ONE, "2025-08-06T10:00:00Z")
    assert release.metadata is not None
    assert release.metadata.requires_dist == ("sympy",)


@gathered
def test_the_committed_snapshot_is_what_the_tool_builds(tmp_path: Path) -> None:
    tool.write(DATA, tmp_path, tool.RETRIEVED)
    built = {
        path.relative_to(tmp_path): path.read_bytes() for path in (tmp_path / "snapshot").rglob("*.json")
    }
    shipped = {
        path.relative_to(tool.CATALOG): path.read_bytes()
        for path in (tool.CATALOG / "snapshot").rglob("*.json")
    }
    assert built.keys() == shipped.keys()
    assert [str(path) for path in built if built[path] != shipped[path]] == []
    assert (tmp_path / "snapshot.toml").read_bytes() == (tool.CATALOG / "snapshot.toml").read_bytes()


@gathered
def test_every_hash_of_the_snapshot_is_a_gathered_one() -> None:
    texts = (DATA / "wheels.jsonl").read_text(encoding="utf-8").splitlines()
    known = {(item["filename"], item["sha256"]) for item in map(json.loads, texts)}
    catalog = Catalog.embedded()
    count = 0
    for channel, backend in catalog.listings():
        listing = catalog.listing(channel, backend)
        assert listing is not None
        for project in listing.projects:
            for release in listing.releases(project):
                for found in release.wheels():
                    if found.sha256:
                        assert (found.filename, found.sha256) in known
                        count += 1
    assert count > 7000


@gathered
def test_no_hash_of_the_snapshot_is_that_of_another_file_of_the_same_name_on_pypi() -> None:
    conflicts = json.loads((DATA / "conflicts.json").read_text(encoding="utf-8"))
    other = {(item[0], item[1], item[3]) for item in conflicts["same_filename_as_pypi_but_different_sha256"]}
    assert other
    catalog = Catalog.embedded()
    for channel, backend in catalog.listings():
        listing = catalog.listing(channel, backend)
        assert listing is not None
        found = [
            wheel for name in listing.projects for item in listing.releases(name) for wheel in item.wheels()
        ]
        assert not [wheel.filename for wheel in found if (wheel.index, wheel.filename, wheel.sha256) in other]
