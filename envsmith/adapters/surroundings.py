"""Looks at what an environment depends on: the disk of uv's cache, the way to an index, PATH in every scope."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from envsmith.adapters.network_words import network_words
from envsmith.model.surroundings import Reach, Room

PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
_USER = r"Environment"
_MACHINE = r"SYSTEM\CurrentControlSet\Control\Session Manager\Environment"
_PATIENCE_S = 6.0


def uv_cache(variables: Mapping[str, str]) -> Path:
    """Return where uv keeps its cache.

    Source: uv 0.13, reference "Storage" (read 2026-11-21).
    """
    if named := variables.get("UV_CACHE_DIR"):
        return Path(named)
    if sys.platform == "win32":
        return Path(variables.get("LOCALAPPDATA", str(Path.home()))) / "uv" / "cache"
    return Path(variables.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "uv"


def room(folder: Path) -> Room:
    """Return the free bytes where a folder lies; where it is not there yet, of the next that is."""
    place = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    return Room(folder=str(folder), free_bytes=shutil.disk_usage(place).free)


def reach(url: str, variables: Mapping[str, str]) -> Reach:
    """Ask a server for the headers of an address, and compare its clock with this one."""
    import requests

    proxies = tuple((name, _without_login(variables[name])) for name in PROXIES if variables.get(name))
    try:
        answer = requests.head(url, timeout=_PATIENCE_S, allow_redirects=False)
    except (requests.RequestException, OSError, ValueError) as error:
        words = network_words(error) if isinstance(error, requests.RequestException) else str(error)
        return Reach(url=url, proxies=proxies, error=words)
    return Reach(url=url, proxies=proxies, ahead_s=_ahead(answer.headers.get("Date", "")))


def _ahead(text: str) -> float | None:
    try:
        told = parsedate_to_datetime(text)
        return (datetime.now(UTC) - told).total_seconds()
    except (ValueError, TypeError):
        return None


def _without_login(value: str) -> str:
    scheme, colon, rest = value.rpartition("://")
    return f"{scheme}{colon}{rest.rpartition('@')[2]}"


def path_scopes(variables: Mapping[str, str]) -> dict[str, str]:
    """Return PATH as this process has it, and on Windows as the registry has it for user and machine."""
    found = {"process": variables.get("PATH", "")}
    if sys.platform == "win32":
        import winreg

        for scope, root, key in (
            ("user", winreg.HKEY_CURRENT_USER, _USER),
            ("machine", winreg.HKEY_LOCAL_MACHINE, _MACHINE),
        ):
            try:
                with winreg.OpenKey(root, key) as opened:
                    found[scope] = os.path.expandvars(str(winreg.QueryValueEx(opened, "Path")[0]))
            except OSError:
                continue
    return found
