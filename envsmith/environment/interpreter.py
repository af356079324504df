"""Inspection of interpreters and environments.

Files are listed and hashed by this process. Only facts about the interpreter and probes come from scripts that run in
the environment, each in a process of its own, without start-up code that belongs to no distribution.
"""

from __future__ import annotations

import json
import os
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from envsmith.config.model_files import ModelCheckResult
from envsmith.config.profile import IMPORT_TIMEOUT_S
from envsmith.environment import installed_files, kept_digests
from envsmith.environment.distributions import Wheels, list_distributions, torch_build
from envsmith.environment.installed_state import InstalledState
from envsmith.environment.model import Environment, EnvironmentLayout, Import, Interpreter
from envsmith.environment.prefix import (
    SYSTEM_PACKAGES,
    includes_system_packages,
    interpreter_path,
    startup_files,
)
from envsmith.errors import InstallError, ToolError
from envsmith.process.capture import CapturedProgram, run_with_timeout
from envsmith.process.exit_status import describe
from envsmith.process.runner import CompletedProgram, Processes, inherited_environ

T = TypeVar("T")
_PROBE = Path(__file__).parents[1] / "runtime" / "inspect_environment.py"
_START = _PROBE.with_name("start_probe.py")
_INHERITED = ("PATH", "HOME", "TMPDIR", "TEMP", "TMP", "LANG", "LC_ALL")
_PYTHON_VARIABLES = ("PYTHONPATH", "PYTHONHOME")
_FLAGS = ("-B", "-X", "utf8")
_NO_WHEELS: Wheels = MappingProxyType({})
_MAX_NAMED = 5
MODEL_CHECK = Path(__file__).parents[1] / "runtime" / "model_check.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Inspects interpreters in isolated mode: without PYTHONPATH and user packages, without writing bytecode."""

    processes: Processes
    timeout_s: float = IMPORT_TIMEOUT_S
    """Of a process, unless the caller sets another."""

    def interpreter(self, executable: Path) -> Interpreter:
        """Inspect an interpreter.

        Raises:
            InstallError: ENV023 when it does not respond, ENV029 not in time.
        """
        values = self._answer(executable, (executable, "-I", "-S", *_FLAGS, _PROBE, "interpreter"))
        return read_answer(Interpreter.from_json, values, executable)

    def layout(self, prefix: Path) -> EnvironmentLayout:
        """Return the folders of an environment, and the changes since its digests were kept.

        Raises:
            InstallError: ENV023 or ENV029 when its interpreter does not respond.
        """
        kept = kept_digests.changes(prefix)  # first: a changed interpreter is not trusted with them
        executable = interpreter_path(prefix)
        values = self._answer(executable, (executable, "-I", "-S", *_FLAGS, _PROBE, "layout", prefix))
        found = read_answer(EnvironmentLayout.from_json, values, executable)
        changes = kept or ()
        if includes_system_packages(prefix):
            changes = (*changes, SYSTEM_PACKAGES)
        return replace(
            found, changes=changes, is_kept=kept is not None or not kept_digests.is_generation(prefix)
        )

    def environment(
        self,
        prefix: Path,
        *,
        deep: bool,
        wheels: Wheels = _NO_WHEELS,
        layout: EnvironmentLayout | None = None,
    ) -> Environment:
        """List the distributions of an environment, compared with their RECORDs, wheels and kept digests.

        Args:
            prefix: the environment's root.
            deep: compare hashes, not only sizes.
            wheels: lists of files in the locked wheels.
            layout: its layout if it is known, which saves a start of its interpreter.

        Raises:
            InstallError: ENV023 or ENV029 when its interpreter does not respond.
        """
        layout = layout or self.layout(prefix)
        return Environment(
            prefix=layout.prefix,
            site=os.path.relpath(layout.purelib, layout.prefix),
            interpreter=layout.interpreter,
            distributions=list_distributions(layout, with_hashes=deep, wheels=wheels),
            torch=torch_build(layout),
            changes=layout.changes,
            is_kept=layout.is_kept,
        )

    def condition(self, layout: EnvironmentLayout, before: tuple[str, ...] = ()) -> InstalledState:
        """Inspect the files of all distributions of an environment together.

        Args:
            layout: of the environment.
            before: folders before ``site-packages`` on the import path of its programs.
        """
        return InstalledState.from_json(installed_files.inspect(layout, before))

    def imports(self, prefix: Path, name: str, env: Mapping[str, str], timeout_s: float) -> Import:
        """Import a module in a process of its own.

        Args:
            prefix: the environment's root.
            name: of the module.
            env: additional environment variables.
            timeout_s: seconds until it fails.
        """
        executable = interpreter_path(prefix)
        ended = run_with_timeout(
            self.processes,
            probe_command(prefix, _PROBE, ("import", name)),
            env={**inherited_environ(_INHERITED), **env},
            timeout_s=timeout_s,
        )
        if ended.timed_out:
            return Import(name=name, error=timeout_text(prefix, timeout_s))
        values = _answer_in(ended.stdout)
        if values is None:
            return Import(name=name, error=_crash(ended.status, ended.stderr))
        return read_answer(lambda found: Import(**found), values, executable)

    def _answer(
        self,
        executable: Path,
        command: Sequence[str | Path],
        env: Mapping[str, str] = MappingProxyType({}),
        timeout_s: float | None = None,
    ) -> dict[str, Any]:
        timeout_s = timeout_s or self.timeout_s
        ended = run_with_timeout(
            self.processes, command, env={**inherited_environ(_INHERITED), **env}, timeout_s=timeout_s
        )
        if ended.timed_out:
            raise InstallError(
                "ENV029",
                f"no answer: {timeout_text(executable.parents[1], timeout_s)}",
                where=str(executable),
                hint="delete the start-up files that belong to no package, then run the command again",
            )
        values = _answer_in(ended.stdout)
        if values is None:
            raise _no_response(executable, ended)
        return values


