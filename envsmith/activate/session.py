"""Sessions: an environment's paths, the calling shell, and the variables outside of an activated session.

Commands plan from the outer variables: they neither inherit the settings of another profile's session, nor lose the
reasons why its entries were removed.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from envsmith.activate.model import CHANGED, CONSTRAINTS, LIBRARY_PATHS, EnvironmentPaths
from envsmith.errors import EnvsmithError
from envsmith.files.own_folder import read_own

RECORD = "envsmith.json"
# Prefixes of the variables in which activation scripts store old and new values.
_WAS = "_ENVSMITH_WAS_"
_NOW = "_ENVSMITH_NOW_"
# Names of variables; `_ENVSMITH_CHANGED` comes from the environment and may contain anything.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def has_file(path: str) -> bool:
    """Return whether a path exists."""
    return os.path.exists(path)  # noqa: PTH110 - called for every entry of PATH, each a text


def environment_paths(prefix: Path) -> EnvironmentPaths:
    """Return the paths of an environment.

    Raises:
        EnvsmithError: ENV050 if there is none, ENV051 if its folder cannot be an entry of PATH.
    """
    is_windows = os.name == "nt"
    folder = prefix.absolute() / ("Scripts" if is_windows else "bin")
    if not folder.is_dir():
        raise EnvsmithError(
            "ENV050",
            "environment not found",
            where=str(prefix.absolute()),
            hint="run `envsmith install PROFILE`, or set ENVSMITH_PREFIX to an environment elsewhere",
        )
    if os.pathsep in str(folder):
        raise EnvsmithError(
            "ENV051",
            f"this folder cannot be an entry of PATH: its name contains `{os.pathsep}`",
            where=str(folder),
            hint="move the project to a folder without this character",
        )
    found = prefix.absolute() / CONSTRAINTS
    # pip and uv split the variable at white space, and take URLs.
    is_split = any(character.isspace() for character in str(found))
    constraints = found.as_uri() if is_split else str(found)
    return EnvironmentPaths(
        prefix=str(prefix.absolute()),
        bin=str(folder),
        constraints=constraints if found.is_file() else "",
        is_windows=is_windows,
    )


def installed_profile(prefix: Path) -> str:
    """Return the profile that an environment was built for; empty if it is not recorded."""
    try:
        found = json.loads(read_own(prefix / RECORD))
    except (OSError, ValueError):
        return ""
    return str(found.get("profile", "")) if isinstance(found, dict) else ""


def calling_shell() -> str:
    """Return the name of the shell that started this program.

    Raises:
        EnvsmithError: ENV052 if it cannot be detected.
    """
    import shellingham

    try:
        name, _ = shellingham.detect_shell()
    except (shellingham.ShellDetectionFailure, OSError) as error:
        raise EnvsmithError(
            "ENV052",
            "the calling shell could not be detected",
            where="envsmith activate",
            hint="give it, such as --shell fish",
        ) from error
    return str(name)


def outer_session(variables: Mapping[str, str], *, is_windows: bool = False) -> dict[str, str]:
    """Return the variables as `deactivate` restores them; unchanged without an activated session.

    Args:
        variables: of the session, with the variables that record its changes.
        is_windows: whether lists are separated by semicolons.
    """
    found = {name: value for name, value in variables.items() if not name.startswith("_ENVSMITH_")}
    for name in variables.get(CHANGED, "").split():
        if not _NAME.fullmatch(name):
            continue
        was, now, present = (variables.get(prefix + name) for prefix in (_WAS, _NOW, ""))
        if present == now:
            back = was
        elif name in ("PATH", *LIBRARY_PATHS):
            # Changed since the activation: restore the removed entries at their places.
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
    """Merge the removed entries into the present ones, without the environment's own programs."""
    programs = now[0] if has_programs and now else None
    kept, rest, merged = now[1:] if has_programs else now, list(was), list[str]()
    for entry in present:
        if programs is not None and entry == programs:
            programs = None
            continue
        if entry in kept and entry in rest:
            place = rest.index(entry)
            merged += [one for one in rest[:place] if one not in kept or one in merged]
            del rest[: place + 1]
        merged.append(entry)
    return merged + [one for one in rest if one not in kept or one in merged]
