"""What people reported of WSL, containers, half-updated drivers and hidden GPUs: each as it was, and as it is well."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envsmith.doctor.rules import gpu
from envsmith.host.linux import GpuAccess
from envsmith.host.model import Device, Host
from envsmith.model.backend import Backend
from tests.host.recorded import RECORDED

CUDA, ROCM, CPU = (Backend.parse(name) for name in ("cu128", "rocm6.4", "cpu"))
LINUX = Host(os="linux", machine="x86_64", release=(2, 36), libc="glibc")
WSL = replace(LINUX, is_wsl=True)
NVIDIA = replace(LINUX, devices=(Device(maker="nvidia", name="NVIDIA A40", capability=(8, 6)),))
STUB = RECORDED["stub"][0]["path"]
FOREIGN = "/usr/lib/x86_64-linux-gnu/libcuda.so.550.90.07"
DOCKER = GpuAccess(container="docker", kernel_module="570.133.20")
NODES = ("nvidia0", "nvidiactl", "nvidia-uvm")


@pytest.mark.parametrize(
    ("given", "host", "wanted", "codes"),
    [
        (GpuAccess(device_files=("dxg",), wsl_library=STUB), WSL, CUDA, []),
        (GpuAccess(), WSL, CPU, []),
        (GpuAccess(), LINUX, CUDA, []),
        (GpuAccess(is_wsl1=True), WSL, CUDA, ["HST021 error"]),
        (GpuAccess(is_wsl1=True), WSL, None, ["HST021 note"]),
        (GpuAccess(), WSL, CUDA, ["HST021 error"]),
        (GpuAccess(device_files=("dxg",)), WSL, CUDA, ["HST021 error"]),
        (
            GpuAccess(device_files=("dxg",), wsl_library=STUB, libraries=(FOREIGN,)),
            WSL,
            CPU,
            ["HST022 error"],
        ),
        (
            GpuAccess(container="docker", device_files=("dxg",), wsl_library=STUB, libraries=(FOREIGN,)),
            WSL,
            CUDA,
            [],
        ),
        (GpuAccess(container="docker"), WSL, CUDA, []),
    ],
)
def test_wsl(given: GpuAccess, host: Host, wanted: Backend | None, codes: list[str]) -> None:
    found = list(gpu.wsl(given, host, wanted))
    assert [f"{item.code} {item.severity}" for item in found] == codes
    assert all(item.hint for item in found)


@pytest.mark.parametrize(
    ("given", "host", "wanted", "codes"),
    [
        (GpuAccess(), NVIDIA, CUDA, []),
        (GpuAccess(container="docker"), LINUX, CUDA, []),
        (replace(DOCKER, device_files=NODES), NVIDIA, CUDA, []),
        (DOCKER, LINUX, CUDA, ["HST025 error"]),
        (DOCKER, LINUX, None, ["HST025 note"]),
        (GpuAccess(container="docker"), NVIDIA, CUDA, ["HST025 error"]),
        (replace(DOCKER, device_files=("nvidia0", "nvidiactl")), NVIDIA, CUDA, ["HST026 error"]),
        (GpuAccess(container="docker", has_amd_module=True), LINUX, ROCM, ["HST025 error"]),
        (GpuAccess(container="docker", has_amd_module=True, device_files=("kfd",)), LINUX, ROCM, []),
        (GpuAccess(container="docker", has_amd_module=True), LINUX, CPU, []),
        (GpuAccess(container="docker"), WSL, CUDA, ["HST025 error"]),
        (GpuAccess(container="docker"), WSL, CPU, []),
        (GpuAccess(container="docker", device_files=("dxg",)), WSL, CUDA, []),
    ],
)
def test_container(given: GpuAccess, host: Host, wanted: Backend | None, codes: list[str]) -> None:
    found = list(gpu.container(given, host, wanted))
    assert [f"{item.code} {item.severity}" for item in found] == codes


def test_why_a_container_lacks_them() -> None:
    (found,) = gpu.container(replace(DOCKER, variables={"NVIDIA_VISIBLE_DEVICES": "void"}), LINUX, CUDA)
    assert found.message.endswith("/dev/nvidia0 is missing; NVIDIA_VISIBLE_DEVICES is 'void'")
    assert "--gpus all" in found.hint


@pytest.mark.parametrize(
    ("value", "libraries", "count"),
    [("utility", (), 1), ("compute,utility", (), 0), ("all", (), 0), ("utility", (FOREIGN,), 0)],
)
def test_capabilities_without_compute(value: str, libraries: tuple[str, ...], count: int) -> None:
    """As in AbdBarho/stable-diffusion-webui-docker#348: nvidia-smi works, and torch finds no driver."""
    given = replace(
        DOCKER, device_files=NODES, libraries=libraries, variables={"NVIDIA_DRIVER_CAPABILITIES": value}
    )
    assert len(list(gpu.container(given, NVIDIA, CUDA))) == count


