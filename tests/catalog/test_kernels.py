"""Kernels and drivers, compared with the collected facts."""

import pytest
from packaging.version import Version

from envsmith.catalog import Catalog
from envsmith.model.backend import Backend
from envsmith.model.target import Platform

CATALOG = Catalog.embedded()
LINUX, AARCH64, WINDOWS = (Platform.parse(name) for name in ("linux", "linux-aarch64", "windows"))


def backend(text: str) -> Backend:
    return Backend.parse(text)


def supports(torch: str, on: str, gpu: str, platform: Platform = LINUX) -> bool:
    kernels = CATALOG.kernels(Version(torch), backend(on), platform)
    assert kernels is not None
    return kernels.supports(CATALOG.gpu(gpu).capability)


def test_blackwell_came_with_cu128_of_torch_2_7() -> None:
    assert supports("2.7.0+cu128", "cu128", "RTX 5080")
    assert not supports("2.6.0+cu126", "cu126", "RTX 5080")
    assert supports("2.7.0", "cu128", "sm_120", WINDOWS)


def test_a_gtx_1080_ends_with_cu126() -> None:
    assert supports("2.13.0+cu126", "cu126", "GTX 1080")
    assert supports("2.14.1+cu126", "cu126", "GTX 1080", WINDOWS)
    assert not supports("2.14.1+cu130", "cu130", "GTX 1080")


def test_volta_left_cu128_with_torch_2_11() -> None:
    assert supports("2.10.0", "cu128", "V100")
    assert not supports("2.11.0", "cu128", "V100")


def test_thor_has_kernels_on_aarch64_only() -> None:
    assert supports("2.15.0", "cu132", "11.0", AARCH64)
    assert not supports("2.15.0", "cu132", "11.0")


def test_kernels_read_as_on_the_screen() -> None:
    kernels = CATALOG.kernels(Version("2.14.1"), backend("cu130"), LINUX)
    assert str(kernels) == "sm_75 sm_80 sm_86 sm_90 sm_100 sm_120"


def test_rocm_names_instruction_sets() -> None:
    assert supports("2.9.1", "rocm6.4", "gfx1100")
    assert not supports("2.9.1", "rocm6.4", "gfx1151")


def test_a_cpu_build_has_no_kernels_and_of_others_they_may_be_unknown() -> None:
    assert not supports("2.9.1", "cpu", "RTX 5080")
    assert CATALOG.kernels(Version("2.6.0"), backend("xpu"), LINUX) is None
    assert CATALOG.kernels(Version("2.7.0"), backend("cu118"), LINUX) is None
    assert CATALOG.kernels(Version("2.16.0"), backend("cu132"), LINUX) is None


def test_a_nightly_is_judged_by_the_release_it_leads_to() -> None:
    assert supports("2.8.0.dev20250602+cu128", "cu128", "RTX 5080")


def test_no_wheel_has_two_rows_of_kernels() -> None:
    for torch in (release.torch for release in CATALOG.releases()):
        for facts in CATALOG.backends():
            for platform in (LINUX, AARCH64, WINDOWS):
                rows = [row for row in CATALOG.kernel_rows() if row.describes(torch, facts.backend, platform)]
                assert len(rows) <= 1, (torch, facts.backend, platform)


@pytest.mark.parametrize(
    ("on", "os", "gpu", "floor"),
    [
        ("cu118", "linux", None, "450.80.02"),
        ("cu128", "linux", None, "525.60.13"),
        ("cu128", "windows", None, "528.33"),
        ("cu130", "windows", None, "580"),
        ("cu128", "linux", (8, 9), "525.60.13"),
        ("cu128", "linux", (12, 0), "570.26"),
        ("cu130", "linux", (12, 0), "580"),
        ("cu128", "macos", None, None),
        ("rocm7.2", "linux", None, None),
        ("cpu", "linux", None, None),
    ],
)
def test_the_oldest_driver(on: str, os: str, gpu: tuple[int, int] | None, floor: str | None) -> None:
    assert CATALOG.driver_floor(backend(on), os, gpu) == floor
