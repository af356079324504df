"""What checks of an environment take from the project and from the session."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from envsmith.adapters.host import pathsep, variables
from envsmith.adapters.profiles import Profiles
from envsmith.errors import EnvsmithError


def runs_of(name: str) -> tuple[str, ...]:
    """Return the commands that a profile's ``checks`` name; none where there is no such profile."""
    try:
        asked = Profiles.of_project(Path()).resolve(name).later.get("checks", {})
    except EnvsmithError:
        return ()
    runs = asked.get("runs", ()) if isinstance(asked, Mapping) else ()
    return tuple(str(item) for item in runs) if isinstance(runs, (tuple, list)) else ()


def before_packages() -> tuple[str, ...]:
    """Return the folders that come before an environment's packages: the project's own, and those of PYTHONPATH."""
    named = [entry for entry in variables().get("PYTHONPATH", "").split(pathsep()) if entry]
    return tuple(dict.fromkeys(str(Path(entry).absolute()) for entry in (".", *named)))
