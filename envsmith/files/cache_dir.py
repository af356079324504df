"""Location of the user's cache; on the start-up path, so without imports beyond those of the interpreter itself."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def cache_root(environ: Mapping[str, str], os_name: str = os.name) -> str:
    """Return the cache folder: ENVSMITH_CACHE_DIR, or the default of the operating system.

    Source: XDG Base Directory Specification 0.8: a relative XDG_CACHE_HOME is ignored.
    """
    if chosen := environ.get("ENVSMITH_CACHE_DIR"):
        return chosen
    if os_name == "nt":
        local = environ.get("LOCALAPPDATA") or os.path.join(os.path.expanduser("~"), "AppData", "Local")  # noqa: PTH111, PTH118
        return os.path.join(local, "envsmith", "cache")  # noqa: PTH118
    xdg = environ.get("XDG_CACHE_HOME", "")
    home = environ.get("HOME") or os.path.expanduser("~")  # noqa: PTH111 - pathlib is slow to import
    return os.path.join(xdg if xdg.startswith("/") else os.path.join(home, ".cache"), "envsmith")  # noqa: PTH118
