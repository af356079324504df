"""PATH in Windows's registry: read as it is kept, kept in a file, changed, and announced.

Sources: Microsoft, "WM_SETTINGCHANGE message" (read 2026-11-21): after a change of the environment it is sent to all
windows with the text ``Environment``. That `regedit` reads ``.reg`` files as UTF-16 with a mark at the begin, and
REG_EXPAND_SZ as ``hex(2)``: "Understanding Regedit.exe .reg files", ITPro Today, JSI tip 8615 (read 2026-11-21).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from envsmith.errors import HostError
from envsmith.files.atomic import environment_errors
from envsmith.host.current import utc_text
from envsmith.host.system import SearchPath
from envsmith.host.system_probes import PATH_KEYS
from envsmith.model.naming import unique_name

_NAME = "Path"
_ROOTS = {"HKCU": "HKEY_CURRENT_USER", "HKLM": "HKEY_LOCAL_MACHINE"}
_ALL_WINDOWS, _SETTING_CHANGE, _UNLESS_HUNG, _PATIENCE_MS = 0xFFFF, 0x001A, 0x0002, 2000


class RegistryPaths:
    """PATH of the user and of the machine.

    Args:
        winreg: Python's module of that name, or what does the same.
        folder: where what was there before is kept.
        announce: tells the running programs.
    """

    def __init__(self, winreg: Any, folder: Path, announce: Callable[[], None]) -> None:  # noqa: ANN401 - a module
        self._winreg = winreg
        self._folder = folder
        self._announce = announce

    def read(self) -> tuple[SearchPath, ...]:
        """Return it in both scopes; without one that has none, or one of another type."""
        texts = (self._winreg.REG_SZ, self._winreg.REG_EXPAND_SZ)
        found = []
        for scope in PATH_KEYS:
            try:
                with self._opened(scope, self._winreg.KEY_QUERY_VALUE) as key:
                    text, kind = self._winreg.QueryValueEx(key, _NAME)
            except OSError:
                continue
            if kind in texts and text:
                found.append(SearchPath(scope=scope, text=str(text), kind=kind))
        return tuple(found)

    def may_write(self, scope: str) -> bool:
        """Say whether this user may change a scope."""
        try:
            with self._opened(scope, self._winreg.KEY_SET_VALUE):
                return True
        except OSError:
            return False

    def keep(self, path: SearchPath) -> Path:
        """Write one to a file that ``reg import`` puts back.

        Raises:
            InstallError: ENV021, ENV024 where it cannot be written.
        """
        root, key = PATH_KEYS[path.scope]
        is_plain = path.kind == self._winreg.REG_SZ
        value = _quoted(path.text) if is_plain else _in_bytes(path.text)
        lines = (
            "Windows Registry Editor Version 5.00",
            "",
            f"[{_ROOTS[root]}\\{key}]",
            f'"{_NAME}"={value}',
            "",
        )
        with environment_errors(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            name = f"{path.scope}-path-{utc_text().replace(':', '')}"
            place = self._folder / unique_name(name, lambda one: (self._folder / one).exists(), end=".reg")
            place.write_bytes(b"\xff\xfe" + "\r\n".join(lines).encode("utf-16-le"))
        return place

    def write(self, scope: str, text: str, kind: int) -> None:
        """Change one.

        Raises:
            HostError: HST019 where that is refused.
        """
        try:
            with self._opened(scope, self._winreg.KEY_SET_VALUE) as key:
                self._winreg.SetValueEx(key, _NAME, 0, kind, text)
        except OSError as error:
            raise HostError(
                "HST019",
                f"it could not be changed: {error.strerror or error}",
                where=f"the {scope}'s Path in the registry",
                hint="run the command again in a terminal that was started as administrator",
            ) from error

    def announce(self) -> None:
        """Tell the running programs, so that those started by them find the new one."""
        self._announce()

    def _opened(self, scope: str, access: int) -> Any:  # noqa: ANN401 - winreg's keys
        root, key = PATH_KEYS[scope]
        return self._winreg.OpenKey(getattr(self._winreg, _ROOTS[root]), key, 0, access)


def _quoted(text: str) -> str:
    """Write a REG_SZ as a ``.reg`` file has it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _in_bytes(text: str) -> str:
    """Write a REG_EXPAND_SZ as a ``.reg`` file has it."""
    return "hex(2):" + ",".join(f"{byte:02x}" for byte in f"{text}\0".encode("utf-16-le"))


def registry_paths(folder: Path) -> RegistryPaths | None:
    """Return this machine's; None on other systems.

    Args:
        folder: where what was there before is kept.
    """
    if sys.platform != "win32":
        return None
    import winreg

    return RegistryPaths(winreg, folder, _announce)


def _announce() -> None:
    if sys.platform == "win32":
        import ctypes

        send = ctypes.windll.user32.SendMessageTimeoutW
        send(_ALL_WINDOWS, _SETTING_CHANGE, 0, "Environment", _UNLESS_HUNG, _PATIENCE_MS, None)
