"""Looks at an environment as a session in it would, and tells which shell a person is in."""

from __future__ import annotations

import json
import os
from pathlib import Path

from envsmith.activate.model import CONSTRAINTS, Place
from envsmith.errors import EnvsmithError

RECORD = "envsmith.json"


def has_file(path: str) -> bool:
    """Say whether there is something at a path."""
    return os.path.exists(path)  # noqa: PTH110 - called for every entry of PATH, each a text


def place_of(prefix: Path) -> Place:
    """Return where an environment lies.

    Raises:
        EnvsmithError: ENV050 when there is none, ENV051 when its folder cannot be an entry of PATH.
    """
    is_windows = os.name == "nt"
    folder = prefix.absolute() / ("Scripts" if is_windows else "bin")
    if not folder.is_dir():
        raise EnvsmithError(
            "ENV050",
            "there is no environment here",
            where=str(prefix.absolute()),
            hint="`envsmith install PROFILE` makes it; ENVSMITH_PREFIX names one that lies elsewhere",
        )
    if os.pathsep in str(folder):
        raise EnvsmithError(
            "ENV051",
            f"this folder cannot be an entry of PATH: it has {os.pathsep!r} in its name",
            where=str(folder),
            hint="move the project to a folder without it",
        )
    found = prefix.absolute() / CONSTRAINTS
    # pip and uv part the value at white space: such a place cannot be named to them.
    is_sayable = found.is_file() and not any(one.isspace() for one in str(found))
    return Place(
        prefix=str(prefix.absolute()),
        bin=str(folder),
        constraints=str(found) if is_sayable else "",
        is_windows=is_windows,
    )


def installed_profile(prefix: Path) -> str:
    """Return the name of the profile an environment was built for; empty where it does not say."""
    try:
        found = json.loads((prefix / RECORD).read_text("utf-8"))
    except (OSError, ValueError):
        return ""
    return str(found.get("profile", "")) if isinstance(found, dict) else ""


def calling_shell() -> str:
    """Return the name of the shell that started this program.

    Raises:
        EnvsmithError: ENV052 when it cannot be found out.
    """
    import shellingham

    try:
        name, _ = shellingham.detect_shell()
    except (shellingham.ShellDetectionFailure, OSError) as error:
        raise EnvsmithError(
            "ENV052",
            "which shell this is cannot be told",
            where="envsmith activate",
            hint="name it: --shell fish",
        ) from error
    return str(name)
