"""Looks at an environment as a session in it would, and tells which shell a person is in.

Leave: from a session's variables to those outside of it, as `deactivate` puts them back.

A command is not to take over what another profile's session set, and inside it is to say of the same things why they
are taken out.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from envsmith.activate.model import CHANGED, CONSTRAINTS, LIBRARY_PATHS, EnvironmentPaths
from envsmith.errors import EnvsmithError

RECORD = "envsmith.json"
_WAS = "_ENVSMITH_WAS_"
_NOW = "_ENVSMITH_NOW_"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def has_file(path: str) -> bool:
    """Say whether there is something at a path."""
    return os.path.exists(path)  # noqa: PTH110 - called for every entry of PATH, each a text


def environment_paths(prefix: Path) -> EnvironmentPaths:
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
    return EnvironmentPaths(
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


def outer_session(variables: Mapping[str, str], *, is_windows: bool = False) -> dict[str, str]:
    """Return the variables as they are outside of the session that an activation script began; the same without one.

    Args:
        variables: of the session, with the notes of what its script changed.
        is_windows: whether a semicolon parts lists.
    """
    found = {name: value for name, value in variables.items() if not name.startswith("_ENVSMITH_")}
    for name in variables.get(CHANGED, "").split():
        if not _NAME.fullmatch(name):
            continue
        was, now, present = (variables.get(prefix + name) for prefix in (_WAS, _NOW, ""))
        if present == now:
            back = was
        elif name in ("PATH", *LIBRARY_PATHS):
            # The user changed it meanwhile: entries of the list go back to their places.
            separator = ";" if is_windows else ":"
            lists = [text.split(separator) if text else [] for text in (was, now, present)]
            back = separator.join(_merged(*lists, has_programs=name == "PATH")) or None
        else:
            continue
        found.pop(name, None)
        if back is not None:
            found[name] = back
    return found


def _merged(
    was: Sequence[str], now: Sequence[str], present: Sequence[str], *, has_programs: bool
) -> list[str]:
    """Put entries that were taken back among those that are there now, without the environment's programs."""
    ours = now[0] if has_programs and now else None
    kept, rest, out = now[1:] if has_programs else now, list(was), list[str]()
    for entry in present:
        if ours is not None and entry == ours:
            ours = None
            continue
        if entry in kept and entry in rest:
            place = rest.index(entry)
            out += [one for one in rest[:place] if one not in kept or one in out]
            del rest[: place + 1]
        out.append(entry)
    return out + [one for one in rest if one not in kept or one in out]
