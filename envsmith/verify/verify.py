"""Verify: compare an environment, whoever made it, with its lock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from envsmith.environment import model, package_findings, verification
from envsmith.environment.installed_state import InstalledState
from envsmith.environment.interpreter import VerifyingProbe
from envsmith.environment.model import Environment, Import
from envsmith.install.request import InstallRequest, LockedInstall, expected, locked_files, read_lock
from envsmith.model.finding import Finding, Report
from envsmith.plan.ports import Files
from envsmith.verify.probe_rules import ProbeResult


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyTools:
    """What a comparison needs of the world."""

    probe: VerifyingProbe
    files: Files


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What a comparison found."""

    profile: str
    target: str
    locked: LockedInstall
    environment: Environment
    condition: InstalledState
    imports: tuple[Import, ...]
    runs: tuple[Import, ...]
    report: Report
    is_deep: bool
    trials: tuple[ProbeResult, ...] = ()
    """How libraries did that were tried besides."""
    tried: Report = field(default_factory=Report)
    """What is to be said of these."""


def verify(
    order: InstallRequest,
    prefix: Path,
    tools: VerifyTools,
    *,
    before: tuple[str, ...] = (),
) -> Verified:
    """Compare an environment with the lock of a profile that is for its interpreter.

    Args:
        order: the profile, where its locks lie, and what is tried.
        prefix: the environment's root.
        tools: what looks.
        before: folders that come before the environment's own packages.

    Raises:
        LockError: LCK004 where no lock is for its interpreter, LCK005 where there is none.
        InstallError: ENV023 where its interpreter gives no answer.
    """
    found, manifest = locked_files(order, tools.files)
    environment = tools.probe.environment(prefix, deep=order.deep)
    slug = model.fitting(manifest.targets, environment.interpreter, profile=order.profile)
    locked = read_lock(order, manifest, found, slug)
    imports = tuple(
        tools.probe.imports(prefix, check.text, order.checks.env, check.timeout_s)
        for check in order.checks.imports(locked.pins)
    )
    ran = tuple(
        tools.probe.runs(prefix, check.text, order.checks.env, check.timeout_s)
        for check in order.checks.runs()
    )
    condition = tools.probe.condition(prefix, before)
    findings = (
        *verification.verify(
            expected(order, locked, environment), locked.backend, environment, imports, condition.own
        ).findings,
        *_together(locked, environment, condition),
        *package_findings.failed_runs(ran),
        *package_findings.unsatisfied(manifest.targets[slug].unsatisfied, environment),
    )
    return Verified(
        profile=order.profile,
        target=slug,
        locked=locked,
        environment=environment,
        condition=condition,
        imports=imports,
        runs=ran,
        report=Report(findings=findings),
        is_deep=order.deep,
    )


def _together(
    locked: LockedInstall, environment: Environment, condition: InstalledState
) -> Iterator[Finding]:
    """Find what is wrong although each distribution by itself is as locked."""
    yield from package_findings.overlaps(condition)
    yield from package_findings.mixed(environment, condition)
    yield from package_findings.origins(locked.pins, condition)
    yield from package_findings.leftovers(condition, environment)
    yield from package_findings.strays(condition)
    yield from package_findings.elsewhere(condition)
    yield from package_findings.shadows(condition)
