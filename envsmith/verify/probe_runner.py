"""Execution of probes in an environment; a crash, a timeout or excessive output is a result as well."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from envsmith.catalog import Catalog
from envsmith.environment import package_findings
from envsmith.environment.interpreter import activated_variables, probe_command, timeout_text
from envsmith.environment.model import Environment
from envsmith.model.backend import Backend
from envsmith.model.finding import Finding
from envsmith.process.capture import CapturedProgram, run_with_timeout
from envsmith.process.exit_status import describe
from envsmith.process.runner import Processes
from envsmith.verify import probe_rules
from envsmith.verify.probe_rules import ALL, ProbeResult

_SCRIPT = Path(__file__).parents[1] / "runtime" / "run_probe.py"
_MAX_OUTPUT = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRunner:
    """Runs probes, each in its own process."""

    processes: Processes
    env: Mapping[str, str]
    """Variables set in addition to the session's."""
    timeout_s: float
    """Timeout of each probe in seconds."""

    def run(self, prefix: Path, name: str, arguments: Sequence[str]) -> ProbeResult:
        """Run a probe in an environment.

        Args:
            prefix: the environment's root.
            name: the probe's name.
            arguments: the probe's arguments.

        Raises:
            ToolError: TOL001 when the interpreter cannot be started.
        """
        command = probe_command(prefix, _SCRIPT, (name, *arguments), "-X", "faulthandler")
        begun = time.perf_counter()
        env = {**activated_variables(prefix), **self.env}
        ended = run_with_timeout(self.processes, command, env=env, timeout_s=self.timeout_s)
        return _read(ended, name, time.perf_counter() - begun, timeout_text(prefix, self.timeout_s))


def _read(ended: CapturedProgram, name: str, seconds: float, timeout: str) -> ProbeResult:
    found = ProbeResult(name=name, seconds=seconds, said=ended.stderr[-_MAX_OUTPUT:].strip())
    for line in ended.stdout.splitlines():
        values = _values(line)
        if "facts" in values:
            return replace(found, **{**values, "step": found.step})
        found = replace(found, step=values.get("step", found.step))
    if ended.timed_out:
        return replace(found, error=timeout)
    return replace(found, error=f"the interpreter crashed: {describe(ended.status)}")


def _values(line: str) -> dict[str, Any]:
    """Return the values of a line of JSON; empty for other or incomplete lines."""
    try:
        return dict(json.loads(line))
    except (ValueError, TypeError):
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeTools:
    """Services for running probes."""

    runner: ProbeRunner
    catalog: Catalog
    has_gpu: Callable[[Backend], bool]
    """Returns whether this machine has a GPU for a backend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeOutcome:
    """Results and findings of probes."""

    results: tuple[ProbeResult, ...]
    findings: tuple[Finding, ...]


def probe_libraries(
    words: Sequence[str], prefix: Path, environment: Environment, backend: Backend, tools: ProbeTools
) -> ProbeOutcome:
    """Run probes one after the other.

    Args:
        words: names of probes; ``all`` for those of installed libraries.
        prefix: the environment's root.
        environment: the environment.
        backend: the backend of its lock.
        tools: services.
    """
    results: list[ProbeResult] = []
    findings: list[Finding] = []
    for name in probe_rules.select_probes(words, environment, backend, tools.catalog):
        if not probe_rules.is_installed(name, environment, tools.catalog):
            findings.append(probe_rules.not_installed(name))
            continue
        results.append(tools.runner.run(prefix, name, probe_rules.probe_arguments(name, backend)))
        findings += _judged(results[-1], words, backend, tools)
    return ProbeOutcome(results=tuple(results), findings=tuple(dict.fromkeys(findings)))


def _judged(
    result: ProbeResult, words: Sequence[str], backend: Backend, tools: ProbeTools
) -> Iterator[Finding]:
    is_named = result.name in words and ALL not in words
    is_required = is_named or (backend.family != "cpu" and tools.has_gpu(backend))
    yield from probe_rules.judge(result, backend, is_gpu_required=is_required)
    if result.error:
        yield from package_findings.known_failures(f"{result.said}\n{result.error}", tools.catalog)
