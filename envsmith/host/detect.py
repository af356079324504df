"""Finds out what this machine is: system, C library, drivers, GPUs."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from envsmith.host import linux as host_linux
from envsmith.host import parsers as host_text
from envsmith.host import windows as host_windows
from envsmith.host.current import variables
from envsmith.host.host_overrides import CAPABILITY, overridden
from envsmith.host.model import Device, Driver, Host
from envsmith.host.nvidia import NvidiaTools
from envsmith.host.parsers import Found
from envsmith.process.runner import Processes

_SYSTEMS = {"linux": "linux", "darwin": "macos", "win32": "windows"}
_MACHINES = {
    "linux": {"amd64": "x86_64", "arm64": "aarch64"},
    "macos": {"aarch64": "arm64"},
    "windows": {"x86_64": "amd64", "aarch64": "arm64"},
}


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where a description of the machine is taken from."""

    root: Path = field(default_factory=lambda: Path("/"))
    os: str = field(default_factory=lambda: _SYSTEMS.get(sys.platform, "linux"))
    machine: str = field(default_factory=platform.machine)
    release: str = field(default_factory=lambda: platform.mac_ver()[0])
    libc: str = field(default_factory=lambda: _libc_text())  # noqa: PLW0108 - it stands below
    nvidia: NvidiaTools = field(default_factory=lambda: NvidiaTools(Processes()))
    variables: Mapping[str, str] = field(default_factory=variables)


def detect(sources: Sources | None = None, *, is_bare: bool = False) -> Host:
    """Describe this machine; what cannot be found out is left out, and no answer takes longer than its time.

    Args:
        sources: where to look; without it, this machine.
        is_bare: leave out drivers and GPUs, and what the variables say of them.

    Raises:
        HostError: HST002 when a variable that overrides what is found is malformed.
    """
    sources = sources or Sources()
    if is_bare:
        return _system(sources, ())
    # Whoever names the GPUs need not wait for this machine's.
    found = [] if sources.variables.get(CAPABILITY) else list(_found(sources))
    return overridden(_system(sources, found), sources.variables)


def _system(sources: Sources, found: Iterable[Found]) -> Host:
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
        is_wsl=sources.os == "linux" and host_linux.is_wsl(sources.root),
        drivers=tuple(drivers[maker] for maker in sorted(drivers)),
        devices=tuple(devices),
    )


def _libc(sources: Sources) -> tuple[str, tuple[int, int]]:
    """Return the C library and its version; of macOS the system's version."""
    if sources.os == "macos":
        return "", host_text.release(sources.release)
    if sources.os == "windows":
        return "", (0, 0)
    if found := host_text.glibc_release(sources.libc):
        return "glibc", found
    return ("musl" if host_linux.has_musl(sources.root) else ""), (0, 0)


def _libc_text() -> str:
    """Return what the C library says of itself, ``glibc 2.36``; empty where it says nothing."""
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "") if hasattr(os, "confstr") else ""
    except (OSError, ValueError):
        return ""


def _found(sources: Sources) -> Iterable[Found]:
    if sources.os == "linux":
        yield from _on_linux(sources)
    elif sources.os == "windows":
        yield from _on_windows(sources)


def _on_linux(sources: Sources) -> Iterable[Found]:
    root = sources.root
    devices = host_linux.pci_devices(root)
    of = {maker: tuple(item for item in devices if item.maker == maker) for maker in ("nvidia", "amd")}
    board = host_linux.jetson(root)
    if board or host_linux.has_nvidia(root, devices):
        found = sources.nvidia.ask() or host_linux.nvidia(root) or board
        yield host_linux.on_board(host_linux.named(found, of["nvidia"]), board)
    yield host_linux.named(host_linux.amd(root), of["amd"])
    yield host_linux.intel(root, devices)


def _on_windows(sources: Sources) -> Iterable[Found]:
    listed = host_windows.adapters()
    of_nvidia = [item for item in listed if item.driver and item.driver.maker == "nvidia"]
    answered = sources.nvidia.ask() if of_nvidia else Found()
    if answered:
        yield answered
    yield from (item for item in listed if not (answered and item in of_nvidia))
