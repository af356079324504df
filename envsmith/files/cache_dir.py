"""Where the user's cache lies; told without importing anything that an interpreter has not imported already."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def cache_root(environ: Mapping[str, str], os_name: str = os.name) -> str:
    """Return the folder of the user's cache: ENVSMITH_CACHE_DIR, else where the system keeps caches.

    Source: XDG Base Directory Specification 0.8: a relative XDG_CACHE_HOME is to be ignored.
    """
    if chosen := environ.get("ENVSMITH_CACHE_DIR"):
        return chosen
    if os_name == "nt":
        local = environ.get("LOCALAPPDATA") or os.path.join(os.path.expanduser("~"), "AppData", "Local")  # noqa: PTH111, PTH118
        return os.path.join(local, "envsmith", "cache")  # noqa: PTH118
    xdg = environ.get("XDG_CACHE_HOME", "")
    home = environ.get("HOME") or os.path.expanduser("~")  # noqa: PTH111 - pathlib is slow to import
    return os.path.join(xdg if xdg.startswith("/") else os.path.join(home, ".cache"), "envsmith")  # noqa: PTH118
