"""Runs ``runtime/trial.py`` in an environment: a crash, a hang or endless talk of a library is its answer.

Try: let the libraries of an environment do what they are for, and judge how that went.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from envsmith.catalog import Catalog
from envsmith.environment import package_findings
from envsmith.environment.interpreter import interpreter_path, session_of
from envsmith.environment.model import Environment
from envsmith.model.backend import Backend
from envsmith.model.finding import Finding
from envsmith.process.capture import CapturedProgram, run_with_timeout
from envsmith.process.runner import Processes
from envsmith.verify import probe_rules
from envsmith.verify.probe_rules import ALL, ProbeResult

_SCRIPT = Path(__file__).parents[1] / "runtime" / "trial.py"
_KEPT_CHARACTERS = 4000
# Windows ends a process with these; source: ntstatus.h, Microsoft (read 2026-11-21).
_NTSTATUS = {
    0xC0000005: "an access violation",
    0xC000001D: "an illegal instruction",
    0xC0000135: "a missing DLL",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRunner:
    """Tries libraries, each in a process of its own."""

    processes: Processes
    env: Mapping[str, str]
    """Variables set besides the session's."""
    timeout_s: float
    """Seconds that each has."""

    def trial(self, prefix: Path, name: str, words: Sequence[str]) -> ProbeResult:
        """Try a library in an environment.

        Args:
            prefix: the environment's root.
            name: of the trial.
            words: what it is told.

        Raises:
            ToolError: TOL001 when the interpreter cannot be started.
        """
        command: list[str | Path] = [
            interpreter_path(prefix),
            "-I",
            "-B",
            "-X",
            "utf8",
            "-X",
            "faulthandler",
            _SCRIPT,
            name,
            *words,
        ]
        begun = time.perf_counter()
        env = {**session_of(prefix), **self.env}
        ended = run_with_timeout(self.processes, command, env=env, timeout_s=self.timeout_s)
        return _read(ended, name, time.perf_counter() - begun, self.timeout_s)


def _read(ended: CapturedProgram, name: str, seconds: float, timeout_s: float) -> ProbeResult:
    found = ProbeResult(name=name, seconds=seconds, said=ended.stderr[-_KEPT_CHARACTERS:].strip())
    for line in ended.stdout.splitlines():
        values = _values(line)
        if "facts" in values:
            return replace(found, **{**values, "step": found.step})
        found = replace(found, step=values.get("step", found.step))
    if ended.timed_out:
        return replace(found, error=f"no end within {timeout_s:.0f} s")
    return replace(found, error=f"the interpreter died of {_cause(ended.status)}")


def _values(line: str) -> dict[str, Any]:
    """Return what a line says; nothing where it was cut off."""
    try:
        return dict(json.loads(line))
    except (ValueError, TypeError):
        return {}


def _cause(status: int) -> str:
    if status >= 0:
        return _NTSTATUS.get(status, f"itself, with status {status}")
    try:
        return f"signal {-status} ({signal.Signals(-status).name})"
    except ValueError:
        return f"signal {-status}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeTools:
    """What trials need of the world."""

    tries: ProbeRunner
    catalog: Catalog
    has_gpu: Callable[[Backend], bool]
    """Says whether this machine has a GPU that a backend serves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeOutcome:
    """How the trials went."""

    trials: tuple[ProbeResult, ...]
    findings: tuple[Finding, ...]


def try_libraries(
    words: Sequence[str], prefix: Path, environment: Environment, backend: Backend, tools: ProbeTools
) -> ProbeOutcome:
    """Try libraries, one after the other.

    Args:
        words: names of trials; ``all`` for those of what is installed.
        prefix: the environment's root.
        environment: what is installed there.
        backend: what its lock is for.
        tools: what tries.
    """
    made: list[ProbeResult] = []
    findings: list[Finding] = []
    for name in probe_rules.chosen(words, environment, backend, tools.catalog):
        if not probe_rules.is_there(name, environment, tools.catalog):
            findings.append(probe_rules.absent(name))
            continue
        made.append(tools.tries.trial(prefix, name, probe_rules.told(name, backend)))
        findings += _judged(made[-1], words, backend, tools)
    return ProbeOutcome(trials=tuple(made), findings=tuple(dict.fromkeys(findings)))


def _judged(
    trial: ProbeResult, words: Sequence[str], backend: Backend, tools: ProbeTools
) -> Iterator[Finding]:
    is_named = trial.name in words and ALL not in words
    is_wanted = is_named or (backend.family != "cpu" and tools.has_gpu(backend))
    yield from probe_rules.judge(trial, backend, is_gpu_wanted=is_wanted)
    if trial.error:
        yield from package_findings.explain(f"{trial.said}\n{trial.error}", tools.catalog)