def probe_command(
    prefix: Path, script: Path, arguments: Sequence[str], *flags: str
) -> tuple[str | Path, ...]:
    """Return the command that runs a script in an environment, without unrecorded start-up code.

    Args:
        prefix: the environment's root.
        script: of ``envsmith/runtime``.
        arguments: of the script.
        flags: additional ones of Python.
    """
    return (interpreter_path(prefix), "-I", "-S", *_FLAGS, *flags, _START, script, *arguments)


def timeout_text(prefix: Path, timeout_s: float) -> str:
    """Return the message for a timeout in an environment, with the code that runs at every start of its Python."""
    found = [path.name for path in startup_files(prefix)]
    names = ", ".join(found[:_MAX_NAMED]) + (
        f" and {len(found) - _MAX_NAMED} more" if len(found) > _MAX_NAMED else ""
    )
    return f"timeout after {timeout_s:.0f} s" + (f"; every start of its Python runs {names}" if found else "")


def _answer_in(stdout: str) -> dict[str, Any] | None:
    try:
        return dict(json.loads("{" + stdout.rpartition("\n{")[2]))
    except (ValueError, TypeError):
        return None


def _crash(status: int, stderr: str) -> str:
    """Describe the end of an interpreter, with the last line of its output."""
    lines = stderr.strip().splitlines()
    last = f"; its last line: {lines[-1].strip()[:500]}" if lines else ""
    return f"the interpreter ended with {describe(status)}{last}"


def _no_response(executable: Path, finished: CompletedProgram | CapturedProgram) -> InstallError:
    ended = describe(finished.status)
    return InstallError(
        "ENV023",
        f"the interpreter does not respond: it ended with {ended}",
        where=str(executable),
        details=(("output", (finished.stderr or finished.stdout).strip()[-2000:] or f"none ({ended})"),),
        hint="run it by hand; if that works, report a bug",
    )


def read_answer(reader: Callable[[Mapping[str, Any]], T], values: Mapping[str, Any], executable: Path) -> T:
    """Parse the answer of an interpreter.

    Raises:
        InstallError: ENV023 when it is malformed.
    """
    try:
        return reader(values)
    except (KeyError, TypeError, AttributeError) as error:
        finished = CompletedProgram(status=0, stdout=f"{error!r} in {json.dumps(values)[:500]}", stderr="")
        raise _no_response(executable, finished) from error


