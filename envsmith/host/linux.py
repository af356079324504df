"""GPUs, drivers and GPU access on Linux, from /proc, /sys, device files, libraries and variables.

All paths are relative to a root, so that tests can use a tree of files.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from envsmith.host import parsers
from envsmith.host.model import Device, Driver
from envsmith.host.parsers import DetectedGpus

MOST_BYTES = 65_536
VARIABLES = (
    "CUDA_VISIBLE_DEVICES",
    "HIP_VISIBLE_DEVICES",
    "ROCR_VISIBLE_DEVICES",
    "NVIDIA_VISIBLE_DEVICES",
    "NVIDIA_DRIVER_CAPABILITIES",
)
WSL_LIBRARIES = "usr/lib/wsl/lib"
_DEVICE_FILES = ("nvidia[0-9]*", "nvidiactl", "nvidia-uvm", "dxg", "kfd", "dri/renderD*")
_LIBRARY_FOLDERS = (
    "usr/lib/x86_64-linux-gnu",
    "usr/lib/aarch64-linux-gnu",
    "usr/lib64",
    "usr/lib",
    "usr/local/nvidia/lib64",
    "run/opengl-driver/lib",
)
_CONTAINER_FILES = {".dockerenv": "docker", "run/.containerenv": "podman"}
_CONTAINER_CGROUPS = ("docker", "kubepods", "containerd", "libpod", "lxc")


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuAccess:
    """Access of a Linux system to GPUs; limited in containers and WSL."""

    container: str = ""
    """Container engine, ``docker``; empty outside of containers."""
    is_wsl1: bool = False
    """WSL 1, which has no kernel of its own."""
    device_files: tuple[str, ...] = ()
    """GPU device files below ``/dev``: ``nvidia0``, ``nvidiactl``, ``dxg``, ``kfd``."""
    unusable_files: tuple[str, ...] = ()
    """Device files that this user may not use."""
    wsl_library: str = ""
    """WSL's libcuda, which forwards to Windows's driver; empty if missing."""
    libraries: tuple[str, ...] = ()
    """Other libcudas in the linker's folders."""
    kernel_module: str = ""
    """Version of NVIDIA's loaded kernel module."""
    has_amd_module: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)
    """Variables that limit the visible GPUs."""

    @property
    def library_version(self) -> str:
        """Version of NVIDIA's libraries from their file names; empty if unknown."""
        names = (name.rpartition("libcuda.so.")[2] for name in self.libraries)
        return next((name for name in names if name.count(".") >= 1), "")


def read_text(path: Path) -> str:
    """Return the text of a small file; empty if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def is_wsl(root: Path) -> bool:
    """Say whether this Linux is WSL."""
    return parsers.is_wsl(read_text(root / "proc/version"))


def has_musl(root: Path) -> bool:
    """Say whether the system's C library is musl."""
    return any(_entries(root / "lib", "ld-musl-*"))


def pci_devices(root: Path) -> tuple[Device, ...]:
    """Return the GPUs on the PCI bus; only their ids are known."""
    found = (
        parsers.pci_device(*(read_text(place / name) for name in ("class", "vendor", "device")))
        for place in _entries(root / "sys/bus/pci/devices", "*")
    )
    return tuple(device for device in found if device)


def amd(root: Path) -> DetectedGpus:
    """Return AMD's driver and GPUs from its kernel driver for computing (KFD)."""
    devices = tuple(
        _amd_device(root, parsers.kfd_properties(read_text(place / "properties")))
        for place in _entries(root / "sys/class/kfd/kfd/topology/nodes", "*")
    )
    known = tuple(device for device in devices if device)
    version = read_text(root / "sys/module/amdgpu/version").strip()
    if not known and not (root / "sys/module/amdgpu").is_dir():
        return DetectedGpus()
    return DetectedGpus(driver=Driver(maker="amd", version=version or None), devices=known)


def _amd_device(root: Path, properties: dict[str, int]) -> Device | None:
    name = parsers.instruction_set(properties.get("gfx_target_version", 0))
    if not name:
        return None
    place = root / f"sys/class/drm/renderD{properties.get('drm_render_minor', 0)}/device"
    memory = read_text(place / "mem_info_vram_total").strip()
    product = " ".join(read_text(place / "product_name").split())
    return Device(
        maker="amd",
        name=product or name,
        capability=name,
        memory_bytes=int(memory) if memory.isascii() and memory.isdigit() else None,
    )


def intel(root: Path, devices: tuple[Device, ...]) -> DetectedGpus:
    """Return Intel's GPUs of those on the PCI bus, and whether they have a driver."""
    own = tuple(device for device in devices if device.maker == "intel")
    has_driver = any((root / f"sys/module/{name}").is_dir() for name in ("xe", "i915"))
    return DetectedGpus(driver=Driver(maker="intel") if has_driver and own else None, devices=own)


