"""Runs commands in environments, as a check asks."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Mapping
from pathlib import Path

from envsmith.adapters.folders import python_of
from envsmith.adapters.interpreter import Probe
from envsmith.adapters.process import inherited
from envsmith.errors import ToolError
from envsmith.model.environment import Import

_DROPPED = ("PYTHONPATH", "PYTHONHOME")


class VerifyingProbe(Probe):
    """Asks environments, and runs commands in them."""

    __slots__ = ()

    def runs(self, prefix: Path, order: str, env: Mapping[str, str], timeout_s: float) -> Import:
        """Run a command in an environment; it counts as failed where it does not end with 0 in time.

        Args:
            prefix: the environment's root.
            order: the command as a shell would read it; its program is looked for in the environment first.
            env: what it finds set besides.
            timeout_s: seconds it has.
        """
        begun = time.perf_counter()
        try:
            words = shlex.split(order, posix=os.name != "nt")
            finished = self.processes.run(
                [_program(prefix, words[0]), *words[1:]],
                env={**session_of(prefix), **env},
                timeout_s=timeout_s,
            )
        except (ValueError, IndexError) as error:
            return Import(name=order, error=f"no command: {error}")
        except ToolError as error:
            return Import(name=order, error=error.message)
        if finished.status == 0:
            return Import(name=order, seconds=time.perf_counter() - begun)
        lines = (finished.stderr or finished.stdout).strip().splitlines()
        ended = f"signal {-finished.status}" if finished.status < 0 else f"status {finished.status}"
        return Import(name=order, error=f"{ended}: {lines[-1][:500]}" if lines else ended)


def _program(prefix: Path, name: str) -> Path | str:
    folder = python_of(prefix).parent
    found = (folder / name, folder / f"{name}.exe")
    return next((path for path in found if path.is_file()), name)


def session_of(prefix: Path) -> dict[str, str]:
    """Return this session's variables as they are in an environment: its programs first, and nothing of Python's."""
    known = inherited((), ("",))
    kept = {name: value for name, value in known.items() if name not in _DROPPED}
    path = os.pathsep.join([str(python_of(prefix).parent), known.get("PATH", "")])
    return {**kept, "PATH": path, "VIRTUAL_ENV": str(prefix)}
