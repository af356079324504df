"""Runs commands in environments, as a check asks.

Runs ``runtime/probe.py`` in an interpreter, and reads what it says.


Loads models in environments, and hashes their files.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from envsmith.config.model_files import ModelCheckResult
from envsmith.environment.installed_state import InstalledState
from envsmith.environment.model import Environment, Import, Interpreter
from envsmith.errors import InstallError, ToolError
from envsmith.files.atomic import translate_os_errors
from envsmith.process.capture import run_with_timeout
from envsmith.process.runner import CompletedProgram, Processes, inherited_environ

T = TypeVar("T")
_PROBE = Path(__file__).parents[1] / "runtime" / "probe.py"
_CONDITION = _PROBE.with_name("condition.py")
_KEPT = ("PATH", "HOME", "USERPROFILE", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP", "LANG", "LC_ALL")
_PROBE_S = 900.0
_DROPPED = ("PYTHONPATH", "PYTHONHOME")
CHECK = Path(__file__).parents[1] / "runtime" / "model_check.py"


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
        executable = interpreter_path(prefix)
        values = self._answer(executable, words, {}, _PROBE_S)
        return read_answer(Environment.from_json, values, executable)

    def condition(self, prefix: Path, before: tuple[str, ...] = ()) -> InstalledState:
        """Ask the Python of an environment what its files tell together.

        Args:
            prefix: the environment's root.
            before: folders that come before its own packages when its programs run.

        Raises:
            InstallError: ENV023 when it gives no answer.
        """
        executable = interpreter_path(prefix)
        values = self._answer(executable, before, {}, _PROBE_S, script=_CONDITION)
        return read_answer(InstalledState.from_json, values, executable)

    def imports(self, prefix: Path, name: str, env: Mapping[str, str], timeout_s: float) -> Import:
        """Import a module in a process of its own.

        Args:
            prefix: the environment's root.
            name: of the module.
            env: variables set besides the usual ones.
            timeout_s: seconds until it counts as failed.
        """
        executable = interpreter_path(prefix)
        ended = run_with_timeout(
            self.processes,
            _command(executable, _PROBE, ("import", name)),
            env={**inherited_environ(_KEPT), **env},
            timeout_s=timeout_s,
        )
        if ended.timed_out:
            return Import(name=name, error=f"timeout after {timeout_s:.0f} s")
        values = _answer_in(ended.stdout)
        if values is None:
            return Import(name=name, error=_death(ended.status, ended.stderr))
        return read_answer(lambda found: Import(**found), values, executable)

    def _answer(
        self,
        executable: Path,
        words: tuple[str, ...],
        env: Mapping[str, str],
        timeout_s: float,
        *,
        script: Path = _PROBE,
    ) -> dict[str, Any]:
        command = _command(executable, script, words)
        finished = self.processes.run(command, env={**inherited_environ(_KEPT), **env}, timeout_s=timeout_s)
        values = _answer_in(finished.stdout)
        if values is None:
            raise _silent(executable, finished)
        return values


def _command(executable: Path, script: Path, words: Sequence[str]) -> list[str | Path]:
    return [executable, "-I", "-B", "-X", "utf8", script, *words]


def _answer_in(stdout: str) -> dict[str, Any] | None:
    try:
        return dict(json.loads("{" + stdout.rpartition("\n{")[2]))
    except (ValueError, TypeError):
        return None


def _ended(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"status {status}"


def _death(status: int, stderr: str) -> str:
    """Say how an interpreter ended that was to answer, and what it said last."""
    lines = stderr.strip().splitlines()
    last = f"; the last it says: {lines[-1].strip()[:500]}" if lines else ""
    return f"the interpreter ended with {_ended(status)}{last}"


def _silent(executable: Path, finished: CompletedProgram) -> InstallError:
    ended = _ended(finished.status)
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
        finished = CompletedProgram(status=0, stdout=f"{error!r} in {json.dumps(values)[:500]}", stderr="")
        raise _silent(executable, finished) from error


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
            ended = run_with_timeout(
                self.processes,
                [_program(prefix, words[0]), *words[1:]],
                env={**session_of(prefix), **env},
                timeout_s=timeout_s,
            )
        except (ValueError, IndexError) as error:
            return Import(name=order, error=f"no command: {error}")
        except ToolError as error:
            return Import(name=order, error=error.message)
        if ended.timed_out:
            return Import(name=order, error=f"timeout after {timeout_s:.0f} s")
        if ended.status == 0:
            return Import(name=order, seconds=time.perf_counter() - begun)
        lines = (ended.stderr or ended.stdout).strip().splitlines()
        how = f"signal {-ended.status}" if ended.status < 0 else f"status {ended.status}"
        return Import(name=order, error=f"{how}: {lines[-1][:500]}" if lines else how)


def _program(prefix: Path, name: str) -> Path | str:
    folder = interpreter_path(prefix).parent
    found = (folder / name, folder / f"{name}.exe")
    return next((path for path in found if path.is_file()), name)


def session_of(prefix: Path) -> dict[str, str]:
    """Return this session's variables as they are in an environment: its programs first, and nothing of Python's."""
    known = inherited_environ((), ("",))
    kept = {name: value for name, value in known.items() if name not in _DROPPED}
    path = os.pathsep.join([str(interpreter_path(prefix).parent), known.get("PATH", "")])
    return {**kept, "PATH": path, "VIRTUAL_ENV": str(prefix)}


class ModelProbe(Probe):
    """Loads models in the environments that are to serve them."""

    __slots__ = ()

    def model(self, prefix: Path, spec: Mapping[str, Any], timeout_s: float) -> ModelCheckResult:
        """Load one model in a process of its own, and run it where inputs are declared.

        Args:
            prefix: the environment's root.
            spec: what `runtime/model_check.py` is told.
            timeout_s: seconds it has.

        Raises:
            InstallError: ENV023 when that process dies.
            ToolError: TOL002 when it takes too long.
        """
        executable = interpreter_path(prefix)
        values = self._answer(executable, (json.dumps(spec),), {}, timeout_s, script=CHECK)
        return read_answer(ModelCheckResult.from_json, values, executable)


def hash_model(path: str) -> str:
    """Return the sha256 of a file of the project; empty where there is none.

    Raises:
        ToolError: TOL013 when the system refuses to read it.
    """
    file = Path(path)
    if not file.is_file():
        return ""
    codes, hint = ("TOL013", "TOL013"), "correct the permissions, then run the command again"
    with (
        translate_os_errors(path, ToolError, codes, hint=hint, action="read"),
        file.open("rb") as stream,
    ):
        return hashlib.file_digest(stream, "sha256").hexdigest()


def interpreter_path(prefix: Path) -> Path:
    """Return where the interpreter of an environment lies.

    Those of conda on Windows have it at their root; a system's own may be called ``python3`` alone.
    """
    usual, other = ("Scripts/python.exe", "python.exe") if os.name == "nt" else ("bin/python", "bin/python3")
    is_other = not os.path.lexists(prefix / usual) and (prefix / other).exists()
    return prefix / (other if is_other else usual)
