"""Diagnose: run named checks, each from the facts it needs to what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from envsmith.catalog import Catalog
from envsmith.errors import EnvsmithError
from envsmith.model.activation import Taken
from envsmith.model.backend import Backend
from envsmith.model.condition import Condition
from envsmith.model.environment import Environment
from envsmith.model.host import Host
from envsmith.model.report import Finding, Report
from envsmith.model.surroundings import Reach, Room
from envsmith.model.verdict import Verdict
from envsmith.rules import (
    diagnosis_families,
    diagnosis_family,
    diagnosis_gpu,
    diagnosis_packages,
    diagnosis_paths,
    diagnosis_system,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The installed torch, and what is known of it on this machine."""

    version: str
    verdict: Verdict
    """Of its own build."""
    best: Verdict | None
    """What works best here; None where nothing does."""


class Facts(Protocol):
    """What checks look at; each is found out when it is first asked for, and may raise an EnvsmithError."""

    @property
    def catalog(self) -> Catalog:
        """What is known of builds."""
        ...

    @property
    def host(self) -> Host:
        """This machine."""
        ...

    @property
    def environment(self) -> Environment | None:
        """What is installed; None where there is no environment."""
        ...

    @property
    def condition(self) -> Condition:
        """What the environment's files tell together."""
        ...

    @property
    def torch(self) -> Judged | None:
        """The installed torch; None where there is none, or nothing says what it was built for."""
        ...

    @property
    def locked(self) -> Backend | None:
        """The backend the environment's lock asks for; None where there is no lock."""
        ...

    @property
    def stale(self) -> tuple[Finding, ...]:
        """Why the environment's lock is not what is asked for today."""
        ...

    @property
    def scopes(self) -> dict[str, tuple[Taken, ...]]:
        """Scope of PATH → what no session should have in it."""
        ...

    @property
    def taken(self) -> tuple[Taken, ...]:
        """What a session in the environment would be rid of."""
        ...

    @property
    def unneeded(self) -> dict[str, str]:
        """Project → why the project's files do not need it."""
        ...

    @property
    def room(self) -> Room:
        """Free bytes where uv's cache lies."""
        ...

    @property
    def reach(self) -> Reach:
        """How PyTorch's index answers."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One named check."""

    name: str
    summary: str
    run: Callable[[Facts], Iterable[Finding]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosed:
    """What checks found."""

    report: Report
    made: tuple[str, ...]
    """Names of the checks that were made."""
    unmade: tuple[tuple[str, str], ...]
    """Name and reason of those that could not be."""


def diagnose(facts: Facts, checks: Sequence[Check]) -> Diagnosed:
    """Make checks one after the other; one that cannot be made keeps no other from being made."""
    findings: dict[Finding, None] = {}
    made, unmade = [], []
    for check in checks:
        try:
            findings |= dict.fromkeys(check.run(facts))
        except EnvsmithError as error:
            unmade.append((check.name, error.message))
        else:
            made.append(check.name)
    return Diagnosed(report=Report(findings=tuple(findings)), made=tuple(made), unmade=tuple(unmade))


def _path(facts: Facts) -> Iterator[Finding]:
    return diagnosis_paths.path(facts.scopes, is_windows=facts.host.os == "windows")


def _libraries(facts: Facts) -> Iterator[Finding]:
    torch = facts.torch
    return diagnosis_paths.libraries(facts.taken, torch.verdict.backend.title if torch else "")


def _of_torch(rule: Callable[[Judged, Facts], Iterable[Finding]]) -> Callable[[Facts], Iterable[Finding]]:
    return lambda facts: rule(facts.torch, facts) if facts.torch else ()


def _installed(
    rule: Callable[[Environment, Facts], Iterable[Finding]],
) -> Callable[[Facts], Iterable[Finding]]:
    return lambda facts: rule(facts.environment, facts) if facts.environment else ()


def _family(environment: Environment, facts: Facts) -> Iterator[Finding]:
    yield from diagnosis_family.mixed(environment, facts.condition)
    yield from diagnosis_family.unpaired(environment, facts.condition, facts.catalog)


def _families(environment: Environment, facts: Facts) -> Iterator[Finding]:
    torch = facts.torch
    backend = facts.locked or (torch.verdict.backend if torch else Backend.parse("cpu"))
    return diagnosis_families.families(environment, backend, facts.catalog)


CHECKS = (
    Check(name="path", summary="folders of environments on PATH", run=_path),
    Check(name="libraries", summary="the linker's lists against torch's CUDA", run=_libraries),
    Check(
        name="devices", summary="GPUs without a driver", run=lambda facts: diagnosis_gpu.devices(facts.host)
    ),
    Check(
        name="driver",
        summary="the driver against torch's CUDA and the GPU",
        run=_of_torch(lambda torch, facts: diagnosis_gpu.driver(torch.version, torch.verdict, facts.host)),
    ),
    Check(
        name="kernels",
        summary="GPUs that the installed torch has no kernels for",
        run=_of_torch(lambda torch, _: diagnosis_gpu.kernels(torch.version, torch.verdict)),
    ),
    Check(
        name="build",
        summary="a CPU build beside a GPU, a GPU build without one",
        run=_of_torch(
            lambda torch, facts: diagnosis_gpu.build(torch.version, torch.verdict, torch.best, facts.locked)
        ),
    ),
    Check(
        name="retired",
        summary="a backend that gets no more builds, a nightly that will vanish",
        run=_of_torch(
            lambda torch, facts: diagnosis_gpu.retired(
                torch.version, facts.catalog.backend(torch.verdict.backend)
            )
        ),
    ),
    Check(
        name="family",
        summary="torch, torchvision and torchaudio that were not built together",
        run=_installed(_family),
    ),
    Check(name="families", summary="several projects in one folder", run=_installed(_families)),
    Check(
        name="onnxruntime",
        summary="a CPU build of ONNX Runtime over one for GPUs",
        run=_installed(lambda found, facts: diagnosis_families.onnxruntime(found, facts.catalog)),
    ),
    Check(
        name="unused",
        summary="torchvision or torchaudio that nothing needs",
        run=_installed(
            lambda found, facts: diagnosis_families.unused(found, facts.condition, facts.unneeded)
        ),
    ),
    Check(
        name="broken",
        summary="half-installed and half-removed packages",
        run=_installed(lambda found, facts: diagnosis_packages.broken(facts.condition, found)),
    ),
    Check(
        name="shadows",
        summary="modules imported instead of installed ones",
        run=_installed(lambda _, facts: diagnosis_packages.shadows(facts.condition)),
    ),
    Check(name="lock", summary="a lock that is not what is asked for today", run=lambda facts: facts.stale),
    Check(
        name="releases",
        summary="releases known to fail on this system",
        run=_installed(lambda found, facts: diagnosis_system.known_bad(found, facts.host.os, facts.catalog)),
    ),
    Check(
        name="disk",
        summary="room where uv keeps its cache",
        run=lambda facts: diagnosis_system.disk(facts.room),
    ),
    Check(
        name="network",
        summary="proxies, PyTorch's index and the clock",
        run=lambda facts: diagnosis_system.network(facts.reach),
    ),
)
"""Every check, in the order it is made."""
