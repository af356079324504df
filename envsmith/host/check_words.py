"""What checks of an environment take from the project and from the session."""

from __future__ import annotations

from pathlib import Path

from envsmith.host.current import pathsep, variables


def before_packages() -> tuple[str, ...]:
    """Return the folders that come before an environment's packages: the project's own, and those of PYTHONPATH.

    Where PYTHONSAFEPATH is set, Python (3.11 and later) puts none before by itself.
    """
    named = [entry for entry in variables().get("PYTHONPATH", "").split(pathsep()) if entry]
    here = () if variables().get("PYTHONSAFEPATH") else (".",)
    return tuple(dict.fromkeys(str(Path(entry).absolute()) for entry in (*here, *named)))
