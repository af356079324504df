"""Leave: from a session's variables to those outside of it, as `deactivate` puts them back.

A command is not to take over what another profile's session set, and inside it is to say of the same things why they
are taken out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from envsmith.activate.model import CHANGED, LIBRARY_PATHS

_WAS = "_ENVSMITH_WAS_"
_NOW = "_ENVSMITH_NOW_"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def leave(variables: Mapping[str, str], *, is_windows: bool = False) -> dict[str, str]:
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
