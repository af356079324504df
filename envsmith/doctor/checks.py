"""The doctor's checks, and their execution."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envsmith.doctor.rules import gpu, package_conflicts, system_checks
from envsmith.environment import package_findings
from envsmith.environment.model import Environment
from envsmith.errors import EnvsmithError
from envsmith.model.backend import Backend
from envsmith.model.finding import Finding, Report

if TYPE_CHECKING:  # `doctor --list` needs the names of the checks, not what they look at
    from envsmith.doctor.doctor_facts import DoctorFacts, InstalledTorch


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorCheck:
    """A named check."""

    name: str
    summary: str
    run: Callable[[DoctorFacts], Iterable[Finding]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorReport:
    """The result of the doctor's checks."""

    report: Report
    completed: tuple[str, ...]
    """Names of the completed checks."""
    skipped: tuple[tuple[str, str], ...]
    """Name and reason of the checks that could not run."""

    def reasons(self) -> list[tuple[str, str]]:
        """Return the names of skipped checks for each reason."""
        return by_reason(self.skipped)


def by_reason(skipped: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Group skipped checks by reason."""
    groups: dict[str, list[str]] = {}
    for name, reason in skipped:
        groups.setdefault(reason, []).append(name)
    return [(", ".join(names), reason) for reason, names in groups.items()]


def diagnose(facts: DoctorFacts, checks: Sequence[DoctorCheck]) -> DoctorReport:
    """Run checks in order; skip those that raise an EnvsmithError."""
    findings: dict[Finding, None] = {}
    completed, skipped = [], []
    for check in checks:
        try:
            findings |= dict.fromkeys(check.run(facts))
        except EnvsmithError as error:
            skipped.append((check.name, error.message))
        else:
            completed.append(check.name)
    return DoctorReport(
        report=Report(findings=tuple(findings)), completed=tuple(completed), skipped=tuple(skipped)
    )


def _path(facts: DoctorFacts) -> Iterator[Finding]:
    return system_checks.path(facts.path_entries, is_windows=facts.host.os == "windows")


def _libraries(facts: DoctorFacts) -> Iterator[Finding]:
    built_for = _torch_backend(facts)
    return system_checks.libraries(facts.removed_entries, built_for.title if built_for else "")


def _torch_check(
    rule: Callable[[InstalledTorch, DoctorFacts], Iterable[Finding]],
) -> Callable[[DoctorFacts], Iterable[Finding]]:
    return lambda facts: rule(facts.torch, facts) if facts.torch else ()


def _environment_check(
    rule: Callable[[Environment, DoctorFacts], Iterable[Finding]],
) -> Callable[[DoctorFacts], Iterable[Finding]]:
    return lambda facts: rule(facts.environment, facts) if facts.environment else ()


def _torch_family(environment: Environment, facts: DoctorFacts) -> Iterator[Finding]:
    yield from package_findings.mixed(environment, facts.installed_state)
    yield from package_findings.unpaired(environment, facts.installed_state, facts.catalog)


def _shared_folders(environment: Environment, facts: DoctorFacts) -> Iterator[Finding]:
    torch = facts.torch
    backend = facts.locked_backend or (torch.verdict.backend if torch else Backend.parse("cpu"))
    return package_conflicts.families(environment, backend, facts.catalog)


def _runtime(facts: DoctorFacts) -> Iterator[Finding]:
    if facts.visual_cpp:
        yield from system_checks.runtime(
            facts.visual_cpp, facts.environment, facts.host.machine, facts.catalog
        )


def _long_paths(facts: DoctorFacts) -> Iterator[Finding]:
    if facts.longest_path is not None:
        yield from system_checks.long_paths(facts.longest_path, facts.project, facts.catalog)


def _known_failures(environment: Environment, facts: DoctorFacts) -> Iterator[Finding]:
    found = facts.visual_cpp.version if facts.visual_cpp else None
    return system_checks.known_bad(environment, facts.host.os, facts.catalog, found)


def _devices(facts: DoctorFacts) -> Iterator[Finding]:
    is_guest = facts.host.is_wsl or bool(facts.gpu_access.container)
    return gpu.devices(facts.host, is_guest=is_guest)


def _torch_backend(facts: DoctorFacts) -> Backend | None:
    """Return the backend of the installed torch; None if unknown."""
    try:
        return facts.torch.verdict.backend if facts.torch else None
    except EnvsmithError:
        return None


def _expected_backend(facts: DoctorFacts) -> Backend | None:
    try:
        return _torch_backend(facts) or facts.locked_backend
    except EnvsmithError:
        return None


def _broken(facts: DoctorFacts) -> Iterator[Finding]:
    try:
        environment = facts.environment
    except EnvsmithError as error:
        yield package_findings.unusable(": ".join(filter(None, (error.where, error.message))))
        return
    if environment:
        yield from package_findings.broken(facts.installed_state, environment)


CHECKS = (
    DoctorCheck(name="path", summary="environment directories on PATH", run=_path),
    DoctorCheck(name="libraries", summary="library paths that do not fit torch's CUDA", run=_libraries),
    DoctorCheck(name="runtime", summary="Microsoft's C++ library on Windows", run=_runtime),
    DoctorCheck(name="lengths", summary="paths too long for Windows", run=_long_paths),
    DoctorCheck(name="devices", summary="GPUs without a driver", run=_devices),
    DoctorCheck(
        name="wsl",
        summary="access from WSL to Windows's GPU driver",
        run=lambda facts: gpu.wsl(facts.gpu_access, facts.host, _expected_backend(facts)),
    ),
    DoctorCheck(
        name="container",
        summary="missing GPU access in a container",
        run=lambda facts: gpu.container(facts.gpu_access, facts.host, _expected_backend(facts)),
    ),
    DoctorCheck(
        name="module",
        summary="driver module and libraries of different versions; permissions of device files",
        run=lambda facts: gpu.module(facts.gpu_access, _expected_backend(facts)),
    ),
    DoctorCheck(
        name="hidden",
        summary="variables that hide GPUs",
        run=lambda facts: gpu.hidden(facts.gpu_access, facts.host, _torch_backend(facts)),
    ),
    DoctorCheck(
        name="driver",
        summary="drivers too old for torch's CUDA or the GPU",
        run=_torch_check(lambda torch, facts: gpu.driver(torch.version, torch.verdict, facts.host)),
    ),
    DoctorCheck(
        name="kernels",
        summary="GPUs without kernels in the installed torch",
        run=_torch_check(lambda torch, _: gpu.kernels(torch.version, torch.verdict)),
    ),
    DoctorCheck(
        name="build",
        summary="CPU builds on GPU machines, GPU builds on CPU machines",
        run=_torch_check(
            lambda torch, facts: gpu.build(torch.version, torch.verdict, torch.best, facts.locked_backend)
        ),
    ),
    DoctorCheck(
        name="retired",
        summary="backends without new builds; nightlies, which are removed",
        run=_torch_check(
            lambda torch, facts: gpu.retired(torch.version, facts.catalog.backend(torch.verdict.backend))
        ),
    ),
    DoctorCheck(
        name="family",
        summary="torch, torchvision and torchaudio of incompatible builds",
        run=_environment_check(_torch_family),
    ),
    DoctorCheck(
        name="families",
        summary="distributions that install the same folder",
        run=_environment_check(_shared_folders),
    ),
    DoctorCheck(
        name="onnxruntime",
        summary="CPU builds of ONNX Runtime that overwrite GPU builds",
        run=_environment_check(lambda found, facts: package_conflicts.onnxruntime(found, facts.catalog)),
    ),
    DoctorCheck(
        name="unused",
        summary="unused torchvision or torchaudio",
        run=_environment_check(
            lambda found, facts: package_conflicts.unused(found, facts.installed_state, facts.unused_packages)
        ),
    ),
    DoctorCheck(
        name="broken",
        summary="half-installed packages; missing interpreters",
        run=_broken,
    ),
    DoctorCheck(
        name="shadows",
        summary="modules that shadow installed ones",
        run=_environment_check(lambda _, facts: package_findings.shadows(facts.installed_state)),
    ),
    DoctorCheck(name="lock", summary="stale locks", run=lambda facts: facts.drift),
    DoctorCheck(
        name="releases",
        summary="releases with known failures on this system",
        run=_environment_check(_known_failures),
    ),
    DoctorCheck(
        name="disk",
        summary="disk space for uv's cache",
        run=lambda facts: system_checks.disk(facts.disk_space),
    ),
    DoctorCheck(
        name="network",
        summary="proxies, PyTorch's index and the clock",
        run=lambda facts: system_checks.network(facts.connectivity, facts.catalog.retrieved),
    ),
)
"""All checks, in the order of execution."""
