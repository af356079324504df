"""Machines of every kind, made of files and stand-ins, and this one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from envsmith.errors import HostError
from envsmith.host.current import this_platform
from envsmith.host.detect import HostSources, detect
from envsmith.host.model import Device, Driver
from envsmith.host.nvidia import NvidiaTools
from envsmith.host.parsers import DetectedGpus
from envsmith.process.runner import Processes
from tests.host.host_data import pci, text, tree

H200 = Device(maker="nvidia", name="NVIDIA H200", capability=(9, 0))


class Nvidia(NvidiaTools):
    """Tools that answer what they are given, and count how often they are asked."""

    def __init__(self, answer: DetectedGpus | None = None) -> None:
        super().__init__(Processes())
        self.answer = answer or DetectedGpus()
        self.asked = 0

    def ask(self) -> DetectedGpus:
        self.asked += 1
        return self.answer


def machine(root: Path, nvidia: NvidiaTools | None = None, **values: str | Mapping[str, str]) -> HostSources:
    known: dict[str, object] = {
        "root": root,
        "os": "linux",
        "machine": "x86_64",
        "release": "",
        "libc": "glibc 2.36",
        "nvidia": nvidia or Nvidia(),
        "variables": {},
    }
    return HostSources(**(known | values))  # type: ignore[arg-type]


def test_this_machine_is_described() -> None:
    host, here = detect(), this_platform()
    assert (host.os, host.machine) == (here.os, here.machine)
    assert host.os != "linux" or host.libc in ("glibc", "musl")
    bare = detect(is_bare=True)
    assert (bare.system, bare.devices, bare.drivers) == (host.system, (), ())


def test_a_machine_without_gpu_asks_no_library(tmp_path: Path) -> None:
    nvidia = Nvidia(DetectedGpus(driver=Driver(maker="nvidia", version="1")))
    host = detect(machine(tmp_path, nvidia))
    assert str(host) == "no GPU · Linux x86_64 (glibc 2.36)"
    assert nvidia.asked == 0


def test_nvidias_tools_are_asked_where_there_is_a_sign(tmp_path: Path) -> None:
    tree(tmp_path, dev__nvidiactl="")
    nvidia = Nvidia(
        DetectedGpus(driver=Driver(maker="nvidia", version="580.65.06", cuda=(13, 0)), devices=(H200, H200))
    )
    host = detect(machine(tmp_path, nvidia))
    assert str(host) == "2 × NVIDIA H200 (sm_90) · driver 580.65.06 · Linux x86_64 (glibc 2.36)"


def test_where_the_tools_are_silent_the_kernel_module_tells(tmp_path: Path) -> None:
    tree(
        tmp_path,
        dev__nvidiactl="",
        proc__driver__nvidia__version=text("nvrm_version.txt"),
        proc__driver__nvidia__gpus__one__information=text("nvidia_information.txt"),
    )
    host = detect(machine(tmp_path))
    assert host.driver("nvidia") == Driver(maker="nvidia", version="550.54.15")
    assert host.devices == (Device(maker="nvidia", name="NVIDIA GeForce RTX 4090"),)


def test_a_gpu_without_driver_is_seen_on_the_bus(tmp_path: Path) -> None:
    pci(tmp_path, "0000:01:00.0", "0x030000", "0x10de", "0x2c02")
    pci(tmp_path, "0000:02:00.0", "0x030000", "0x1002", "0x744c")
    pci(tmp_path, "0000:03:00.0", "0x030000", "0x8086", "0xe20b")
    host = detect(machine(tmp_path))
    assert [(item.maker, item.pci) for item in host.devices] == [
        ("nvidia", "10de:2c02"),
        ("amd", "1002:744c"),
        ("intel", "8086:e20b"),
    ]
    assert host.drivers == ()


def test_amd_is_known_by_what_it_computes_with(tmp_path: Path) -> None:
    pci(tmp_path, "0000:02:00.0", "0x030000", "0x1002", "0x7489")
    tree(tmp_path, sys__class__kfd__kfd__topology__nodes__1__properties=text("kfd_gfx1102.txt"))
    host = detect(machine(tmp_path))
    assert [item.capability for item in host.devices] == ["gfx1102"]


def test_wsl_is_linux_with_the_drivers_of_windows(tmp_path: Path) -> None:
    tree(tmp_path, dev__dxg="", proc__version=text("proc_version.wsl.txt"))
    nvidia = Nvidia(DetectedGpus(driver=Driver(maker="nvidia", version="572.16"), devices=(H200,)))
    host = detect(machine(tmp_path, nvidia))
    assert host.is_wsl
    assert host.driver_os == "windows"
    assert host.devices == (H200,)


@pytest.mark.parametrize(
    ("answer", "driver", "name"),
    [
        (DetectedGpus(), Driver(maker="nvidia"), "Jetson AGX Thor"),
        (
            DetectedGpus(
                driver=Driver(maker="nvidia", version="580.00"),
                devices=(Device(maker="nvidia", name="NVIDIA Thor", capability=(11, 0)),),
            ),
            Driver(maker="nvidia", version="580.00"),
            "NVIDIA Thor",
        ),
        (
            DetectedGpus(
                driver=Driver(maker="nvidia", cuda=(13, 0)), devices=(Device(maker="nvidia", name="nvgpu"),)
            ),
            Driver(maker="nvidia", cuda=(13, 0)),
            "Jetson AGX Thor",
        ),
    ],
)
def test_a_jetson(tmp_path: Path, answer: DetectedGpus, driver: Driver, name: str) -> None:
    tree(tmp_path, **{"proc__device-tree__model": text("device_tree_model.thor.txt")})
    host = detect(machine(tmp_path, Nvidia(answer), machine="aarch64"))
    assert host.drivers == (driver,)
    assert [item.name for item in host.devices] == [name]


def test_musl_and_machines_without_wheels_are_described_too(tmp_path: Path) -> None:
    tree(tmp_path, **{"lib__ld-musl-riscv64.so.1": ""})
    host = detect(machine(tmp_path, libc="", machine="riscv64"))
    assert (host.libc, host.machine) == ("musl", "riscv64")


@pytest.mark.parametrize(
    ("os", "name", "release", "described"),
    [
        ("macos", "arm64", "14.5", "no GPU · macOS 14.5 arm64"),
        ("macos", "x86_64", "13.7.1", "no GPU · macOS 13.7 x86_64"),
        ("windows", "AMD64", "", "no GPU · Windows amd64"),
        ("windows", "ARM64", "", "no GPU · Windows arm64"),
    ],
)
def test_other_systems(tmp_path: Path, os: str, name: str, release: str, described: str) -> None:
    assert str(detect(machine(tmp_path, os=os, machine=name, release=release, libc=""))) == described


def test_variables_stand_for_what_is_not_there(tmp_path: Path) -> None:
    tree(tmp_path, dev__nvidiactl="")
    nvidia = Nvidia()
    variables = {"ENVSMITH_OVERRIDE_CUDA_DRIVER": "572.16", "ENVSMITH_OVERRIDE_COMPUTE_CAPABILITY": "12.0"}
    host = detect(machine(tmp_path, nvidia, variables=variables))
    assert str(host) == "NVIDIA sm_120 · driver 572.16 · Linux x86_64 (glibc 2.36)"
    assert nvidia.asked == 0
    with pytest.raises(HostError, match="HST002"):
        detect(machine(tmp_path, variables={"ENVSMITH_OVERRIDE_CUDA_DRIVER": "new"}))
