"""Runs ``runtime/probe.py`` in an interpreter, and reads what it says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from envsmith.adapters.folders import python_of
from envsmith.adapters.process import Finished, Processes, inherited
from envsmith.errors import InstallError, ToolError
from envsmith.model.condition import Condition
from envsmith.model.environment import Environment, Import
from envsmith.model.interpreter import Interpreter

T = TypeVar("T")
_PROBE = Path(__file__).parents[1] / "runtime" / "probe.py"
_CONDITION = _PROBE.with_name("condition.py")
_KEPT = ("PATH", "HOME", "USERPROFILE", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP", "LANG", "LC_ALL")
_PROBE_S = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Asks interpreters about themselves, each in isolation: no PYTHONPATH, no user's packages, nothing compiled."""

    processes: Processes

    def interpreter(self, executable: Path) -> Interpreter:
        """Ask a Python what it is.

        Raises:
            InstallError: ENV023 when it gives no answer.
        """
        values = self._answer(executable, ("interpreter",), {}, 60.0)
        return read_answer(Interpreter.from_json, values, executable)

    def environment(self, prefix: Path, *, deep: bool) -> Environment:
        """Ask the Python of an environment what is installed, and what is not as its RECORD says.

        Args:
            prefix: the environment's root.
            deep: compare hashes, too.

        Raises:
            InstallError: ENV023 when it gives no answer.
        """
        words = ("environment", "--hash") if deep else ("environment",)
        executable = python_of(prefix)
        values = self._answer(executable, words, {}, _PROBE_S)
        return read_answer(Environment.from_json, values, executable)

    def condition(self, prefix: Path, before: tuple[str, ...] = ()) -> Condition:
        """Ask the Python of an environment what its files tell together.

        Args:
            prefix: the environment's root.
            before: folders that come before its own packages when its programs run.

        Raises:
            InstallError: ENV023 when it gives no answer.
        """
        executable = python_of(prefix)
        values = self._answer(executable, before, {}, _PROBE_S, script=_CONDITION)
        return read_answer(Condition.from_json, values, executable)

    def imports(self, prefix: Path, name: str, env: Mapping[str, str], timeout_s: float) -> Import:
        """Import a module in a process of its own.

        Args:
            prefix: the environment's root.
            name: of the module.
            env: variables set besides the usual ones.
            timeout_s: seconds until it counts as failed.
        """
        try:
            values = self._answer(python_of(prefix), ("import", name), env, timeout_s)
        except InstallError as error:
            lines = dict(error.details).get("it says", "").splitlines()
            return Import(name=name, error=lines[-1] if lines else error.message)
        except ToolError as error:
            if error.code != "TOL002":
                raise
            return Import(name=name, error=error.message)
        try:
            return Import(**values)
        except TypeError:  # what the module itself printed last stands in the answer's place
            return Import(name=name, error=f"no answer that can be read: {json.dumps(values)[:500]}")

    def _answer(
        self,
        executable: Path,
        words: tuple[str, ...],
        env: Mapping[str, str],
        timeout_s: float,
        *,
        script: Path = _PROBE,
    ) -> dict[str, Any]:
        command: list[str | Path] = [executable, "-I", "-B", "-X", "utf8", script, *words]
        finished = self.processes.run(command, env={**inherited(_KEPT), **env}, timeout_s=timeout_s)
        last = finished.stdout.rpartition("\n{")[2]
        try:
            return dict(json.loads("{" + last))
        except (ValueError, TypeError) as error:
            raise _silent(executable, finished) from error


def _silent(executable: Path, finished: Finished) -> InstallError:
    ended = f"signal {-finished.status}" if finished.status < 0 else f"status {finished.status}"
    return InstallError(
        "ENV023",
        f"the interpreter gives no answer: it ended with {ended}",
        where=str(executable),
        details=(("it says", (finished.stderr or finished.stdout).strip()[-2000:] or f"nothing ({ended})"),),
        hint="try it by hand; if it works there, report it",
    )


def read_answer(reader: Callable[[Mapping[str, Any]], T], values: Mapping[str, Any], executable: Path) -> T:
    """Read what an interpreter has answered.

    Raises:
        InstallError: ENV023 when it is not of the kind expected.
    """
    try:
        return reader(values)
    except (KeyError, TypeError, AttributeError) as error:
        finished = Finished(status=0, stdout=f"{error!r} in {json.dumps(values)[:500]}", stderr="")
        raise _silent(executable, finished) from error
