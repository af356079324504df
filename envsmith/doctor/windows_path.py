"""PATH in Windows's registry.

Sources: Microsoft, "WM_SETTINGCHANGE message" (read 2026-11-21): after a change of the environment, send it to all
windows with the text ``Environment``. `regedit` reads ``.reg`` files as UTF-16 with a byte order mark, and
REG_EXPAND_SZ as ``hex(2)``: "Understanding Regedit.exe .reg files", ITPro Today, JSI tip 8615 (read 2026-11-21).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envsmith.errors import HostError
from envsmith.files.os_errors import environment_errors
from envsmith.host.current import utc_text
from envsmith.host.system_probes import PATH_KEYS
from envsmith.model.naming import unique_name

PATH_SEPARATOR = ";"
_NAME = "Path"
_ROOTS = {"HKCU": "HKEY_CURRENT_USER", "HKLM": "HKEY_LOCAL_MACHINE"}
# HWND_BROADCAST, WM_SETTINGCHANGE, SMTO_ABORTIFHUNG
_ALL_WINDOWS, _SETTING_CHANGE, _UNLESS_HUNG, _TIMEOUT_MS = 0xFFFF, 0x001A, 0x0002, 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPath:
    """PATH in one scope of Windows's registry."""

    scope: str
    """USER or MACHINE."""
    text: str
    """Raw value; variables such as ``%SystemRoot%`` are not expanded."""
    kind: int
    """Type of the value, REG_SZ or REG_EXPAND_SZ; written back unchanged."""

    @property
    def entries(self) -> tuple[str, ...]:
        """The raw entries; two consecutive separators give an empty one."""
        return tuple(self.text.split(PATH_SEPARATOR))


@dataclass(frozen=True, slots=True, kw_only=True)
class PathRemoval:
    """Removal of entries from PATH in one scope."""

    before: SearchPath
    removed: tuple[str, ...]
    """Raw entries."""
    may_write: bool = True
    """Whether this user may change the scope."""

    @property
    def after(self) -> str:
        """The value without the entries; everything else is kept."""
        return PATH_SEPARATOR.join(entry for entry in self.before.entries if entry not in self.removed)

    def to_json(self) -> dict[str, object]:
        """Return the removal as JSON values."""
        return {"scope": self.before.scope, "entries": list(self.removed), "may_write": self.may_write}


class RegistryPaths:
    """PATH of the user and of the machine in the registry.

    Args:
        winreg: Python's module `winreg`.
        folder: the folder for backups.
        announce: notifies running programs.
    """

    def __init__(self, winreg: Any, folder: Path, announce: Callable[[], None]) -> None:  # noqa: ANN401 - a module
        self._winreg = winreg
        self._folder = folder
        self._announce = announce

    def read(self) -> tuple[SearchPath, ...]:
        """Return PATH of each scope, without missing values and values of other types."""
        texts = (self._winreg.REG_SZ, self._winreg.REG_EXPAND_SZ)
        found = []
        for scope in PATH_KEYS:
            try:
                with self._open_key(scope, self._winreg.KEY_QUERY_VALUE) as key:
                    text, kind = self._winreg.QueryValueEx(key, _NAME)
            except OSError:
                continue
            if kind in texts and text:
                found.append(SearchPath(scope=scope, text=str(text), kind=kind))
        return tuple(found)

    def may_write(self, scope: str) -> bool:
        """Return whether this user may change a scope."""
        try:
            with self._open_key(scope, self._winreg.KEY_SET_VALUE):
                return True
        except OSError:
            return False

    def backup(self, path: SearchPath) -> Path:
        """Write PATH of a scope to a file for ``reg import``.

        Raises:
            InstallError: ENV021 when the disk is full, ENV024 when the file cannot be written.
        """
        root, key = PATH_KEYS[path.scope]
        is_plain = path.kind == self._winreg.REG_SZ
        value = _quoted(path.text) if is_plain else _hex_bytes(path.text)
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
        """Change PATH of a scope.

        Raises:
            HostError: HST019 when it cannot be written.
        """
        try:
            with self._open_key(scope, self._winreg.KEY_SET_VALUE) as key:
                self._winreg.SetValueEx(key, _NAME, 0, kind, text)
        except OSError as error:
            raise HostError(
                "HST019",
                f"cannot write: {error.strerror or error}",
                where=f"the {scope}'s Path in the registry",
                hint="run the command again in a terminal started as administrator",
            ) from error

    def announce(self) -> None:
        """Notify running programs, so that programs started by them get the new PATH."""
        self._announce()

    def _open_key(self, scope: str, access: int) -> Any:  # noqa: ANN401 - winreg's keys
        root, key = PATH_KEYS[scope]
        return self._winreg.OpenKey(getattr(self._winreg, _ROOTS[root]), key, 0, access)


def _quoted(text: str) -> str:
    """Return a REG_SZ value for a ``.reg`` file."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _hex_bytes(text: str) -> str:
    """Return a REG_EXPAND_SZ value for a ``.reg`` file."""
    return "hex(2):" + ",".join(f"{byte:02x}" for byte in f"{text}\0".encode("utf-16-le"))


def registry_paths(folder: Path) -> RegistryPaths | None:
    """Return this machine's registry PATH; None except on Windows.

    Args:
        folder: the folder for backups.
    """
    if sys.platform != "win32":
        return None
    import winreg

    return RegistryPaths(winreg, folder, _announce)


def _announce() -> None:
    if sys.platform == "win32":
        import ctypes

        send = ctypes.windll.user32.SendMessageTimeoutW
        send(_ALL_WINDOWS, _SETTING_CHANGE, 0, "Environment", _UNLESS_HUNG, _TIMEOUT_MS, None)
