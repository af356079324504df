"""Runs commands in environments, as a check asks."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Mapping
from pathlib import Path

from envsmith.environment.adapters_interpreter import Probe
from envsmith.environment.environment import Import
from envsmith.errors import ToolError
from envsmith.files.folders import python_of
from envsmith.process.capture import run_bounded
from envsmith.process.runner import inherited

_DROPPED = ("PYTHONPATH", "PYTHONHOME")


class VerifyingProbe(Probe):
    """Asks environments, and runs commands in them."""

    __slots__ = ()

    def runs(self, prefix: Path, order: str, env: Mapping[str, str], timeout_s: float) -> Import:
        """Run a command in an environment; it counts as failed where it does not end with 0 in time.

        What it leaves running is ended with it, and has never held what keeps other installs out.

        Args:
            prefix: the environment's root.
            order: the command as a shell would read it; its program is looked for in the environment first.
            env: what it finds set besides.
            timeout_s: seconds it has.
        """
        begun = time.perf_counter()
        try:
            words = shlex.split(order, posix=os.name != "nt")
            ended = run_bounded(
                self.processes,
                [_program(prefix, words[0]), *words[1:]],
                env={**session_of(prefix), **env},
                timeout_s=timeout_s,
            )
        except (ValueError, IndexError) as error:
            return Import(name=order, error=f"no command: {error}")
        except ToolError as error:
            return Import(name=order, error=error.message)
        if ended.is_late:
            return Import(name=order, error=f"no answer within {timeout_s:.0f} s")
        if ended.status == 0:
            return Import(name=order, seconds=time.perf_counter() - begun)
        lines = (ended.stderr or ended.stdout).strip().splitlines()
        how = f"signal {-ended.status}" if ended.status < 0 else f"status {ended.status}"
        return Import(name=order, error=f"{how}: {lines[-1][:500]}" if lines else how)


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
