"""The doctor's checks: each from the facts it needs to what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from envsmith.doctor.diagnose import DoctorCheck
from envsmith.doctor.doctor_facts import DoctorFacts, InstalledTorch
from envsmith.doctor.rules import gpu, package_conflicts, system_checks
from envsmith.environment import package_findings
from envsmith.environment.model import Environment
from envsmith.errors import EnvsmithError
from envsmith.model.backend import Backend
from envsmith.model.finding import Finding


def _path(facts: DoctorFacts) -> Iterator[Finding]:
    return system_checks.path(facts.scopes, is_windows=facts.host.os == "windows")


def _libraries(facts: DoctorFacts) -> Iterator[Finding]:
    built_for = _built_for(facts)
    return system_checks.libraries(facts.taken, built_for.title if built_for else "")


def _of_torch(
    rule: Callable[[InstalledTorch, DoctorFacts], Iterable[Finding]],
) -> Callable[[DoctorFacts], Iterable[Finding]]:
    return lambda facts: rule(facts.torch, facts) if facts.torch else ()


def _installed(
    rule: Callable[[Environment, DoctorFacts], Iterable[Finding]],
) -> Callable[[DoctorFacts], Iterable[Finding]]:
    return lambda facts: rule(facts.environment, facts) if facts.environment else ()


def _family(environment: Environment, facts: DoctorFacts) -> Iterator[Finding]:
    yield from package_findings.mixed(environment, facts.condition)
    yield from package_findings.unpaired(environment, facts.condition, facts.catalog)


def _families(environment: Environment, facts: DoctorFacts) -> Iterator[Finding]:
    torch = facts.torch
    backend = facts.locked or (torch.verdict.backend if torch else Backend.parse("cpu"))
    return package_conflicts.families(environment, backend, facts.catalog)


def _runtime(facts: DoctorFacts) -> Iterator[Finding]:
    if facts.visual_cpp:
        yield from system_checks.runtime(
            facts.visual_cpp, facts.environment, facts.host.machine, facts.catalog
        )


def _releases(environment: Environment, facts: DoctorFacts) -> Iterator[Finding]:
    found = facts.visual_cpp.version if facts.visual_cpp else None
    return system_checks.known_bad(environment, facts.host.os, facts.catalog, found)


def _devices(facts: DoctorFacts) -> Iterator[Finding]:
    is_given = facts.host.is_wsl or bool(facts.given.container)
    return gpu.devices(facts.host, is_given=is_given)


def _built_for(facts: DoctorFacts) -> Backend | None:
    """Return what the installed torch was built for; a machine is judged also where that cannot be found out."""
    try:
        return facts.torch.verdict.backend if facts.torch else None
    except EnvsmithError:
        return None


def _wanted(facts: DoctorFacts) -> Backend | None:
    try:
        return _built_for(facts) or facts.locked
    except EnvsmithError:
        return None


def _broken(facts: DoctorFacts) -> Iterator[Finding]:
    try:
        environment = facts.environment
    except EnvsmithError as error:
        yield package_findings.unusable(": ".join(filter(None, (error.where, error.message))))
        return
    if environment:
        yield from package_findings.broken(facts.condition, environment)


CHECKS = (
    DoctorCheck(name="path", summary="folders of environments on PATH", run=_path),
    DoctorCheck(name="libraries", summary="the linker's lists against torch's CUDA", run=_libraries),
    DoctorCheck(name="runtime", summary="Microsoft's C++ library on Windows", run=_runtime),
    DoctorCheck(name="devices", summary="GPUs without a driver", run=_devices),
    DoctorCheck(
        name="wsl",
        summary="what leads from WSL to Windows's driver",
        run=lambda facts: gpu.wsl(facts.given, facts.host, _wanted(facts)),
    ),
    DoctorCheck(
        name="container",
        summary="what a container was not given of GPUs",
        run=lambda facts: gpu.container(facts.given, facts.host, _wanted(facts)),
    ),
    DoctorCheck(
        name="module",
        summary="the driver's loaded module against its libraries, and who may use it",
        run=lambda facts: gpu.module(facts.given, _wanted(facts)),
    ),
    DoctorCheck(
        name="hidden",
        summary="variables that hide GPUs",
        run=lambda facts: gpu.hidden(facts.given, facts.host, _built_for(facts)),
    ),
    DoctorCheck(
        name="driver",
        summary="the driver against torch's CUDA and the GPU",
        run=_of_torch(lambda torch, facts: gpu.driver(torch.version, torch.verdict, facts.host)),
    ),
    DoctorCheck(
        name="kernels",
        summary="GPUs that the installed torch has no kernels for",
        run=_of_torch(lambda torch, _: gpu.kernels(torch.version, torch.verdict)),
    ),
    DoctorCheck(
        name="build",
        summary="a CPU build beside a GPU, a GPU build without one",
        run=_of_torch(lambda torch, facts: gpu.build(torch.version, torch.verdict, torch.best, facts.locked)),
    ),
    DoctorCheck(
        name="retired",
        summary="a backend that gets no more builds, a nightly that will vanish",
        run=_of_torch(
            lambda torch, facts: gpu.retired(torch.version, facts.catalog.backend(torch.verdict.backend))
        ),
    ),
    DoctorCheck(
        name="family",
        summary="torch, torchvision and torchaudio that were not built together",
        run=_installed(_family),
    ),
    DoctorCheck(name="families", summary="several projects in one folder", run=_installed(_families)),
    DoctorCheck(
        name="onnxruntime",
        summary="a CPU build of ONNX Runtime over one for GPUs",
        run=_installed(lambda found, facts: package_conflicts.onnxruntime(found, facts.catalog)),
    ),
    DoctorCheck(
        name="unused",
        summary="torchvision or torchaudio that nothing needs",
        run=_installed(lambda found, facts: package_conflicts.unused(found, facts.condition, facts.unneeded)),
    ),
    DoctorCheck(
        name="broken",
        summary="half-installed and half-removed packages, an interpreter that is gone",
        run=_broken,
    ),
    DoctorCheck(
        name="shadows",
        summary="modules imported instead of installed ones",
        run=_installed(lambda _, facts: package_findings.shadows(facts.condition)),
    ),
    DoctorCheck(
        name="lock", summary="a lock that is not what is asked for today", run=lambda facts: facts.stale
    ),
    DoctorCheck(
        name="releases",
        summary="releases known to fail on this system",
        run=_installed(_releases),
    ),
    DoctorCheck(
        name="disk",
        summary="room where uv keeps its cache",
        run=lambda facts: system_checks.disk(facts.room),
    ),
    DoctorCheck(
        name="network",
        summary="proxies, PyTorch's index and the clock",
        run=lambda facts: system_checks.network(facts.reach, facts.catalog.retrieved),
    ),
)
"""Every check, in the order it is made."""
