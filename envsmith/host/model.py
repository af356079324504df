"""Host: properties of a machine, used to choose builds of torch."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from envsmith.errors import HostError
from envsmith.model.backend import Capability, architecture, read_capability
from envsmith.model.target import Platform

FAMILIES = {"nvidia": "cuda", "amd": "rocm", "intel": "xpu"}
"""Maker of a GPU → kind of backend for it."""
# Machines with torch wheels.
MACHINES = {"linux": ("x86_64", "aarch64"), "macos": ("arm64", "x86_64"), "windows": ("amd64", "arm64")}
LIBCS = ("glibc", "musl")
_SYSTEMS = {"linux": "Linux", "macos": "macOS", "windows": "Windows"}
_MAKERS = {"nvidia": "NVIDIA", "amd": "AMD", "intel": "Intel"}
_VERSION = re.compile(r"[0-9]{1,5}(?:\.[0-9]{1,5}){0,4}")


def is_version(text: str) -> bool:
    """Say whether a text is a version of numbers and dots."""
    return _VERSION.fullmatch(text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """The driver of one maker's GPUs."""

    maker: str
    """One of FAMILIES."""
    version: str | None = None
    """``572.16``; None if unknown, or for a driver without a version of its own."""
    cuda: tuple[int, int] | None = None
    """The newest CUDA version that it supports; None if unknown."""

    def __str__(self) -> str:
        return f"driver {self.version}" if self.version else "driver not named"


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One GPU."""

    maker: str
    """One of FAMILIES."""
    name: str
    """Name from the driver; may be empty."""
    capability: Capability | None = None
    """None if only the name or the PCI id is known."""
    memory_bytes: int | None = None
    pci: str = ""
    """``8086:56a0``; empty if it was not found on the PCI bus."""

    @property
    def family(self) -> str:
        """The kind of backend for it."""
        return FAMILIES[self.maker]

    def __str__(self) -> str:
        """``NVIDIA GeForce RTX 5080 (sm_120)``."""
        known = architecture(self.capability) if self.capability else ""
        name = self.name or (f"PCI {self.pci}" if self.pci else "GPU")
        if name == known:
            return f"{_MAKERS[self.maker]} {name}"
        maker = "" if name.lower().startswith(self.maker) else f"{_MAKERS[self.maker]} "
        return f"{maker}{name}" + (f" ({known})" if known else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A machine."""

    os: str
    """``linux``, ``macos`` or ``windows``."""
    machine: str
    """As in wheel tags: ``x86_64``, ``aarch64``, ``arm64``, ``amd64``."""
    release: tuple[int, int] = (0, 0)
    """Version of the C library on Linux, of the system on macOS; ``(0, 0)`` elsewhere."""
    libc: str = ""
    """One of LIBCS on Linux, else empty."""
    is_wsl: bool = False
    """Windows Subsystem for Linux, which uses the driver of Windows."""
    drivers: tuple[Driver, ...] = ()
    devices: tuple[Device, ...] = ()

    @classmethod
    def of_platform(
        cls, platform: Platform, drivers: tuple[Driver, ...] = (), devices: tuple[Device, ...] = ()
    ) -> Host:
        """Return a machine with the properties of a platform tag."""
        return cls(
            os=platform.os,
            machine=platform.machine,
            release=platform.floor,
            libc="glibc" if platform.os == "linux" else "",
            drivers=drivers,
            devices=devices,
        )

    @property
    def platform(self) -> Platform:
        """The platform tag, with the version of the C library or system as floor."""
        return Platform(os=self.os, machine=self.machine, floor=self.release)

    @property
    def driver_os(self) -> str:
        """The system whose driver it uses."""
        return "windows" if self.is_wsl else self.os

    def driver(self, maker: str) -> Driver | None:
        """Return the driver of a maker's GPUs; None if there is none."""
        return next((driver for driver in self.drivers if driver.maker == maker), None)

    def of_family(self, family: str) -> tuple[Device, ...]:
        """Return the devices for a kind of backend."""
        return tuple(device for device in self.devices if device.family == family)

    def __str__(self) -> str:
        """``NVIDIA GeForce RTX 5080 (sm_120) · driver 572.16 · Linux x86_64``."""
        counted = Counter(str(device) for device in self.devices)
        devices = [f"{count} × {name}" if count > 1 else name for name, count in counted.items()]
        drivers = [str(driver) for driver in self.drivers if driver.version]
        return " · ".join([*(devices or ["no GPU"]), *drivers, self.system])

    @property
    def system(self) -> str:
        """``Linux x86_64 (glibc 2.36)``, ``macOS 14.5 arm64``, ``Windows amd64``."""
        number = f"{self.release[0]}.{self.release[1]}"
        if self.os == "macos":
            return f"macOS {number} {self.machine}"
        notes = [
            text for text in ("WSL" if self.is_wsl else "", self.libc and f"{self.libc} {number}") if text
        ]
        return f"{_SYSTEMS[self.os]} {self.machine}" + (f" ({', '.join(notes)})" if notes else "")

    def to_json(self) -> dict[str, object]:
        """Return the machine as JSON values."""
        return {
            "os": self.os,
            "machine": self.machine,
            "release": list(self.release),
            "libc": self.libc,
            "wsl": self.is_wsl,
            "drivers": [
                {"maker": item.maker, "version": item.version, "cuda": item.cuda and list(item.cuda)}
                for item in self.drivers
            ],
            "devices": [
                {
                    "maker": item.maker,
                    "name": item.name,
                    "capability": architecture(item.capability) if item.capability else None,
                    "memory_bytes": item.memory_bytes,
                    "pci": item.pci,
                }
                for item in self.devices
            ],
        }

    @classmethod
    def from_json(cls, text: str) -> Host:
        """Parse the output of `to_json`.

        Raises:
            HostError: HST003 when the text is malformed.
        """
        try:
            return _host(json.loads(text))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise HostError("HST003", f"malformed machine description: {error!r}") from error


