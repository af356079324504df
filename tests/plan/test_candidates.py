"""What may enter a slice: judged on the snapshot that ships, and on rows made up for the rule."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import pytest
from packaging.version import Version

from envsmith.catalog import Catalog
from envsmith.model.backend import Backend
from envsmith.model.listing import IndexListing, Metadata, group_releases
from envsmith.model.target import Platform, Python, Target
from envsmith.model.wheel import Wheel
from envsmith.plan.candidates import (
    CandidateSet,
    _filename_filter,
    _has_tag,
    exact_pins,
    offered_wheels,
    select_candidates,
)
from envsmith.plan.model import Cutoffs
from tests.values import asked, torch

HEX = "a" * 64
ALWAYS = Cutoffs(cutoff_utc="2099-01-01T00:00:00Z")


def target(backend: str, platform: str = "linux", python: str = "3.12") -> Target:
    return Target(
        python=Python.parse(python), platform=Platform.parse(platform), backend=Backend.parse(backend)
    )


def wheel(filename: str, *, sha256: str | None = HEX, url: str = "", time: str | None = None) -> Wheel:
    url = url or f"https://download.pytorch.org/whl/cu128/{filename.replace('+', '%2B')}"
    return Wheel.from_entry(index="cu128", filename=filename, url=url, sha256=sha256, upload_time=time)


def listing(*wheels: Wheel, channel: str = "stable", retrieved: str = "2026-11-20") -> IndexListing:
    known = Metadata(requires_dist=(), requires_python=None, confidence="exact", basis="made up")
    metadata = {(str(item.name), str(item.version)): known for item in wheels}
    return IndexListing(
        channel=channel,
        backend=Backend.parse("cu128"),
        retrieved=retrieved,
        source="made up",
        projects=group_releases(wheels, metadata),
    )


def selected(
    found: IndexListing,
    where: Target,
    cutoffs: Cutoffs = ALWAYS,
    pins: Collection[tuple[str, Version]] = (),
) -> CandidateSet:
    catalog = Catalog.embedded()
    return select_candidates(offered_wheels(found, [where], catalog, cutoffs), where, catalog, pins)


def taken(found: IndexListing, where: Target, cutoff: str = ALWAYS.cutoff_utc) -> dict[str, list[str]]:
    slice_ = selected(found, where, Cutoffs(cutoff_utc=cutoff)).slice
    return {name: sorted(item.filename for item in items) for name, items in slice_.projects.items() if items}


@pytest.mark.parametrize("platform", ["linux", "linux-aarch64", "windows", "macos"])
@pytest.mark.parametrize("python", ["3.10", "3.12", "3.14"])
@pytest.mark.parametrize("backend", ["cpu", "cu128", "cu121", "rocm7.2", "xpu"])
def test_a_look_at_the_filename_loses_no_wheel_that_has_tag(backend: str, platform: str, python: str) -> None:
    found = Catalog.embedded().listing("stable", Backend.parse(backend))
    assert found
    where = target(backend, platform, python)
    tags = frozenset(str(tag) for tag in where.tags())
    wheels = [
        item for project in found.projects for release in found.releases(project) for item in release.wheels()
    ]
    runs = {item.filename for item in wheels if _has_tag(item, tags)}
    assert runs <= {item.filename for item in wheels if _filename_filter([where])(item.filename)}


def test_has_tag_is_what_packaging_says() -> None:
    where = target("cu128", "linux-aarch64")
    tags = where.tags()
    texts = frozenset(str(tag) for tag in tags)
    found = Catalog.embedded().listing("stable", Backend.parse("cu128"))
    assert found
    wheels = [
        item for project in found.projects for release in found.releases(project) for item in release.wheels()
    ]
    assert any(_has_tag(item, texts) for item in wheels)
    for item in wheels:
        assert _has_tag(item, texts) == bool(item.tags & set(tags)), item.filename


def test_the_label_decides_and_root_wheels_stay_out() -> None:
    rows = listing(
        wheel("torch-2.8.0+cu128-cp312-cp312-manylinux_2_28_x86_64.whl"),
        wheel("torch-2.8.0+cu126-cp312-cp312-manylinux_2_28_x86_64.whl"),
        wheel(
            "torch-1.13.1-cp312-cp312-manylinux1_x86_64.whl",
            url="https://download.pytorch.org/whl/torch-1.13.1-cp312-cp312-manylinux1_x86_64.whl",
        ),
    )
    assert taken(rows, target("cu128")) == {
        "torch": ["torch-2.8.0+cu128-cp312-cp312-manylinux_2_28_x86_64.whl"]
    }


def test_unlabelled_aarch64_rows_count_in_their_own_folder_only() -> None:
    own = "torchvision-0.24.1-cp312-cp312-manylinux_2_28_aarch64.whl"
    old = "torchvision-0.17.0-cp312-cp312-manylinux2014_aarch64.whl"
    torch = "torch-2.5.1-cp312-cp312-manylinux2014_aarch64.whl"
    rows = listing(wheel(own), wheel(old, url=f"https://download.pytorch.org/whl/{old}"), wheel(torch))
    assert taken(rows, target("cu128", "linux-aarch64")) == {"torchvision": [own]}
    assert taken(rows, target("cu128", "linux")) == {}


def test_a_row_without_hash_is_kept_apart() -> None:
    name = "torch-2.8.0+cu128-cp312-cp312-win_amd64.whl"
    found = selected(listing(wheel(name, sha256=None)), target("cu128", "windows"))
    assert [item.filename for item in found.unhashed] == [name]
    assert found.slice.projects["torch"] == ()


def test_every_family_project_has_a_page() -> None:
    slice_ = selected(listing(), target("cu128")).slice
    assert {"torch", "torchvision", "torchaudio", "torchcodec", "xformers"} <= set(slice_.projects)
    assert not any(slice_.projects.values())


@pytest.mark.parametrize(
    ("filename", "time", "cutoff", "is_taken"),
    [
        # The upload time where there is one.
        ("torch-2.8.0+cu128-cp312-cp312-win_amd64.whl", "2025-08-05T20:00:00Z", "2025-08-05T20:00:00Z", True),
        (
            "torch-2.8.0+cu128-cp312-cp312-win_amd64.whl",
            "2025-08-05T20:00:01Z",
            "2025-08-05T20:00:00Z",
            False,
        ),
        # The day of the release: torch 2.8.0 and torchvision 0.23.0 came on 2025-08-06.
        ("torch-2.8.0+cu128-cp312-cp312-win_amd64.whl", None, "2025-08-06T00:00:00Z", True),
        ("torchvision-0.23.0+cu128-cp312-cp312-win_amd64.whl", None, "2025-08-05T23:59:59Z", False),
        # The day that a nightly tells.
        ("torch-2.8.0.dev20250606+cu128-cp312-cp312-win_amd64.whl", None, "2025-06-06T00:00:00Z", True),
        ("torch-2.8.0.dev20250606+cu128-cp312-cp312-win_amd64.whl", None, "2025-06-05T23:59:59Z", False),
        # The day the row was seen, where nothing else is known.
        ("torch-9.9.0+cu128-cp312-cp312-win_amd64.whl", None, "2026-11-20T00:00:00Z", True),
        ("torch-9.9.0+cu128-cp312-cp312-win_amd64.whl", None, "2026-11-19T23:59:59Z", False),
    ],
)
def test_the_cutoff(filename: str, time: str | None, cutoff: str, is_taken: bool) -> None:
    rows = listing(wheel(filename, time=time))
    assert bool(taken(rows, target("cu128", "windows"), cutoff)) is is_taken


def test_a_triton_follows_the_torch_that_pins_it() -> None:
    name = "triton-3.3.1-cp312-cp312-manylinux_2_27_aarch64.manylinux_2_28_aarch64.whl"
    rows = listing(wheel(name, url=f"https://download.pytorch.org/whl/{name}", time="2026-01-22T23:25:46Z"))
    assert taken(rows, target("cu128", "linux-aarch64"), "2025-07-01T00:00:00Z") == {"triton": [name]}


def test_bonds_inside_the_family_become_requirements() -> None:
    rows = listing(wheel("torchaudio-2.11.0+cu128-cp312-cp312-win_amd64.whl"))
    (described,) = selected(rows, target("cu128", "windows")).slice.metadata
    assert any(text.startswith("torch>=2.11") for text in described.requires_dist)


def test_bonds_to_other_projects_ask_for_nothing() -> None:
    """torch before 2.3 cannot use NumPy 2, but must not drag NumPy in."""
    rows = listing(wheel("torch-2.2.2+cu128-cp312-cp312-win_amd64.whl"))
    (described,) = selected(rows, target("cu128", "windows")).slice.metadata
    assert described.requires_dist == ()


def test_a_withdrawn_hash_is_told() -> None:
    name = "torch-2.8.0+cu128-cp312-cp312-win_amd64.whl"
    row = Wheel.from_entry(
        index="cu128",
        filename=name,
        url=f"https://download.pytorch.org/whl/cu128/{name.replace('+', '%2B')}",
        sha256=HEX,
        withdrawn=("b" * 64,),
    )
    (decision,) = selected(listing(row), target("cu128", "windows")).decisions
    assert (decision.code, decision.evidence) == ("RES106", (f"withdrawn: sha256 {'b' * 64}",))


def test_only_exact_pins_admit_yanked_wheels() -> None:
    kept, yanked = torch("2.8.0+cu128"), torch("2.9.0+cu128")
    where = target("cu128", "linux")

    def admitted(*texts: str) -> set[str]:
        pins = exact_pins(asked(*texts), where)
        found = listing(kept, replace(yanked, yanked="broken"))
        slice_ = selected(found, where, pins=pins).slice
        return {str(item.version) for item in slice_.projects["torch"]}

    both = {"2.8.0+cu128", "2.9.0+cu128"}
    for text in ("torch==2.9.0", "torch===2.9.0", "torch==2.9", "torch==2.9.0+cu128"):
        assert admitted(text) == both
    for text in (
        "torch>=2.9", "torch==2.9.*", "torch~=2.9.0", "torch===nonsense", "torchvision==2.9.0",
        "torch==2.9.0; sys_platform == 'win32'",
    ):  # fmt: skip
        assert admitted(text) == {"2.8.0+cu128"}
