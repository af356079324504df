"""Comparison of an environment with its lock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from envsmith.environment import given, lock_comparison, model, package_findings
from envsmith.environment.distributions import Wheels
from envsmith.environment.installed_state import InstalledState
from envsmith.environment.interpreter import VerifyingProbe
from envsmith.environment.model import Environment, Import
from envsmith.install.build import given_problems
from envsmith.install.request import InstallRequest, LockedInstall, expected_pins, read_lock, read_lock_folder
from envsmith.model.finding import Finding, Report
from envsmith.plan.ports import Files
from envsmith.verify.probe_rules import ProbeResult


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyTools:
    """Probe and files for a comparison."""

    probe: VerifyingProbe
    files: Files
    wheels: Callable[[LockedInstall], Wheels] = lambda _: {}
    """Returns the known lists of files in locked wheels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """The result of a comparison."""

    profile: str
    target: str
    locked: LockedInstall
    environment: Environment
    installed_state: InstalledState
    imports: tuple[Import, ...]
    runs: tuple[Import, ...]
    report: Report
    is_deep: bool
    probe_results: tuple[ProbeResult, ...] = ()
    probe_report: Report = field(default_factory=Report)
    """Findings of the probes."""


def verify(
    request: InstallRequest,
    prefix: Path,
    tools: VerifyTools,
    *,
    before: tuple[str, ...] = (),
) -> Verified:
    """Compare an environment with the lock of a profile for its interpreter.

    Args:
        request: the profile, its lock folder and smoke tests.
        prefix: the environment's root.
        tools: probe and files.
        before: folders on the import path before the environment's packages.

    Raises:
        LockError: LCK004 when no locked target fits its interpreter, LCK005 without a lock.
        InstallError: ENV023 when its interpreter does not answer, ENV029 not in time.
    """
    found, manifest = read_lock_folder(request, tools.files)
    layout = tools.probe.layout(prefix)
    slug = model.choose_target(manifest.targets, layout.interpreter, profile=request.profile)
    locked = read_lock(request, manifest, found, slug)
    environment = tools.probe.environment(
        prefix, deep=request.deep, wheels=tools.wheels(locked), layout=layout
    )
    imports = tuple(
        tools.probe.imports(prefix, check.text, request.smoke_tests.env, check.timeout_s)
        for check in request.smoke_tests.imports(locked.imported)
    )
    ran = tuple(
        tools.probe.runs(prefix, check.text, request.smoke_tests.env, check.timeout_s)
        for check in request.smoke_tests.commands()
    )
    installed_state = tools.probe.condition(layout, before)
    findings = (
        *lock_comparison.verify(
            expected_pins(request, locked, environment),
            locked.entry.backend,
            given.as_expected(environment, locked.given),
            imports,
            installed_state.own,
        ).findings,
        *given_problems(locked, environment, tools.probe),
        *_environment_findings(locked, environment, installed_state),
        *package_findings.failed_runs(ran),
        *package_findings.unsatisfied(manifest.targets[slug].unsatisfied, environment),
    )
    return Verified(
        profile=request.profile,
        target=slug,
        locked=locked,
        environment=environment,
        installed_state=installed_state,
        imports=imports,
        runs=ran,
        report=Report(findings=findings),
        is_deep=request.deep,
    )


def _environment_findings(
    locked: LockedInstall, environment: Environment, state: InstalledState
) -> Iterator[Finding]:
    """Find problems that comparing single distributions does not show."""
    yield from package_findings.overlaps(state)
    yield from package_findings.mixed(environment, state)
    yield from package_findings.origins(locked.pins, state)
    yield from package_findings.leftovers(state, environment)
    yield from package_findings.strays(state)
    yield from package_findings.elsewhere(state)
    yield from package_findings.shadows(state)