def _host(data: Mapping[str, object]) -> Host:
    os, machine, libc = data["os"], data["machine"], data["libc"]
    is_machine = isinstance(machine, str) and re.fullmatch(r"[a-z0-9_]{1,20}", machine)
    if os not in MACHINES or not is_machine or libc not in ("", *LIBCS):
        raise ValueError(f"unknown machine {os!r} {machine!r} {libc!r}")
    return Host(
        os=str(os),
        machine=str(machine),
        release=_pair(data["release"]),
        libc=str(libc),
        is_wsl=data["wsl"] is True,
        drivers=tuple(_driver(item) for item in data["drivers"]),  # type: ignore[attr-defined]
        devices=tuple(_device(item) for item in data["devices"]),  # type: ignore[attr-defined]
    )


def _driver(item: Mapping[str, object]) -> Driver:
    version, cuda = item["version"], item["cuda"]
    if item["maker"] not in FAMILIES or not (version is None or is_version(str(version))):
        raise ValueError(f"invalid driver {item!r}")
    return Driver(
        maker=str(item["maker"]),
        version=None if version is None else str(version),
        cuda=None if cuda is None else _pair(cuda),
    )


def _device(item: Mapping[str, object]) -> Device:
    capability, memory = item["capability"], item["memory_bytes"]
    found = None if capability is None else read_capability(str(capability))
    if item["maker"] not in FAMILIES or (capability is not None and found is None):
        raise ValueError(f"invalid device {item!r}")
    if memory is not None and type(memory) is not int:
        raise ValueError(f"invalid memory size {memory!r}")
    return Device(
        maker=str(item["maker"]),
        name=str(item["name"]),
        capability=found,
        memory_bytes=memory,
        pci=str(item["pci"]),
    )


def _pair(value: object) -> tuple[int, int]:
    match value:
        case [int() as major, int() as minor] if not isinstance(major, bool) and not isinstance(minor, bool):
            return major, minor
    raise ValueError(f"invalid version {value!r}")
