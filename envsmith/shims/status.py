"""Status of an environment's shims: the names they add, and whether each is still needed.

A shim is needed if the environment fails without it, unless all packages known to need it are installed in versions
that do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from packaging.version import InvalidVersion, Version

from envsmith.catalog.shims import ShimFacts, ShimUser

NEEDED, CAN_GO, UNKNOWN = "needed", "can go", "unknown"
TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ShimCheckResult:
    """Answer of one process in an environment."""

    versions: Mapping[str, str]
    """Project → installed version, of the projects that shims concern."""
    active: tuple[str, ...] = ()
    """Shims active in the process."""
    added: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Shim → names that it added."""
    failed: Mapping[str, str] = field(default_factory=dict)
    """Shim, module or name → error."""
    error: str = ""
    """Error of the import of the shim's module; empty if it succeeded."""
    is_needed: bool = False
    """Whether the environment fails without the shim."""
    reasons: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    """Errors that remain even with the shim."""

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ShimCheckResult:
        """Parse the output of `runtime/shim_check.py`.

        Raises:
            KeyError: when a key is missing.
            TypeError: when a value has another type.
        """
        return cls(
            versions=dict(values["versions"]),
            active=tuple(values["active"]),
            added={name: tuple(names) for name, names in values["added"].items()},
            failed=dict(values["failed"]),
            error=values.get("error", ""),
            is_needed=values.get("is_needed", False),
            reasons=tuple(values.get("reasons", ())),
            failures=tuple(values.get("failures", ())),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ShimState:
    """One shim in one environment."""

    name: str
    is_requested: bool
    """Whether the profile lists it."""
    is_active: bool
    """Whether it is active in the environment."""
    added: tuple[str, ...]
    need: str
    """NEEDED, CAN_GO or UNKNOWN."""
    reasons: tuple[str, ...]
    """Results of the checks."""
    until: tuple[str, ...]
    """Known versions that need it or do not, with sources."""

    def to_json(self) -> dict[str, object]:
        """Return the state as JSON values."""
        return {
            "name": self.name,
            "asked": self.is_requested,
            "active": self.is_active,
            "added": list(self.added),
            "need": self.need,
            "reasons": list(self.reasons),
            "until": list(self.until),
        }


def judge(
    facts: ShimFacts,
    users: Iterable[ShimUser],
    results: tuple[ShimCheckResult, ShimCheckResult],
    *,
    requested: tuple[str, ...],
) -> ShimState:
    """Return the state of one shim.

    Args:
        facts: facts about the shim.
        users: projects that need shims, with the first version that does not.
        results: results with the shims and without them.
        requested: shims of the profile.
    """
    on, off = results
    users = tuple(user for user in users if user.shim == facts.name)
    need, reasons = _judge_need(facts, off)
    if need == NEEDED:
        need, reasons = _judge_users(users, off, reasons)
    is_active = facts.name in on.active
    return ShimState(
        name=facts.name,
        is_requested=facts.name in requested,
        is_active=is_active,
        added=on.added.get(facts.name, ()),
        need=need,
        reasons=(*reasons, *(_failures(on) if is_active else ())),
        until=tuple(_known_versions(facts, users)),
    )


def _judge_need(facts: ShimFacts, off: ShimCheckResult) -> tuple[str, tuple[str, ...]]:
    version = off.versions.get(facts.project)
    if version is None:
        return CAN_GO, (f"{facts.project} is not installed",)
    if off.error:
        return UNKNOWN, (f"{facts.project} {version} cannot be imported: {off.error}",)
    return NEEDED if off.is_needed else CAN_GO, off.reasons


def _judge_users(
    users: tuple[ShimUser, ...], off: ShimCheckResult, reasons: tuple[str, ...]
) -> tuple[str, tuple[str, ...]]:
    """Return CAN_GO if all installed packages known to need the shim have versions that do not."""
    installed = [(user, off.versions[user.project]) for user in users if user.project in off.versions]
    if not installed or not all(_works_without(user, version) for user, version in installed):
        return NEEDED, reasons
    texts = (f"{user.project} {version} {user.why}" for user, version in installed)
    return CAN_GO, (*reasons, *texts, "unless your own code uses the names it adds")


def _works_without(user: ShimUser, version: str) -> bool:
    try:
        return Version(version) >= user.free_from
    except InvalidVersion:
        return False


def _failures(on: ShimCheckResult) -> Iterable[str]:
    """Yield failures despite the active shim."""
    yield from (f"{name}: {why}" for name, why in sorted(on.failed.items()))
    yield from on.failures


def _known_versions(facts: ShimFacts, users: tuple[ShimUser, ...]) -> Iterable[str]:
    yield f"{facts.range} need it ({facts.source}; {facts.retrieved})"
    for user in users:
        yield (
            f"{user.project} {user.free_from} and later do not: it {user.why} ({user.source}; {user.retrieved})"
        )
