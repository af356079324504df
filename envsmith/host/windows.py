"""Windows's registry: display adapters and single values."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

from envsmith.host import parsers
from envsmith.host.parsers import DetectedGpus

# The device class of display adapters; unchanged since Windows 2000.
_CLASS = r"SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}"
_VALUES = ("MatchingDeviceId", "DriverDesc", "DriverVersion", "HardwareInformation.qwMemorySize")
_MAX_ADAPTERS = 64
Registry = Callable[[str, str, str], object]
"""Function of root (``HKLM`` or ``HKCU``), key and name that returns a value; None if it does not exist."""


def adapters() -> tuple[DetectedGpus, ...]:
    """Return the display adapters of known makers; empty on other systems."""
    return tuple(parsers.registry_adapters(_entries()))


def _entries() -> list[Mapping[str, object]]:
    if sys.platform != "win32":
        return []
    import winreg

    found: list[Mapping[str, object]] = []
    for number in range(_MAX_ADAPTERS):
        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, rf"{_CLASS}\{number:04d}") as key:
                found.append({name: _query_value(key, name) for name in _VALUES})
        except OSError:
            continue
    return found


def _query_value(key: object, name: str) -> object:
    if sys.platform != "win32":
        return None
    import winreg

    try:
        return winreg.QueryValueEx(key, name)[0]
    except OSError:
        return None


def has_long_paths(read: Registry | None = None) -> bool:
    """Return whether programs whose manifest allows it open paths of 260 characters and more."""
    key = r"SYSTEM\CurrentControlSet\Control\FileSystem"
    return sys.platform != "win32" or (read or read_value)("HKLM", key, "LongPathsEnabled") == 1


def read_value(root: str, key: str, name: str) -> object:
    """Return a value of the registry; None if it does not exist, and on other systems."""
    if sys.platform != "win32":
        return None
    import winreg

    roots = {"HKLM": winreg.HKEY_LOCAL_MACHINE, "HKCU": winreg.HKEY_CURRENT_USER}
    try:
        with winreg.OpenKey(roots[root], key) as opened:
            return winreg.QueryValueEx(opened, name)[0]
    except OSError:
        return None
