"""Machines as nvidia-smi and the PCI bus describe them (tests/data/host), judged against installed builds of torch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from packaging.version import Version

from envsmith.catalog import Catalog
from envsmith.catalog.builds import TorchWheels
from envsmith.doctor.rules import gpu
from envsmith.host import parsers
from envsmith.host.model import Device, Driver, Host
from envsmith.model.backend import Backend
from envsmith.model.finding import Finding
from envsmith.model.target import Python
from envsmith.select.verdicts import BackendVerdict, judge_build
from tests.host.recorded import RECORDED

CATALOG = Catalog.embedded()
PYTHON = Python(major=3, minor=12)


def host(capability: tuple[int, int] | None = None, driver: str = "") -> Host:
    devices = (Device(maker="nvidia", name="a GPU", capability=capability),) if capability else ()
    drivers = (Driver(maker="nvidia", version=driver),) if driver else ()
    return Host(
        os="linux",
        machine="x86_64",
        release=(2, 36),
        libc="glibc",
        devices=devices,
        drivers=drivers,
    )


def verdict(on: Host, torch: str) -> BackendVerdict:
    public, _, label = torch.partition("+")
    build = TorchWheels(
        backend=Backend.parse(label),
        torch=Version(public),
        platforms=(str(on.platform),),
        pythons=frozenset({"cp312"}),
    )
    return judge_build(on, PYTHON, build, CATALOG)


def of_torch(on: Host, torch: str) -> list[Finding]:
    judged = verdict(on, torch)
    best = verdict(on, "2.11.0+cu128")
    return [
        *gpu.driver(torch, judged, on),
        *gpu.kernels(torch, judged),
        *gpu.build(torch, judged, best if best.works else None, None),
    ]


@pytest.mark.parametrize(
    ("on", "torch", "codes"),
    [
        (host((12, 0), "580.65.06"), "2.11.0+cu128", []),
        (host((12, 0), "580.65.06"), "2.13.0+cu130", []),
        (host((8, 9), "572.16"), "2.13.0+cu130", ["HST020"]),
        (host((8, 9), "470.199.02"), "2.11.0+cu128", ["HST020"]),
        (host((12, 0), "560.28.03"), "2.11.0+cu128", ["HST020"]),
        (host((12, 0), "580.65.06"), "2.6.0+cu124", ["ENV073"]),
        (host((6, 1), "580.65.06"), "2.13.0+cu130", ["ENV073"]),
        (host((8, 9), "580.65.06"), "2.11.0+cpu", ["ENV071"]),
        (host(), "2.11.0+cpu", []),
        (host(), "2.11.0+cu128", ["ENV072"]),
    ],
)
def test_driver_kernels_and_build(on: Host, torch: str, codes: list[str]) -> None:
    assert [item.code for item in of_torch(on, torch)] == codes


def test_what_is_said() -> None:
    (found,) = of_torch(host((8, 9), "572.16"), "2.13.0+cu130")
    assert found.message == "torch 2.13.0+cu130 needs driver ≥ 580; installed is driver 572.16"
    (found,) = of_torch(host((12, 0), "580.65.06"), "2.6.0+cu124")
    assert found.message.startswith("torch 2.6.0+cu124 has no kernels for sm_120; built for sm_50")


def test_a_cpu_build_that_the_lock_asks_for_is_a_note() -> None:
    on = host((8, 9), "580.65.06")
    best = verdict(on, "2.11.0+cu128")
    judged = verdict(on, "2.11.0+cpu")
    (found,) = gpu.build("2.11.0+cpu", judged, best, Backend.parse("cpu"))
    assert (found.severity, found.hint) == ("note", "")


def test_a_gpu_without_driver() -> None:
    (found,) = gpu.devices(host((8, 9)), is_guest=False)
    assert (found.code, "restart" in found.hint) == ("HST023", True)
    assert list(gpu.devices(host((8, 9)), is_guest=True)) == []
    assert list(gpu.devices(host((8, 9), "580.65.06"), is_guest=False)) == []
    assert list(gpu.devices(host(), is_guest=False)) == []


@pytest.mark.parametrize("row", RECORDED["smi"], ids=lambda row: str(row["driver"]))
def test_the_drivers_of_recorded_machines(row: dict[str, Any]) -> None:
    """An Ada GPU beside each: CUDA 12.8 needs 570.26 (on Windows 570.65), CUDA 13.0 needs 580."""
    assert parsers.parse_smi_cuda(row["text"]) == (tuple(row["cuda"]) if "cuda" in row else None)
    answered = parsers.parse_smi(f"NVIDIA GeForce RTX 4090, 8.9, 24564, {row['driver']}")
    assert answered.driver
    on = replace(host(), drivers=(answered.driver,), devices=answered.devices)
    if row.get("os") == "windows":
        on = replace(on, os="windows", machine="amd64", release=(0, 0), libc="")
    number = Version(row["driver"])
    for torch, least in (("2.11.0+cu128", "525"), ("2.13.0+cu130", "580")):
        found = list(gpu.driver(torch, verdict(on, torch), on))
        assert [item.code for item in found] == (["HST020"] if number < Version(least) else []), torch
        assert all(row["driver"] in item.message for item in found)


@pytest.mark.parametrize("row", RECORDED["refused"], ids=lambda row: str(row["source"]))
def test_what_nvidia_smi_prints_without_a_driver_is_no_driver(row: dict[str, Any]) -> None:
    assert not parsers.parse_smi(row["text"])
    assert parsers.parse_smi_cuda(row["text"]) is None


@pytest.mark.parametrize(
    ("torch", "backend", "codes"),
    [
        ("2.11.0+cu128", "cu128", ["ENV076"]),
        ("2.13.0+cu130", "cu130", []),
        ("2.16.0.dev20261101+cu130", "cu130", ["ENV077"]),
        ("2.13.0+cpu", "cpu", []),
    ],
)
def test_a_backend_that_has_ended_and_a_nightly(torch: str, backend: str, codes: list[str]) -> None:
    found = list(gpu.retired(torch, CATALOG.backend(Backend.parse(backend))))
    assert [item.code for item in found] == codes
    assert all("its last; cu130 replaces it" in item.message for item in found if item.code == "ENV076")
