"""Windows's registry, asked for single values."""

from __future__ import annotations

import sys
from collections.abc import Callable

Registry = Callable[[str, str, str], object]
"""Root (``HKLM`` or ``HKCU``), key, name → value; None where there is none."""


def ask(root: str, key: str, name: str) -> object:
    """Return a value of this machine's registry; None where there is none, as on every other system."""
    if sys.platform != "win32":
        return None
    import winreg

    roots = {"HKLM": winreg.HKEY_LOCAL_MACHINE, "HKCU": winreg.HKEY_CURRENT_USER}
    try:
        with winreg.OpenKey(roots[root], key) as opened:
            return winreg.QueryValueEx(opened, name)[0]
    except OSError:
        return None
