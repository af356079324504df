"""The shipped snapshot, checked for each known pitfall."""

from collections.abc import Iterator
from functools import cache

import pytest
from packaging.utils import parse_wheel_filename

from envsmith.catalog import Catalog
from envsmith.model.backend import Backend
from envsmith.model.listing import IndexListing, index_name
from envsmith.model.wheel import Wheel

CATALOG = Catalog.embedded()
ROOTS = {"stable": "whl", "test": "test", "nightly": "nightly"}
LABELLED = {project.name for project in CATALOG.projects() if project.has_label}


@cache
def listing(index: str) -> IndexListing:
    channel, _, name = index.rpartition("/")
    found = CATALOG.listing(channel or "stable", Backend.parse(name))
    assert found is not None
    return found


def wheels(index: str, project: str = "", version: str = "") -> Iterator[Wheel]:
    for name in listing(index).projects:
        for release in listing(index).releases(name):
            if project in ("", name) and version in ("", release.version):
                yield from release.wheels()


INDEXES = [index_name(channel, backend) for channel, backend in CATALOG.listings()]


@pytest.mark.parametrize("index", INDEXES)
def test_every_row_is_a_wheel_under_its_own_name_and_once(index: str) -> None:
    filenames = []
    for name, releases in listing(index).projects.items():
        for version, release in releases.items():
            for wheel in release.wheels():
                filenames.append(wheel.filename)
                assert (wheel.name, str(wheel.version), wheel.index) == (name, version, index)
                assert parse_wheel_filename(wheel.filename)[0] == name
    assert filenames
    assert len(filenames) == len(set(filenames))


@pytest.mark.parametrize("index", INDEXES)
def test_every_address_is_pytorchs_own_folder_or_root(index: str) -> None:
    channel, _, name = index.rpartition("/")
    for wheel in wheels(index):
        assert wheel.url.startswith("https://download.pytorch.org/whl/")
        assert wheel.folder in (name, ROOTS[channel or "stable"])
        assert "_full" not in wheel.url
        assert "cxx11-abi" not in wheel.url


def test_a_family_without_rows_has_no_page() -> None:
    """Pitfall 3: a slice must still give torchaudio an empty page here, or PyPI's would be taken."""
    assert listing("rocm6.4").releases("torchaudio") == ()
    assert listing("rocm6.4").releases("torch")


def test_the_aarch64_tritons_of_torch_2_7_and_2_8_are_there() -> None:
    """Pitfall 4: PyPI has none."""
    for index in ("cu128", "cu129"):
        for version in ("3.3.0", "3.3.1", "3.4.0"):
            found = [wheel for wheel in wheels(index, "triton", version) if "aarch64" in wheel.filename]
            assert {wheel.platform_tags.split("-")[0] for wheel in found} >= {
                "cp310",
                "cp311",
                "cp312",
                "cp313",
            }
            assert all(wheel.sha256 for wheel in found)


def test_the_renamed_tritons_serve_every_backend_of_their_family() -> None:
    for index in ("rocm6.3", "rocm6.4", "rocm7.1", "rocm7.2"):
        assert {"pytorch-triton-rocm", "triton-rocm"} <= set(listing(index).projects)
        assert not {"triton-xpu", "pytorch-triton-xpu"} & set(listing(index).projects)
    assert {"pytorch-triton-xpu", "triton-xpu"} <= set(listing("xpu").projects)
    assert not {"triton-rocm", "triton-xpu", "pytorch-triton-rocm"} & set(listing("cu128").projects)


def test_no_hash_of_pypi_stands_with_an_address_of_pytorch() -> None:
    """Pitfall 5: triton 3.5.1 has other bytes on PyPI, where its hash begins with d2c6b915 (2026-11-20)."""
    filename = "triton-3.5.1-cp312-cp312-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl"
    found = [wheel for wheel in wheels("cu128", "triton", "3.5.1") if wheel.filename == filename]
    assert [(wheel.sha256 or "")[:8] for wheel in found] == ["8ce9bced"]
    assert found[0].url == f"https://download.pytorch.org/whl/{filename}"


def test_one_filename_has_other_bytes_in_each_index() -> None:
    """Pitfall 6: the key is (index, filename)."""
    filename = "torchvision-0.24.1-cp314-cp314-manylinux_2_28_aarch64.whl"
    found = {
        index: wheel.sha256
        for index in ("cpu", "cu126", "cu128", "cu130")
        for wheel in wheels(index, "torchvision", "0.24.1")
        if wheel.filename == filename
    }
    assert len(found) == len(set(found.values())) == 4
    assert all(found.values())


