"""Collection of a report's values."""

from __future__ import annotations

from collections.abc import Sequence

from envsmith.doctor.checks import DoctorCheck, diagnose
from envsmith.doctor.doctor_facts import DoctorFacts
from envsmith.environment import model
from envsmith.environment.installed_state import InstalledState
from envsmith.environment.model import Environment
from envsmith.errors import EnvsmithError
from envsmith.lockfile.manifest import Manifest, TargetRecord
from envsmith.lockfile.store import decisions_of
from envsmith.report.model import LockState, Summary


def summarize(facts: DoctorFacts, checks: Sequence[DoctorCheck], version: str) -> Summary:
    """Run all checks and collect the facts behind them.

    Args:
        facts: facts of the machine, the environment and its lock; those which cannot be read are omitted.
        checks: the doctor's checks.
        version: the version of envsmith.
    """
    found = diagnose(facts, checks)
    environment = _environment(facts)
    return Summary(
        envsmith=f"{version}, catalog of {facts.catalog.retrieved}",
        host=facts.host,
        gpu_access=facts.gpu_access,
        visual_cpp=facts.visual_cpp,
        libraries=facts.libraries,
        variables=facts.variables,
        environment=environment,
        installed_state=_installed_state(facts) if environment else InstalledState(),
        lock=_lock(facts, environment),
        findings=found.report.findings,
        checks=len(found.completed),
        skipped=found.skipped,
    )


def _environment(facts: DoctorFacts) -> Environment | None:
    try:
        return facts.environment
    except EnvsmithError:
        return None


def _installed_state(facts: DoctorFacts) -> InstalledState:
    try:
        return facts.installed_state
    except EnvsmithError:
        return InstalledState()


def _lock(facts: DoctorFacts, environment: Environment | None) -> LockState | None:
    try:
        manifest = facts.manifest
    except EnvsmithError:
        return None
    if manifest is None:
        return None
    slug = _target(manifest, environment)
    entry = manifest.targets.get(slug)
    return LockState(
        profile=manifest.profile,
        target=slug,
        cutoff_utc=manifest.cutoff_utc,
        targets=tuple(sorted(manifest.targets)),
        drift=_drift(facts),
        **_target_values(entry),  # type: ignore[arg-type]
    )


def _target_values(entry: TargetRecord | None) -> dict[str, object]:
    if entry is None:
        return {}
    return {
        "backend": str(entry.backend),
        "plan": entry.plan,
        "catalog": entry.catalog,
        "family": {name: pin.version for name, pin in sorted(entry.family.items())},
        "decisions": tuple(decisions_of(entry)),
    }


def _target(manifest: Manifest, environment: Environment | None) -> str:
    """Return the target for the environment's interpreter; without an environment the only target."""
    if environment is None:
        return next(iter(manifest.targets)) if len(manifest.targets) == 1 else ""
    try:
        return model.choose_target(manifest.targets, environment.interpreter, profile=manifest.profile)
    except EnvsmithError:
        return ""


def _drift(facts: DoctorFacts) -> tuple[str, ...]:
    try:
        return tuple(dict.fromkeys(item.message for item in facts.drift))
    except EnvsmithError as error:
        return (f"comparison failed: {error.message}",)
