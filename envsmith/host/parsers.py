"""Parsers of the output of nvidia-smi, /proc, /sys and similar; malformed text gives an empty result."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from envsmith.host.model import Device, Driver, is_version
from envsmith.model.backend import read_capability

MIB = 1024 * 1024
# "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  ..."; the open module has "for x86_64" before the version.
_NVRM = re.compile(
    r"^NVRM version:.*?Kernel Module(?: for \S+)?[ \t]+(?P<version>[0-9]+(?:\.[0-9]+)+)\s", re.MULTILINE
)
_MODEL = re.compile(r"^Model:[ \t]*(?P<name>\S.*?)\s*$", re.MULTILINE)
# The header of nvidia-smi; newer drivers print "CUDA UMD Version".
_CUDA_VERSION = re.compile(r"CUDA (?:UMD )?Version:\s*(?P<major>[0-9]{1,3})\.(?P<minor>[0-9]{1,3})")
_LIBC = re.compile(r"glibc (?P<major>[0-9]{1,3})\.(?P<minor>[0-9]{1,3})")
_RELEASE = re.compile(r"(?P<major>[0-9]{1,3})(?:\.(?P<minor>[0-9]{1,3}))?(?:\.[0-9]{1,5})*")
_PCI_ID = re.compile(r"PCI\\VEN_(?P<vendor>[0-9A-F]{4})&DEV_(?P<device>[0-9A-F]{4})", re.IGNORECASE)
_HEX = re.compile(r"0x(?P<digits>[0-9a-f]{4,8})")
_VENDORS = {"10de": "nvidia", "1002": "amd", "8086": "intel"}
# PCI base classes of display controllers and processing accelerators.
_GPU_CLASSES = ("03", "12")


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectedGpus:
    """A driver and its devices according to one source."""

    driver: Driver | None = None
    devices: tuple[Device, ...] = ()

    def __bool__(self) -> bool:
        return self.driver is not None or bool(self.devices)


def parse_probe(text: str) -> DetectedGpus:
    """Parse the output of `nvidia_probe.py`."""
    try:
        data = json.loads(text)
        items = list(data["devices"])
        version, cuda = str(data["driver"]), int(data["cuda"])
        devices = tuple(_probe_device(item) for item in items)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        return DetectedGpus()
    driver = Driver(
        maker="nvidia",
        version=version if is_version(version) else None,
        cuda=(cuda // 1000, cuda % 1000 // 10) if cuda > 0 else None,
    )
    return DetectedGpus(driver=driver, devices=devices)


def _probe_device(item: Mapping[str, object]) -> Device:
    major, minor = item["capability"]  # type: ignore[misc]
    memory = item["memory"]
    return Device(
        maker="nvidia",
        name=_clean(str(item["name"])),
        capability=read_capability(f"{int(major)}.{int(minor)}") if major else None,  # type: ignore[has-type]
        memory_bytes=memory if type(memory) is int and memory > 0 else None,
    )


def parse_smi(text: str) -> DetectedGpus:
    """Parse ``nvidia-smi --query-gpu=name,compute_cap,memory.total,driver_version --format=csv,noheader,nounits``.

    The second column is missing with drivers 470 (huggingface/candle#733, read 2026-11-21).
    """
    rows = [[cell.strip() for cell in line.rsplit(",", 3)] for line in text.splitlines()]
    rows = [[row[0], "", *row[1:]] if len(row) == 3 else row for row in rows]
    rows = [row for row in rows if len(row) == 4 and is_version(row[3])]
    if not rows:
        return DetectedGpus()
    devices = tuple(
        Device(
            maker="nvidia",
            name=_clean(name),
            capability=read_capability(capability),
            memory_bytes=int(memory) * MIB if re.fullmatch("[0-9]{1,9}", memory) else None,
        )
        for name, capability, memory, _ in rows
    )
    return DetectedGpus(driver=Driver(maker="nvidia", version=rows[0][3]), devices=devices)


def parse_smi_cuda(text: str) -> tuple[int, int] | None:
    """Parse the CUDA version of the driver in the header of ``nvidia-smi``."""
    match = _CUDA_VERSION.search(text)
    return (int(match["major"]), int(match["minor"])) if match else None


def kernel_module(text: str) -> str:
    """Parse the driver version in ``/proc/driver/nvidia/version``; empty if there is none."""
    match = _NVRM.search(text)
    return match["version"] if match and is_version(match["version"]) else ""


def gpu_model(text: str) -> str:
    """Parse the name in ``/proc/driver/nvidia/gpus/*/information``; empty if there is none."""
    match = _MODEL.search(text)
    return _clean(match["name"]) if match else ""


def kfd_properties(text: str) -> dict[str, int]:
    """Parse ``/sys/class/kfd/kfd/topology/nodes/*/properties``: a name and a number per line."""
    pairs = (line.split() for line in text.splitlines())
    return {
        pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and re.fullmatch("[0-9]{1,20}", pair[1])
    }


def instruction_set(target: int) -> str:
    """Return ``gfx90a`` for KFD's ``gfx_target_version`` 90010; empty for 0, a CPU.

    Source: Linux, drivers/gpu/drm/amd/amdkfd: major × 10000 + minor × 100 + stepping, the last in hexadecimal
    in the name (ROCm/rocm-cli#343: 90402 is gfx942; read 2026-11-21).
    """
    major, minor, stepping = target // 10000, target // 100 % 100, target % 100
    is_named = 0 < major < 100 and minor < 16 and stepping < 16
    return f"gfx{major}{minor:x}{stepping:x}" if is_named else ""


def pci_device(class_text: str, vendor_text: str, device_text: str) -> Device | None:
    """Return the GPU with the ``class``, ``vendor`` and ``device`` of a PCI device in sysfs; None for others."""
    kind, vendor, device = (_hex(text) for text in (class_text, vendor_text, device_text))
    maker = _VENDORS.get(vendor)
    if maker is None or kind[:2] not in _GPU_CLASSES or len(device) != 4:
        return None
    return Device(maker=maker, name="", pci=f"{vendor}:{device}")


def _hex(text: str) -> str:
    match = _HEX.fullmatch(text.strip().lower())
    return match["digits"] if match else ""


def jetson_name(text: str) -> str:
    """Return the name of a Jetson from its device tree's ``model``; empty for other boards."""
    name = _clean(text.replace("\0", " "))
    if "jetson" not in name.lower():
        return ""
    return re.sub(r"\s+(?:Developer Kit|Engineering|with|Super)\b.*", "", name.replace("NVIDIA ", ""))


def is_wsl(proc_version: str) -> bool:
    """Say whether ``/proc/version`` is that of WSL."""
    return "microsoft" in proc_version.lower()


def is_wsl1(proc_version: str) -> bool:
    """Say whether ``/proc/version`` is that of WSL 1, which has no kernel of its own and no GPU.

    Source: the kernels named in microsoft/WSL#1090 (``3.4.0-Microsoft``), #5554 (``4.4.0-19041-Microsoft``) and #5955
    (``4.19.128-microsoft-standard``), read 2026-11-21.
    """
    return "-Microsoft" in proc_version and "-standard" not in proc_version


def glibc_release(text: str) -> tuple[int, int] | None:
    """Parse ``glibc 2.36``; None for other text."""
    match = _LIBC.fullmatch(text.strip())
    return (int(match["major"]), int(match["minor"])) if match else None


def system_release(text: str) -> tuple[int, int]:
    """Parse the version of a system, ``14.5.1``; ``(0, 0)`` for other text."""
    match = _RELEASE.fullmatch(text.strip())
    return (int(match["major"]), int(match["minor"] or 0)) if match else (0, 0)


def registry_adapters(entries: list[Mapping[str, object]]) -> Iterator[DetectedGpus]:
    """Parse the display adapters in Windows's registry, given the values of each one's key."""
    for entry in entries:
        match = _PCI_ID.match(str(entry.get("MatchingDeviceId", "")))
        maker = _VENDORS.get(match["vendor"].lower()) if match else None
        if match is None or maker is None:
            continue
        memory = entry.get("HardwareInformation.qwMemorySize")
        device = Device(
            maker=maker,
            name=_clean(str(entry.get("DriverDesc", ""))),
            memory_bytes=memory if type(memory) is int and memory > 0 else None,
            pci=f"{match['vendor']}:{match['device']}".lower(),
        )
        version = str(entry.get("DriverVersion", ""))
        number = nvidia_version(version) if maker == "nvidia" else version
        yield DetectedGpus(
            driver=Driver(maker=maker, version=number if is_version(number) else None), devices=(device,)
        )


def nvidia_version(windows: str) -> str:
    """Return ``572.16`` for Windows's ``32.0.15.7216``: the last five digits; empty for fewer digits."""
    digits = windows.replace(".", "")[-5:]
    return f"{digits[:3]}.{digits[3:]}" if re.fullmatch("[0-9]{5}", digits) else ""


def _clean(name: str) -> str:
    """Return a name on one line, without control characters."""
    return " ".join("".join(char if char.isprintable() else " " for char in name).split())[:200]
