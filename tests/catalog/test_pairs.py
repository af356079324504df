"""Builds on PyPI, undeclared constraints, conflict groups and the torch family."""

import pytest
from packaging.version import Version

from envsmith.catalog import Catalog
from envsmith.model.backend import Backend
from envsmith.model.target import Platform

CATALOG = Catalog.embedded()
LINUX, AARCH64, WINDOWS, MACOS = (
    Platform.parse(name) for name in ("linux", "linux-aarch64", "windows", "macos")
)


def backend(text: str) -> Backend:
    return Backend.parse(text)


@pytest.mark.parametrize(
    ("project", "version", "platform", "build"),
    [
        ("torch", "2.15.0", LINUX, "cu132"),
        ("torch", "2.15.0", AARCH64, "cu132"),
        ("torch", "2.15.0", WINDOWS, "cpu"),
        ("torch", "2.15.0", MACOS, "cpu"),
        ("torch", "2.14.1+cu130", LINUX, "cu130"),
        ("torch", "2.10.0", LINUX, "cu128"),
        ("torch", "2.10.0", AARCH64, "cpu"),
        ("torch", "2.7.1", LINUX, "cu126"),
        ("torch", "1.13.1", LINUX, "cu117"),
        ("torchaudio", "2.11.0", LINUX, "cu130"),
        ("torchaudio", "2.11.0", AARCH64, "cu130"),
        ("torchaudio", "2.3.1", WINDOWS, "cpu"),
        ("torchaudio", "2.8.0", LINUX, "cu128"),
        ("torchvision", "0.29.2", LINUX, "cu132"),
        ("torchvision", "0.29.1", LINUX, "cu130"),
        ("TorchVision", "0.29.2", WINDOWS, "cpu"),
        ("torchcodec", "0.13.0", LINUX, "cpu"),
        ("torchcodec", "0.14.0", LINUX, "cu130"),
        ("torch", "2.16.0", LINUX, None),
        ("xformers", "0.0.35", LINUX, None),
    ],
)
def test_what_the_wheels_on_pypi_are(
    project: str, version: str, platform: Platform, build: str | None
) -> None:
    assert CATALOG.pypi_build(project, Version(version), platform) == (backend(build) if build else None)


def test_every_release_is_known_on_pypi_and_its_torchaudio_is_built_alike_to_2_14() -> None:
    for release in CATALOG.releases():
        for platform in (LINUX, AARCH64, WINDOWS, MACOS):
            torch = CATALOG.pypi_build("torch", release.torch, platform)
            assert torch is not None
            assert release.torchaudio is not None
            audio = CATALOG.pypi_build("torchaudio", release.torchaudio, platform)
            assert (audio == torch) is (release.torch < Version("2.15") or torch == backend("cpu"))


def needs(project: str, version: str, on: str, platform: Platform = LINUX) -> set[str]:
    return {
        str(need)
        for pairing in CATALOG.pairings()
        if pairing.when.name == project
        and pairing.when.specifier.contains(version)
        and pairing.holds_for(backend(on), platform)
        for need in pairing.needs
    }


def test_bonds_that_no_metadata_declares() -> None:
    assert needs("torchaudio", "2.11.0", "cu130") == {"torch>=2.11"}
    assert needs("torchaudio", "2.10.0", "cu130") == set()
    assert needs("pyannote.audio", "3.3.2", "cpu") == {"torchaudio<2.9"}
    assert needs("pyannote.audio", "4.0.4", "cpu") == set()
    assert needs("torchcodec", "0.7.0", "cpu") == {"torch==2.8.*"}
    assert needs("torchcodec", "0.17.0", "cpu") == {"torch>=2.11"}
    assert needs("onnxruntime-gpu", "1.26.0", "cu128") == {"onnxruntime-gpu<1.27,>=1.19"}
    assert needs("onnxruntime-gpu", "1.30.0", "cu130") == {"onnxruntime-gpu>=1.28"}
    assert needs("onnxruntime-gpu", "1.30.0", "cpu") == set()
    assert needs("torch", "2.1.2", "cpu") == {"numpy<2"}
    assert needs("torch", "2.3.1", "cpu") == set()
    assert needs("torch", "2.3.1", "cpu", WINDOWS) == {"numpy<2"}


def test_torchcodec_of_the_pairings_is_that_of_the_releases() -> None:
    for release in CATALOG.releases():
        for minor in range(1, 18):
            codec = Version(f"0.{minor}.0")
            held = {
                str(pairing.needs[0].specifier): pairing.needs[0].specifier.contains(release.torch)
                for pairing in CATALOG.pairings()
                if pairing.when.name == "torchcodec" and pairing.when.specifier.contains(codec)
            }
            assert len(held) == 1
            fits = release.torchcodec is not None and release.torchcodec.contains(codec)
            assert fits is all(held.values()), (release.torch, codec)


def test_audio_and_vision_must_have_the_cuda_of_torch() -> None:
    bonds = {
        str(pairing.when): (pairing.same_cuda, pairing.same_cuda_parts)
        for pairing in CATALOG.pairings()
        if pairing.same_cuda
    }
    assert bonds == {
        "torchaudio>=2.11": (("torch",), 2),
        "torchaudio<2.11": (("torch",), 2),
        "torchvision": (("torch",), 1),
    }


def test_families_prefer_the_member_that_serves_the_backend() -> None:
    families = {family.folder: family for family in CATALOG.families()}
    assert families["onnxruntime"].preference(backend("cu128"))[0] == "onnxruntime-gpu"
    assert families["onnxruntime"].preference(backend("cpu")) == ("onnxruntime",)
    assert families["cv2"].preference(backend("rocm6.4")) == (), "all of them serve all alike"
    assert not families["nvidia/cudnn"].is_interchangeable
    assert families["triton"].preference(backend("xpu")) == ("triton-xpu", "pytorch-triton-xpu")


def test_no_project_is_in_two_families() -> None:
    members = [member for family in CATALOG.families() for member in family.members]
    assert len(members) == len(set(members))


def test_the_torch_family_is_what_the_snapshot_lists() -> None:
    listed = {name for channel, on in CATALOG.listings() for name in projects(channel, on)}
    assert listed == {project.name for project in CATALOG.projects()}


def projects(channel: str, on: Backend) -> set[str]:
    listing = CATALOG.listing(channel, on)
    assert listing is not None
    return set(listing.projects)


def test_triton_comes_from_pypi_but_for_old_aarch64() -> None:
    triton = next(project for project in CATALOG.projects() if project.name == "triton")
    assert not triton.is_in_slice(Version("2.11.0+cu128"), LINUX)
    assert triton.is_in_slice(Version("2.8.0+cu129"), AARCH64)
