"""Microsoft's C++ library: which version Windows has, and which copies an environment brings."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from pathlib import Path

from envsmith.host.registry import Registry
from envsmith.host.system import Library, VisualCpp

LIBRARY = "msvcp140.dll"
_RUNTIMES = r"SOFTWARE\Microsoft\VisualStudio\14.0\VC\Runtimes\{}"
_SERVICING = r"SOFTWARE\Microsoft\DevDiv\VC\Servicing\14.0\RuntimeMinimum"
_VERSION = re.compile(r"v?(\d{1,5})\.(\d{1,5})(?:\.(\d{1,6}))?")
# VS_FIXEDFILEINFO begins so: signature, version of the structure, file version in two words.
# Source: Microsoft, "VS_FIXEDFILEINFO structure" (read 2026-11-21).
_FIXED = struct.pack("<I", 0xFEEF04BD)
_MOST_BYTES = 16 * 1024 * 1024
_COPIES = (LIBRARY, f"*/{LIBRARY}", f"*/*/{LIBRARY}")


def visual_cpp(
    ask: Registry, variables: Mapping[str, str], machine: str, folders: tuple[Path, ...]
) -> VisualCpp:
    """Look for the library.

    Args:
        ask: the registry.
        variables: for where Windows lies.
        machine: as wheel tags spell it: ``amd64``, ``arm64``.
        folders: where a program of the environment may find other copies: the interpreter's, the packages'.

    Source: Microsoft, "Redistribute Visual C++ files" (read 2026-11-21); that some machines have only the second key:
    VirtualBox/virtualbox#723.
    """
    place = Path(
        variables.get("SYSTEMROOT") or variables.get("SystemRoot") or r"C:\Windows", "System32", LIBRARY
    )
    system = _library(place)
    copies = (path for folder in folders for name in _COPIES for path in sorted(folder.glob(name)))
    found = tuple(item for item in map(_library, dict.fromkeys(copies)) if item)
    return VisualCpp(
        registered=_registered(ask, "ARM64" if machine == "arm64" else "X64"), system=system, copies=found
    )


def _registered(ask: Registry, name: str) -> tuple[int, ...] | None:
    for key in (_RUNTIMES.format(name), _SERVICING):
        match = _VERSION.match(str(ask("HKLM", key, "Version") or ""))
        if match:
            return tuple(int(part) for part in match.groups() if part)
    return None


def _library(path: Path) -> Library | None:
    try:
        with path.open("rb") as stream:
            data = stream.read(_MOST_BYTES)
    except OSError:
        return None
    return Library(path=str(path), version=file_version(data))


def file_version(data: bytes) -> tuple[int, ...] | None:
    """Return the version that a Windows library carries in its resources; None where it carries none."""
    begin = data.find(_FIXED)
    if begin < 0 or len(data) < begin + 16:
        return None
    high, low = struct.unpack_from("<II", data, begin + 8)
    return high >> 16, high & 0xFFFF, low >> 16