@pytest.mark.parametrize("row", RECORDED["module"], ids=lambda row: str(row["module"]))
def test_a_driver_updated_under_its_module(row: dict[str, str]) -> None:
    sick = GpuAccess(kernel_module=row["module"], libraries=(f"/usr/lib64/libcuda.so.{row['libraries']}",))
    (found,) = gpu.module(sick, None)
    assert (found.code, row["module"] in found.message, row["libraries"] in found.message) == (
        "HST024",
        True,
        True,
    )
    assert "restart" in found.hint
    well = GpuAccess(kernel_module=row["module"], libraries=(f"/usr/lib64/libcuda.so.{row['module']}",))
    assert list(gpu.module(well, CUDA)) == []
    assert (
        list(gpu.module(GpuAccess(kernel_module=row["module"], libraries=("/usr/lib64/libcuda.so.1",)), CUDA))
        == []
    )


def test_device_files_that_are_refused() -> None:
    """As in ROCm/legacy-rocm-build#1211: Unable to open /dev/kfd read-write."""
    sick = GpuAccess(device_files=("kfd", "dri/renderD128"), unusable_files=("kfd", "dri/renderD128"))
    (found,) = gpu.module(sick, ROCM)
    assert (found.code, "/dev/kfd, /dev/dri/renderD128" in found.message) == ("HST027", True)
    assert "render" in found.hint
    assert list(gpu.module(GpuAccess(device_files=("kfd",)), ROCM)) == []


@pytest.mark.parametrize("wanted", [CPU, CUDA, None])
def test_device_files_that_nobody_asks_for_may_be_refused(wanted: Backend | None) -> None:
    """A user of a server without a desktop mostly may not use its screen's device file, and needs not."""
    assert list(gpu.module(GpuAccess(unusable_files=("dri/renderD128",)), wanted)) == []


@pytest.mark.parametrize(
    ("variables", "wanted", "count"),
    [
        ({"CUDA_VISIBLE_DEVICES": ""}, CUDA, 1),
        ({"CUDA_VISIBLE_DEVICES": "-1"}, CUDA, 1),
        ({"CUDA_VISIBLE_DEVICES": "1"}, CUDA, 1),
        ({"CUDA_VISIBLE_DEVICES": "0"}, CUDA, 0),
        ({"CUDA_VISIBLE_DEVICES": "GPU-b5169cef"}, CUDA, 0),
        ({"CUDA_VISIBLE_DEVICES": ""}, CPU, 0),
        ({"CUDA_VISIBLE_DEVICES": ""}, None, 0),
        ({"HIP_VISIBLE_DEVICES": ""}, CUDA, 0),
        ({}, CUDA, 0),
    ],
)
def test_hidden_gpus(variables: dict[str, str], wanted: Backend | None, count: int) -> None:
    assert len(list(gpu.hidden(GpuAccess(variables=variables), NVIDIA, wanted))) == count
