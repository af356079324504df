"""The current process: environment variables, folder, Python version and platform.

On the start-up path: imports are inside the functions.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from envsmith.host.project_folder import user_folder

if TYPE_CHECKING:
    from datetime import datetime

    from envsmith.model.target import Platform, Python


def variables() -> Mapping[str, str]:
    """Return the environment variables."""
    return os.environ


def path_separator() -> str:
    """Return the separator of PATH entries."""
    return os.pathsep


def utc_text(moment: datetime | None = None) -> str:
    """Return a time [default: now] in UTC, RFC 3339 with whole seconds and ``Z``."""
    from datetime import UTC, datetime

    return (moment or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def check_folder() -> None:
    """Check that the working directory still exists.

    Raises:
        ToolError: TOL018 when it was deleted.
    """
    try:
        os.getcwd()  # noqa: PTH109 - pathlib is slow to import
    except FileNotFoundError as error:
        from envsmith.errors import ToolError

        raise ToolError(
            "TOL018",
            "the working directory does not exist any more",
            hint="change to the project's folder with `cd`",
        ) from error


def this_python() -> Python:
    """Return the running interpreter's version."""
    from envsmith.model.target import Python

    # Source: "Python support for free threading", Python's documentation, read 2026-11-30.
    is_free_threaded = "free-threading build" in sys.version
    return Python(
        major=sys.version_info.major, minor=sys.version_info.minor, is_free_threaded=is_free_threaded
    )


def this_platform() -> Platform:
    """Return the platform tag of this machine, with the floor of PyTorch's wheels."""
    import platform
    import sysconfig

    from envsmith.model.target import Platform

    if sys.platform == "win32":
        # Of this interpreter: Windows for ARM runs programs for x64 as well.
        return Platform.parse("win_arm64" if sysconfig.get_platform() == "win-arm64" else "win_amd64")
    machine = platform.machine().lower()
    if sys.platform == "darwin":
        return Platform.parse("macos" if machine == "arm64" else "macosx_14_0_x86_64")
    return Platform.parse("linux-aarch64" if machine in ("aarch64", "arm64") else "linux")


def folders_before_packages() -> tuple[str, ...]:
    """Return the folders that Python searches before site-packages: the current one, and those of PYTHONPATH.

    With PYTHONSAFEPATH (Python 3.11 and later) the current one is not searched.
    """
    named = [entry for entry in variables().get("PYTHONPATH", "").split(path_separator()) if entry]
    here = () if variables().get("PYTHONSAFEPATH") else ("",)
    return tuple(dict.fromkeys(str(Path(user_folder(), entry)) for entry in (*here, *named)))
