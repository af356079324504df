"""Known builds: those on PyTorch's index and those on PyPI."""

import pytest
from packaging.version import Version

from envsmith.catalog import Catalog
from envsmith.catalog.builds import TorchWheels, builds, newest, of_pypi
from envsmith.model.backend import Backend
from envsmith.model.listing import IndexListing, group_releases
from tests.values import wheel

CATALOG = Catalog.embedded()


def on_record(backend: str) -> tuple[TorchWheels, ...]:
    listing = CATALOG.listing("stable", Backend.parse(backend))
    assert listing
    return builds(CATALOG, listing)


def pythons(backend: str, torch: str, platform: str, index: str = "pytorch") -> set[str]:
    return {
        python
        for build in on_record(backend)
        for python in build.pythons
        if (build.torch, build.index) == (Version(torch), index) and platform in build.platforms
    }


def test_rows_of_the_index_are_builds() -> None:
    assert pythons("cu126", "2.14.0", "manylinux_2_28_x86_64") == {"cp312"}
    assert pythons("cu126", "2.14.0", "win_amd64") == {"cp312", "cp314"}
    expected = {*(f"cp3{n}" for n in range(10, 15)), "cp313t", "cp314t"}
    assert pythons("cu128", "2.11.0", "manylinux_2_28_aarch64") == expected


def test_wheels_without_a_hash_exist_all_the_same() -> None:
    assert "cp311" in pythons("xpu", "2.13.0", "win_amd64")


def test_free_threaded_pythons_have_their_own_wheels_and_other_labels_are_left_out() -> None:
    rows = [
        wheel(f"torch-{version}-{tags}-manylinux_2_28_x86_64.whl")
        for version, tags in (
            ("2.99.0+cu128", "cp312-cp312"),
            ("2.99.0+cu128", "cp313-cp313t"),
            ("2.98.0+cu126", "cp312-cp312"),
            ("2.97.0", "cp312-cp312"),
        )
    ]
    listing = IndexListing(
        channel="stable",
        backend=Backend.parse("cu128"),
        retrieved="2026-11-20",
        source="made",
        projects=group_releases(rows, {}),
    )
    found = [build for build in builds(CATALOG, listing) if build.index == "pytorch"]
    assert [(str(build.torch), *sorted(build.pythons)) for build in found] == [("2.99.0", "cp312", "cp313t")]
    # PyTorch's pages list old wheels of its root, too: they are no builds of the backend.
    assert min(build.torch for build in on_record("cu130")) == Version("2.9.0")


@pytest.mark.parametrize(
    ("backend", "torch", "platform", "expected"),
    [
        ("cu132", "2.15.0", "manylinux_2_28_x86_64", {f"cp3{n}" for n in range(11, 16)}),
        ("cu132", "2.15.0", "manylinux_2_28_aarch64", {f"cp3{n}" for n in range(11, 16)}),
        ("cpu", "2.15.0", "win_amd64", {f"cp3{n}" for n in range(11, 16)}),
        ("cpu", "2.2.2", "macosx_10_9_x86_64", {"cp38", "cp39", "cp310", "cp311", "cp312"}),
        ("cu130", "2.14.1", "manylinux_2_28_x86_64", {f"cp3{n}" for n in range(10, 15)}),
        ("cpu", "2.15.0", "manylinux_2_28_x86_64", set()),
        ("cu130", "2.14.1", "win_amd64", set()),
    ],
)
def test_pypi_serves_one_backend_per_platform(
    backend: str, torch: str, platform: str, expected: set[str]
) -> None:
    assert pythons(backend, torch, platform, "pypi") == expected


def test_the_newest_is_taken_and_of_equal_ones_pytorchs_own() -> None:
    found = newest(build for build in on_record("cpu") if build.platforms == ("macosx_14_0_arm64",))
    assert found
    assert (found.torch, found.index) == (Version("2.15.0"), "pypi")
    old = [build for build in on_record("cpu") if build.torch == Version("2.13.0")]
    kept = newest(build for build in old if build.platforms == ("macosx_14_0_arm64",))
    assert kept
    assert kept.index == "pytorch"
    assert newest(()) is None


def test_a_backend_that_pypi_never_served_has_no_build_there() -> None:
    assert list(of_pypi(CATALOG, Backend.parse("rocm7.2"))) == []


def wheels(*platforms: str) -> TorchWheels:
    return TorchWheels(
        backend=Backend.parse("cpu"),
        torch=Version("2.13.0"),
        platforms=platforms,
        pythons=frozenset({"cp312"}),
    )


@pytest.mark.parametrize(
    ("tag", "os", "machine", "floor"),
    [
        ("manylinux_2_28_x86_64", "linux", "x86_64", "glibc 2.28"),
        ("manylinux1_x86_64", "linux", "x86_64", ""),
        ("linux_x86_64", "linux", "x86_64", ""),
        ("manylinux_2_28_aarch64", "linux", "aarch64", "glibc 2.28"),
        ("win_amd64", "windows", "amd64", ""),
        ("win_arm64", "windows", "arm64", ""),
        ("macosx_14_0_arm64", "macos", "arm64", "macOS 14.0"),
    ],
)
def test_a_build_knows_its_system(tag: str, os: str, machine: str, floor: str) -> None:
    found = wheels(tag)
    systems = [("linux", "x86_64"), ("linux", "aarch64"), ("windows", "amd64"), ("windows", "arm64")]
    systems += [("macos", "arm64"), ("macos", "x86_64")]
    assert [pair for pair in systems if found.is_for(*pair)] == [(os, machine)]
    assert found.floor() == floor


def test_one_tag_of_several_is_enough() -> None:
    found = wheels("manylinux_2_17_aarch64", "manylinux2014_aarch64")
    assert found.accepts({"manylinux2014_aarch64"})
    assert not found.accepts({"manylinux_2_28_aarch64"})
    assert found.has("cp312")
    assert not found.has("cp313")