def nvidia(root: Path) -> DetectedGpus:
    """Return driver version and GPU names of the loaded kernel module.

    A container sees the module of its host even without access to the GPUs; in that case there is no driver.
    """
    has_access = (root / "dev/nvidiactl").exists()
    version = parsers.kernel_module(read_text(root / "proc/driver/nvidia/version")) if has_access else ""
    models = (
        parsers.gpu_model(read_text(place / "information"))
        for place in _entries(root / "proc/driver/nvidia/gpus", "*")
    )
    devices = tuple(Device(maker="nvidia", name=name) for name in models if name)
    return DetectedGpus(driver=Driver(maker="nvidia", version=version) if version else None, devices=devices)


def jetson(root: Path) -> DetectedGpus:
    """Return the GPU of a Jetson board, which is not on the PCI bus."""
    name = parsers.jetson_name(read_text(root / "proc/device-tree/model"))
    if not name:
        return DetectedGpus()
    return DetectedGpus(driver=Driver(maker="nvidia"), devices=(Device(maker="nvidia", name=name),))


def has_nvidia(root: Path, devices: tuple[Device, ...]) -> bool:
    """Say whether there is a sign of an NVIDIA GPU, so that its libraries are worth querying."""
    signs = ("proc/driver/nvidia", "dev/nvidiactl", "dev/dxg", "dev/nvhost-gpu", "dev/nvgpu")
    return any(device.maker == "nvidia" for device in devices) or any(
        (root / sign).exists() for sign in signs
    )


def _entries(folder: Path, pattern: str) -> Iterator[Path]:
    """Yield the matching entries of a folder, sorted; none if it cannot be read."""
    try:
        yield from sorted(folder.glob(pattern))
    except OSError:
        return


def with_pci_devices(found: DetectedGpus, devices: tuple[Device, ...]) -> DetectedGpus:
    """Use the devices of the PCI bus if a source has none."""
    return found if found.devices else replace(found, devices=devices)


def with_board_name(found: DetectedGpus, board: DetectedGpus) -> DetectedGpus:
    """Use the board's device if a source has no compute capability."""
    is_known = any(device.capability for device in found.devices)
    return replace(found, devices=board.devices) if board.devices and not is_known else found


def is_usable(path: Path) -> bool:
    """Say whether this user may read and write a file."""
    return os.access(path, os.R_OK | os.W_OK)


def gpu_access(
    root: Path, variables: Mapping[str, str], may_use: Callable[[Path], bool] = is_usable
) -> GpuAccess:
    """Return the GPU access of this system, which may be a container or WSL.

    Args:
        root: root of the file system.
        variables: environment variables of the process.
        may_use: predicate for device files that this user may use.

    Source: file names of Linux and NVIDIA; marker files of containers: moby/moby and containers/podman (read
    2026-11-21).
    """
    nodes = tuple(_device_files(root / "dev"))
    return GpuAccess(
        container=_container(root, variables),
        is_wsl1=parsers.is_wsl1(read_text(root / "proc/version")),
        device_files=nodes,
        unusable_files=tuple(name for name in nodes if not may_use(root / "dev" / name)),
        wsl_library=next(
            (str(path) for path in [root / WSL_LIBRARIES / "libcuda.so.1"] if path.exists()), ""
        ),
        libraries=tuple(dict.fromkeys(_cuda_libraries(root))),
        kernel_module=parsers.kernel_module(read_text(root / "proc/driver/nvidia/version")),
        has_amd_module=(root / "sys/module/amdgpu").is_dir(),
        variables={name: variables[name] for name in VARIABLES if name in variables},
    )


def _container(root: Path, variables: Mapping[str, str]) -> str:
    for name, container in _CONTAINER_FILES.items():
        if (root / name).exists():
            return container
    if "KUBERNETES_SERVICE_HOST" in variables:
        return "kubernetes"
    groups = read_text(root / "proc/1/cgroup")
    return next((name for name in _CONTAINER_CGROUPS if name in groups), "")


def _device_files(dev: Path) -> Iterator[str]:
    for pattern in _DEVICE_FILES:
        try:
            yield from sorted(str(path.relative_to(dev)) for path in dev.glob(pattern) if not path.is_dir())
        except OSError:
            continue


def _cuda_libraries(root: Path) -> Iterator[str]:
    """Yield the real paths of libcuda in the linker's folders, except WSL's."""
    for folder in _LIBRARY_FOLDERS:
        place = root / folder / "libcuda.so.1"
        if place.exists() and WSL_LIBRARIES not in str(place.resolve()):
            yield str(place.resolve())
