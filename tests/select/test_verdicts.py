"""What keeps a backend out is looked at in order, and said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from packaging.version import Version

from envsmith.catalog import Catalog
from envsmith.catalog.builds import TorchWheels
from envsmith.host.model import FAMILIES, Device, Driver, Host
from envsmith.model.backend import Backend, Capability, architecture, backend_family
from envsmith.model.target import Platform, Python
from envsmith.select.verdicts import NO, UNKNOWN, WORKS, BackendVerdict, Status, judge, judge_build, rank

CATALOG = Catalog.embedded()
PYTHON = Python.parse("3.12")


def device(capability: Capability, name: str = "") -> Device:
    family = backend_family(capability)
    maker = next(maker for maker, served in FAMILIES.items() if served == family)
    return Device(maker=maker, name=name or architecture(capability), capability=capability)


def host(*devices: Device, platform: str = "linux", driver: str | None = "580.65.06") -> Host:
    drivers = (Driver(maker="nvidia", version=driver),) if driver is not None else ()
    return Host.of_platform(Platform.parse(platform), drivers, devices)


def build(
    backend: str, torch: str, platform: str = "manylinux_2_28_x86_64", pythons: Iterable[str] = ("cp312",)
) -> TorchWheels:
    return TorchWheels(
        backend=Backend.parse(backend),
        torch=Version(torch),
        platforms=(platform,),
        pythons=frozenset(pythons),
    )


def judged(on: Host, *builds: TorchWheels, python: Python = PYTHON) -> BackendVerdict:
    backend = builds[0].backend
    found = judge(on, python, {backend: builds}, CATALOG)
    return next(verdict for verdict in found if verdict.backend == backend)


def test_what_works_names_the_newest_torch_and_why() -> None:
    found = judged(host(device((9, 0))), build("cu130", "2.13.0"), build("cu130", "2.14.0"))
    assert (found.status, found.torch, found.cause) == (WORKS, Version("2.14.0"), "")
    assert found.reason == "kernels for sm_90, driver 580.65.06"


@pytest.mark.parametrize(
    ("on", "builds", "status", "cause", "reason"),
    [
        (host(driver=None), [build("cu130", "2.13.0")], NO, "device", "no NVIDIA GPU"),
        (host(driver=None), [build("rocm7.2", "2.12.1")], NO, "device", "no AMD GPU"),
        (
            host(device((6, 1))),
            [build("cu130", "2.13.0")],
            NO,
            "capability",
            "no kernels for sm_61",
        ),
        (
            host(device((9, 0)), driver="550.54.15"),
            [build("cu130", "2.13.0")],
            NO,
            "driver",
            "needs driver ≥ 580",
        ),
        (
            host(device((9, 0)), driver=None),
            [build("cu130", "2.13.0")],
            NO,
            "driver",
            "needs driver ≥ 580; no NVIDIA driver found",
        ),
        (
            host(device((12, 0)), driver="566.03"),
            [build("cu128", "2.11.0")],
            NO,
            "driver",
            "needs driver ≥ 570.26 for sm_120",
        ),
        (
            host(device((9, 0)), platform="windows"),
            [build("cu130", "2.13.0")],
            NO,
            "os",
            "no known wheel for windows amd64",
        ),
        (
            host(device((9, 0)), platform="manylinux_2_27_x86_64"),
            [build("cu130", "2.13.0")],
            NO,
            "libc",
            "its wheels need glibc 2.28; this machine has glibc 2.27",
        ),
        (
            host(device((9, 0))),
            [build("cu130", "2.13.0", pythons=("cp310", "cp311"))],
            NO,
            "python",
            "no known wheel for cp312 (only cp310 to cp311)",
        ),
        (
            host(driver=None, platform="macosx_13_0_arm64"),
            [build("cpu", "2.13.0", "macosx_14_0_arm64")],
            NO,
            "os",
            "its wheels need macOS 14.0; this machine has macOS 13.0",
        ),
        # cu118 of torch 2.7: its kernels are not on record.
        (
            host(device((8, 6))),
            [build("cu118", "2.7.0")],
            UNKNOWN,
            "",
            "unknown whether it runs on sm_86",
        ),
        # They need not be: CUDA 11.8 builds for no Blackwell.
        (host(device((12, 0))), [build("cu118", "2.7.0")], NO, "capability", "no kernels for sm_120"),
        (host(device((8, 7))), [build("cu118", "2.7.0")], NO, "capability", "no kernels for sm_87"),
        (
            host(device("mtl-u"), driver=None),
            [build("xpu", "2.13.0")],
            UNKNOWN,
            "",
            "unknown whether it runs on mtl-u",
        ),
        (
            host(Device(maker="nvidia", name="Strange 1")),
            [build("cu130", "2.13.0")],
            UNKNOWN,
            "",
            "unknown GPU",
        ),
    ],
)
def test_what_keeps_a_backend_out_is_said(
    on: Host, builds: list[TorchWheels], status: str, cause: str, reason: str
) -> None:
    found = judged(on, *builds)
    assert (found.status, found.cause, found.reason) == (status, cause, reason)


def test_compute_capability_is_looked_at_before_driver_and_driver_before_libc_and_python() -> None:
    wheel = build("cu130", "2.13.0", pythons=("cp310",))
    old = host(device((6, 1)), driver="470.1", platform="manylinux_2_17_x86_64")
    assert judged(old, wheel).cause == "capability"
    assert judged(replace(old, devices=(device((8, 0)),)), wheel).cause == "driver"
    newer = host(device((8, 0)), platform="manylinux_2_17_x86_64")
    assert judged(newer, wheel).cause == "libc"
    assert judged(replace(newer, release=(2, 28)), wheel).cause == "python"


def test_musl_has_no_wheels_at_all() -> None:
    on = replace(host(driver=None), libc="musl")
    found = judged(on, build("cpu", "2.13.0"))
    assert (found.cause, found.reason) == ("libc", "its wheels need glibc; this machine has musl")


def test_wsl_is_judged_by_the_drivers_of_windows() -> None:
    on = host(device((12, 0)), driver="570.30")
    assert judged(on, build("cu128", "2.11.0")).works
    assert (
        judged(replace(on, is_wsl=True), build("cu128", "2.11.0")).reason
        == "needs driver ≥ 570.65 for sm_120"
    )


def test_the_torch_that_still_had_kernels_is_taken_and_the_newer_one_named() -> None:
    found = judged(host(device((7, 0))), build("cu128", "2.10.0"), build("cu128", "2.11.0"))
    assert found.torch == Version("2.10.0")
    assert found.notes == ("torch 2.11.0 has no kernels for this GPU",)


def test_a_newer_torch_that_the_system_is_too_old_for_is_named() -> None:
    on = host(driver=None, platform="macosx_13_0_arm64")
    found = judged(
        on, build("cpu", "2.11.0", "macosx_11_0_arm64"), build("cpu", "2.13.0", "macosx_14_0_arm64")
    )
    assert found.torch == Version("2.11.0")
    assert found.notes == ("torch 2.13.0 needs macOS 14.0",)


def test_the_end_of_a_backend_is_told() -> None:
    on = host(device((6, 1)))
    assert (
        "torch 2.14.1 is its last; no known wheel of it for cp312"
        in judged(on, build("cu126", "2.14.0")).notes
    )
    assert "its last torch" in judged(on, build("cu126", "2.14.1")).notes
    # torch 2.14 needs Python 3.10: for 3.9 it would not have been the last.
    python = Python.parse("3.9")
    assert judged(on, build("cu126", "2.8.0", pythons=("cp39",)), python=python).notes == ()


def test_what_serves_one_gpu_of_two_says_so() -> None:
    found = judged(host(device((6, 1)), device((12, 0))), build("cu128", "2.11.0"))
    assert found.works
    assert "runs on 1 of 2 GPUs" in found.notes


def test_a_driver_nobody_told_of_is_a_condition() -> None:
    on = Host.of_platform(Platform.parse("linux"), (Driver(maker="nvidia"),), (device((9, 0)),))
    assert judged(on, build("cu130", "2.13.0")).reason == "kernels for sm_90; needs driver ≥ 580"


def test_a_driver_without_a_number_is_judged_by_the_cuda_it_serves() -> None:
    thor = device((11, 0))
    platform = Platform.parse("linux-aarch64")
    wheel = build("cu130", "2.13.0", "manylinux_2_28_aarch64")
    for cuda, works in (((13, 0), True), ((12, 6), False), (None, True)):
        on = Host.of_platform(platform, (Driver(maker="nvidia", cuda=cuda),), (thor,))
        assert judged(on, wheel).works is works
    old = Host.of_platform(platform, (Driver(maker="nvidia", cuda=(12, 6)),), (thor,))
    assert judged(old, wheel).reason == "needs driver ≥ 580; this one supports CUDA 12.6"


def test_a_driver_without_a_named_gpu_is_judged_alone() -> None:
    assert (
        judged(host(), build("cu130", "2.13.0")).reason
        == "no GPU named, so kernels were not checked, driver 580.65.06"
    )
    assert judged(host(driver="550.54"), build("cu130", "2.13.0")).cause == "driver"


def test_backends_without_a_wheel_are_neither_yes_nor_no() -> None:
    found = judge(host(device((9, 0))), PYTHON, {}, CATALOG)
    assert {verdict.status for verdict in found if verdict.backend.family in ("cuda", "cpu")} == {UNKNOWN}
    by_name = {str(verdict.backend): verdict.reason for verdict in found}
    assert by_name["cu134"] == "no known wheel"
    assert by_name["cu130"] == "no known wheel; first torch: 2.9.0"


def test_an_older_build_whose_kernels_are_not_known_may_run_where_the_newer_has_no_wheel() -> None:
    newer = build("xpu", "2.13.0", pythons=("cp312",))
    older = build("xpu", "2.10.0", pythons=("cp314",))
    found = judged(host(device("ptl"), driver=None), newer, older, python=Python.parse("3.14"))
    assert (found.status, found.torch) == (UNKNOWN, Version("2.10.0"))
    found = judged(host(device("ptl"), driver=None), newer, python=Python.parse("3.14"))
    assert (found.status, found.reason) == (NO, "no known wheel for cp314 (only cp312)")


def verdict(backend: str, torch: str, status: Status = WORKS) -> BackendVerdict:
    return BackendVerdict(backend=Backend.parse(backend), status=status, torch=Version(torch), reason="")


def test_ranks() -> None:
    """What works, GPU before CPU, what PyTorch advertises, newest torch, newest backend."""
    best = [
        (verdict("cu130", "2.14.1"), True),
        (verdict("cu132", "2.13.0"), True),
        (verdict("cu130", "2.13.0"), True),
        (verdict("cu129", "2.14.0"), False),
        (verdict("rocm7.2", "2.14.0"), True),
        (verdict("rocm6.2.4", "2.7.0"), True),
        (verdict("rocm6.2", "2.7.0"), True),
        (verdict("cpu", "2.15.0"), True),
        (verdict("cu134", "2.15.0", UNKNOWN), True),
        (verdict("cu132", "2.15.0", NO), True),
    ]
    turned = best[::-1]
    order = sorted(turned, key=lambda item: rank(item[0], is_advertised=item[1]))
    assert order == best


def test_the_build_of_a_lock_is_judged_by_itself() -> None:
    """What else the backend has is not told: the lock is what it is."""
    found = judge_build(host(device((6, 1))), PYTHON, build("cu126", "2.13.0"), CATALOG)
    assert found.works
    assert found.notes == ()
    other = judge_build(host(device((6, 1))), Python.parse("3.13"), build("cu126", "2.13.0"), CATALOG)
    assert (other.cause, other.reason) == ("python", "the lock is for cp312")
    windows = host(device((6, 1)), platform="windows")
    elsewhere = judge_build(windows, PYTHON, build("cu126", "2.13.0"), CATALOG)
    assert (elsewhere.cause, elsewhere.reason) == ("os", "the lock is for manylinux_2_28_x86_64")