class VerifyingProbe(Probe):
    """A `Probe` that also runs commands in environments."""

    __slots__ = ()

    def runs(self, prefix: Path, command: str, env: Mapping[str, str], timeout_s: float) -> Import:
        """Run a command in an environment; it fails with a status other than 0, or after the timeout.

        Its child processes are killed with it, and do not inherit the lock of the generations.

        Args:
            prefix: the environment's root.
            command: in shell syntax, run without a shell; its program is looked up in the environment first.
            env: additional environment variables.
            timeout_s: seconds until it fails.
        """
        begun = time.perf_counter()
        try:
            arguments = command_words(command)
            ended = run_with_timeout(
                self.processes,
                [_program(prefix, arguments[0]), *arguments[1:]],
                env={**activated_variables(prefix), **env},
                timeout_s=timeout_s,
            )
        except (ValueError, IndexError) as error:
            return Import(name=command, error=f"malformed command: {error}")
        except ToolError as error:
            return Import(name=command, error=error.message)
        if ended.timed_out:
            return Import(name=command, error=timeout_text(prefix, timeout_s))
        if ended.status == 0:
            return Import(name=command, seconds=time.perf_counter() - begun)
        lines = (ended.stderr or ended.stdout).strip().splitlines()
        how = describe(ended.status)
        return Import(name=command, error=f"{how}: {lines[-1][:500]}" if lines else how)


def command_words(command: str) -> list[str]:
    """Return the words of a command in the syntax of a POSIX shell, on every system.

    Raises:
        ValueError: when a quotation mark is not closed.
    """
    return shlex.split(command)


def _program(prefix: Path, name: str) -> Path | str:
    folder = interpreter_path(prefix).parent
    found = (folder / name, folder / f"{name}.exe")
    return next((path for path in found if path.is_file()), name)


def activated_variables(prefix: Path) -> dict[str, str]:
    """Return the variables of this process as in the activated environment, without those of Python."""
    known = inherited_environ((), ("",))
    kept = {name: value for name, value in known.items() if name not in _PYTHON_VARIABLES}
    path = os.pathsep.join([str(interpreter_path(prefix).parent), known.get("PATH", "")])
    return {**kept, "PATH": path, "VIRTUAL_ENV": str(prefix)}


class ModelProbe(Probe):
    """A `Probe` that also loads model files in environments."""

    __slots__ = ()

    def model(self, prefix: Path, spec: Mapping[str, Any], timeout_s: float) -> ModelCheckResult:
        """Load one model, and run it if inputs are declared.

        Args:
            prefix: the environment's root.
            spec: the input of `runtime/model_check.py`.
            timeout_s: seconds until it fails.

        Raises:
            InstallError: ENV023 when the process crashes, ENV029 after the timeout.
        """
        executable = interpreter_path(prefix)
        command = probe_command(prefix, MODEL_CHECK, (json.dumps(spec),))
        values = self._answer(executable, command, timeout_s=timeout_s)
        return read_answer(ModelCheckResult.from_json, values, executable)


class EnvironmentProbe(Protocol):
    """Inspects interpreters and their environments."""

    def interpreter(self, executable: Path) -> Interpreter:
        """Inspect an interpreter.

        Raises:
            InstallError: when it does not respond.
        """
        ...

    def environment(self, prefix: Path, *, deep: bool, wheels: Wheels = ...) -> Environment:
        """Compare the files of an environment with their RECORDs, wheels and kept digests; deep: by hash.

        Raises:
            InstallError: when its interpreter does not respond.
        """
        ...

    def imports(self, prefix: Path, name: str, env: Mapping[str, str], timeout_s: float) -> Import:
        """Import a module in a process of its own."""
        ...

    def runs(self, prefix: Path, command: str, env: Mapping[str, str], timeout_s: float) -> Import:
        """Run a command in an environment, without a shell."""
        ...
