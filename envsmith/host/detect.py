"""Detection of the machine: system, C library, drivers and GPUs.

Two environment variables override the driver and the GPUs, for machines that only build.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from envsmith.errors import HostError
from envsmith.host import linux, parsers, windows
from envsmith.host.current import variables
from envsmith.host.model import FAMILIES, Device, Driver, Host, is_version
from envsmith.host.nvidia import NvidiaTools
from envsmith.host.parsers import DetectedGpus
from envsmith.model.backend import architecture, backend_family, read_capability
from envsmith.process.runner import Processes

DRIVER = "ENVSMITH_OVERRIDE_CUDA_DRIVER"
CAPABILITY = "ENVSMITH_OVERRIDE_COMPUTE_CAPABILITY"
NONE = "none"
_MAKERS = {family: maker for maker, family in FAMILIES.items()}
_SYSTEMS = {"linux": "linux", "darwin": "macos", "win32": "windows"}
_MACHINES = {
    "linux": {"amd64": "x86_64", "arm64": "aarch64"},
    "macos": {"aarch64": "arm64"},
    "windows": {"x86_64": "amd64", "aarch64": "arm64"},
}


def apply_overrides(host: Host, variables: Mapping[str, str]) -> Host:
    """Replace GPUs and driver of a machine by those in the override variables; empty variables are ignored.

    Raises:
        HostError: HST002 when one is malformed.
    """
    if text := variables.get(CAPABILITY, "").strip():
        host = _with_devices(host, text)
    if text := variables.get(DRIVER, "").strip():
        host = _with_driver(host, text)
    return host


def _with_devices(host: Host, text: str) -> Host:
    if text == NONE:
        return replace(host, devices=(), drivers=())
    devices = tuple(_device(part) for part in text.split(","))
    makers = {device.maker for device in devices}
    kept = {driver.maker: driver for driver in host.drivers if driver.maker in makers}
    drivers = tuple(kept.get(maker, Driver(maker=maker)) for maker in sorted(makers))
    return replace(host, devices=devices, drivers=drivers)


def _device(text: str) -> Device:
    capability = read_capability(text)
    if capability is None:
        raise HostError(
            "HST002",
            f"invalid compute capability {text.strip()!r}",
            where=CAPABILITY,
            hint="use 12.0, gfx1100 or bmg (several separated by commas), or none",
        )
    return Device(
        maker=_MAKERS[backend_family(capability)], name=architecture(capability), capability=capability
    )


def _with_driver(host: Host, text: str) -> Host:
    others = tuple(driver for driver in host.drivers if driver.maker != "nvidia")
    if text == NONE:
        return replace(host, drivers=others)
    if not is_version(text):
        raise HostError(
            "HST002",
            f"invalid driver version {text!r}",
            where=DRIVER,
            hint="use the format of nvidia-smi, such as 572.16, or none",
        )
    return replace(host, drivers=(*others, Driver(maker="nvidia", version=text)))


@dataclass(frozen=True, kw_only=True)
class HostSources:
    """Sources of the detection; tests replace them."""

    root: Path = field(default_factory=lambda: Path("/"))
    os: str = field(default_factory=lambda: _SYSTEMS.get(sys.platform, "linux"))
    machine: str = field(default_factory=platform.machine)
    release: str = field(default_factory=lambda: platform.mac_ver()[0])
    libc: str = field(default_factory=lambda: _libc_text())  # noqa: PLW0108 - defined below
    nvidia: NvidiaTools = field(default_factory=lambda: NvidiaTools(Processes()))
    variables: Mapping[str, str] = field(default_factory=variables)


def detect(sources: HostSources | None = None, *, is_bare: bool = False) -> Host:
    """Detect this machine; unknown properties are left out, and each source has a timeout.

    Args:
        sources: sources of the detection [default: this machine].
        is_bare: leave out drivers and GPUs, and ignore the override variables.

    Raises:
        HostError: HST002 when an override variable is malformed.
    """
    sources = sources or HostSources()
    if is_bare:
        return _system(sources, ())
    # Overridden GPUs replace the detected ones, so skip the slow detection.
    found = [] if sources.variables.get(CAPABILITY) else list(_detect_gpus(sources))
    return apply_overrides(_system(sources, found), sources.variables)


def _system(sources: HostSources, found: Iterable[DetectedGpus]) -> Host:
    machine = sources.machine.lower()
    drivers: dict[str, Driver] = {}
    devices: list[Device] = []
    for item in found:
        devices += item.devices
        if item.driver:
            drivers.setdefault(item.driver.maker, item.driver)
    libc, release = _libc(sources)
    return Host(
        os=sources.os,
        machine=_MACHINES[sources.os].get(machine, machine),
        release=release,
        libc=libc,
        is_wsl=sources.os == "linux" and linux.is_wsl(sources.root),
        drivers=tuple(drivers[maker] for maker in sorted(drivers)),
        devices=tuple(devices),
    )


def _libc(sources: HostSources) -> tuple[str, tuple[int, int]]:
    """Return the C library and its version; on macOS the version of the system."""
    if sources.os == "macos":
        return "", parsers.system_release(sources.release)
    if sources.os == "windows":
        return "", (0, 0)
    if found := parsers.glibc_release(sources.libc):
        return "glibc", found
    return ("musl" if linux.has_musl(sources.root) else ""), (0, 0)


def _libc_text() -> str:
    """Return the C library's name and version, ``glibc 2.36``; empty if unknown."""
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "") if hasattr(os, "confstr") else ""
    except (OSError, ValueError):
        return ""


def _detect_gpus(sources: HostSources) -> Iterable[DetectedGpus]:
    if sources.os == "linux":
        yield from _on_linux(sources)
    elif sources.os == "windows":
        yield from _on_windows(sources)


def _on_linux(sources: HostSources) -> Iterable[DetectedGpus]:
    root = sources.root
    devices = linux.pci_devices(root)
    of = {maker: tuple(item for item in devices if item.maker == maker) for maker in ("nvidia", "amd")}
    board = linux.jetson(root)
    if board or linux.has_nvidia(root, devices):
        found = sources.nvidia.ask() or linux.nvidia(root) or board
        yield linux.with_board_name(linux.with_pci_devices(found, of["nvidia"]), board)
    yield linux.with_pci_devices(linux.amd(root), of["amd"])
    yield linux.intel(root, devices)


def _on_windows(sources: HostSources) -> Iterable[DetectedGpus]:
    listed = windows.adapters()
    of_nvidia = [item for item in listed if item.driver and item.driver.maker == "nvidia"]
    answered = sources.nvidia.ask() if of_nvidia else DetectedGpus()
    if answered:
        yield answered
    yield from (item for item in listed if not (answered and item in of_nvidia))
