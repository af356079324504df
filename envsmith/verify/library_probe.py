"""Try: let the libraries of an environment do what they are for, and judge how that went."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from envsmith.catalog import Catalog
from envsmith.environment import package_findings
from envsmith.environment.model import Environment
from envsmith.model.backend import Backend
from envsmith.model.finding import Finding
from envsmith.verify import probe_rules
from envsmith.verify.probe_rules import ALL, Trial


class Tries(Protocol):
    """Tries libraries in environments."""

    def trial(self, prefix: Path, name: str, words: Sequence[str]) -> Trial:
        """Try a library in a process of its own; whatever it does is the answer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TryTools:
    """What trials need of the world."""

    tries: Tries
    catalog: Catalog
    has_gpu: Callable[[Backend], bool]
    """Says whether this machine has a GPU that a backend serves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """How the trials went."""

    trials: tuple[Trial, ...]
    findings: tuple[Finding, ...]


def try_libraries(
    words: Sequence[str], prefix: Path, environment: Environment, backend: Backend, tools: TryTools
) -> Tried:
    """Try libraries, one after the other.

    Args:
        words: names of trials; ``all`` for those of what is installed.
        prefix: the environment's root.
        environment: what is installed there.
        backend: what its lock is for.
        tools: what tries.
    """
    made: list[Trial] = []
    findings: list[Finding] = []
    for name in probe_rules.chosen(words, environment, backend, tools.catalog):
        if not probe_rules.is_there(name, environment, tools.catalog):
            findings.append(probe_rules.absent(name))
            continue
        made.append(tools.tries.trial(prefix, name, probe_rules.told(name, backend)))
        findings += _judged(made[-1], words, backend, tools)
    return Tried(trials=tuple(made), findings=tuple(dict.fromkeys(findings)))


def _judged(trial: Trial, words: Sequence[str], backend: Backend, tools: TryTools) -> Iterator[Finding]:
    is_named = trial.name in words and ALL not in words
    is_wanted = is_named or (backend.family != "cpu" and tools.has_gpu(backend))
    yield from probe_rules.judge(trial, backend, is_gpu_wanted=is_wanted)
    if trial.error:
        yield from package_findings.explain(f"{trial.said}\n{trial.error}", tools.catalog)
