"""Summarize: put together what those who help need to know."""

from __future__ import annotations

from collections.abc import Sequence

from envsmith.doctor.diagnose import DoctorCheck, diagnose
from envsmith.doctor.doctor_facts import DoctorFacts
from envsmith.environment import model
from envsmith.environment.installed_state import InstalledState
from envsmith.environment.model import Environment
from envsmith.errors import EnvsmithError
from envsmith.lockfile.manifest import Manifest, TargetRecord
from envsmith.lockfile.store import decisions_of
from envsmith.report.model import LockState, Summary


def summarize(facts: DoctorFacts, checks: Sequence[DoctorCheck], version: str) -> Summary:
    """Make every check, and tell what they were made of.

    Args:
        facts: of the machine, the environment and its lock; what cannot be found out is left out.
        checks: the doctor's.
        version: of envsmith.
    """
    found = diagnose(facts, checks)
    environment = _environment(facts)
    return Summary(
        envsmith=f"{version}, catalog of {facts.catalog.retrieved}",
        host=facts.host,
        given=facts.given,
        visual_cpp=facts.visual_cpp,
        toolbox=facts.toolbox,
        variables=facts.variables,
        environment=environment,
        condition=_condition(facts) if environment else InstalledState(),
        lock=_lock(facts, environment),
        findings=found.report.findings,
        checks=len(found.made),
        unmade=found.unmade,
    )


def _environment(facts: DoctorFacts) -> Environment | None:
    try:
        return facts.environment
    except EnvsmithError:
        return None


def _condition(facts: DoctorFacts) -> InstalledState:
    try:
        return facts.condition
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
        stale=_stale(facts),
        **_of_entry(entry),  # type: ignore[arg-type]
    )


def _of_entry(entry: TargetRecord | None) -> dict[str, object]:
    if entry is None:
        return {}
    return {
        "backend": str(entry.inputs.get("backend", "")),
        "plan": entry.plan,
        "catalog": entry.catalog,
        "family": {name: pin.version for name, pin in sorted(entry.family.items())},
        "decisions": tuple(decisions_of(entry)),
    }


def _target(manifest: Manifest, environment: Environment | None) -> str:
    """Return the target that the environment's interpreter can be installed from; of one only, that one."""
    if environment is None:
        return next(iter(manifest.targets)) if len(manifest.targets) == 1 else ""
    try:
        return model.fitting(manifest.targets, environment.interpreter, profile=manifest.profile)
    except EnvsmithError:
        return ""


def _stale(facts: DoctorFacts) -> tuple[str, ...]:
    try:
        return tuple(dict.fromkeys(item.message for item in facts.stale))
    except EnvsmithError as error:
        return (f"cannot be compared: {error.message}",)