@pytest.mark.parametrize("index", [index for index in INDEXES if "/" not in index])
def test_a_label_is_missing_only_where_pytorch_leaves_it_out(index: str) -> None:
    """Pitfall 6: on aarch64, on macOS, on old wheels at the root; builds of Windows arm64 have a commit."""
    for wheel in wheels(index):
        if wheel.name not in LABELLED or wheel.label == index:
            continue
        tag = wheel.platform_tags
        if wheel.label:
            assert (index, "win_arm64" in tag) == ("cpu", True)
        else:
            assert "aarch64" in tag or "macosx" in tag or wheel.folder == "whl" or index == "cu124", wheel


def test_old_wheels_at_the_root_keep_their_address() -> None:
    """Pitfall 6: the page of cu128 lists torch 1.13.1, which is no build of cu128."""
    found = list(wheels("cu128", "torch", "1.13.1"))
    assert found
    assert {wheel.folder for wheel in found} == {"whl"}
    assert {wheel.folder for wheel in wheels("cu128", "torch", "2.11.0+cu128")} == {"cu128"}


def test_a_row_without_a_hash_stays_one() -> None:
    """Pitfall 7."""
    found = list(wheels("cu126", "torch", "2.11.0+cu126"))
    assert len(found) == 21
    assert all(wheel.sha256 is None and not wheel.withdrawn for wheel in found)
    assert all(wheel.sha256 for wheel in wheels("cu126", "torch", "2.10.0+cu126"))
    assert all(wheel.sha256 is None for wheel in wheels("nightly/cu130"))


def test_a_version_without_metadata_has_none() -> None:
    """Pitfall 8: none is not the same as no requirements."""
    assert listing("cu118").projects["xformers"]["0.0.26+cu118"].metadata is None
    audio = listing("cu130").projects["torchaudio"]["2.11.0+cu130"].metadata
    assert audio is not None
    assert audio.requires_dist == ()


def test_windows_builds_of_torchvision_pin_the_label() -> None:
    """Pitfall 9."""
    metadata = listing("cu128").projects["torchvision"]["0.22.0+cu128"].metadata
    assert metadata is not None
    assert 'torch==2.7.0+cu128; platform_system == "Windows"' in metadata.requires_dist
    assert 'torch==2.7.0; platform_system != "Windows"' in metadata.requires_dist


def test_the_bundling_builds_of_full_indexes_are_not_there() -> None:
    """Pitfall 12: cu128_full has a torch of the same filename with CUDA inside."""
    assert {wheel.folder for wheel in wheels("cu128")} == {"cu128", "whl"}
    assert not [index for index in INDEXES if "full" in index]


def test_of_two_hashes_the_attested_one_is_taken_and_the_other_kept() -> None:
    filename = "torchaudio-2.11.0+cu128-cp312-cp312-win_amd64.whl"
    wheel = next(wheel for wheel in wheels("cu128", "torchaudio") if wheel.filename == filename)
    assert (wheel.sha256 or "").startswith("e0203d44")
    assert [text[:8] for text in wheel.withdrawn] == ["ca5b7815"]


def test_the_later_of_two_uploads_is_taken() -> None:
    filename = "triton_xpu-3.7.1-cp312-cp312-win_amd64.whl"
    wheel = next(wheel for wheel in wheels("xpu", "triton-xpu", "3.7.1") if wheel.filename == filename)
    assert (wheel.sha256 or "")[:8] == "6589ece3"
    assert wheel.upload_time == "2026-06-17T16:53:02Z"
    assert [text[:8] for text in wheel.withdrawn] == ["d9482063"]


def test_what_the_first_profiles_need_is_there() -> None:
    for project, version in (("torch", "2.11.0"), ("torchvision", "0.26.0"), ("torchaudio", "2.11.0")):
        tags = {wheel.platform_tags for wheel in wheels("cu128", project, f"{version}+cu128") if wheel.sha256}
        for python in ("cp310", "cp311", "cp312", "cp313"):
            for platform in ("manylinux_2_28_x86_64", "manylinux_2_28_aarch64", "win_amd64"):
                assert f"{python}-{python}-{platform}" in tags


def test_the_snapshot_is_dated() -> None:
    assert CATALOG.retrieved == "2026-11-20"
    assert {listing(index).retrieved for index in INDEXES} == {"2026-11-20"}
