"""Shimming: say which shims an environment has, what they add, and whether each is still needed.

ShimState: what an environment says of shims, and whether one is still needed.


Whether a shim is still needed: by what an environment says with and without it, and by who is known to need it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from packaging.version import InvalidVersion, Version

from envsmith.catalog.shims import ShimFacts, ShimUser
from envsmith.model.shim import LEGACY_API, SAFE_GLOBALS

NEEDED, CAN_GO, UNKNOWN = "needed", "can go", "unknown"
TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ShimCheckResult:
    """What one process in an environment said."""

    versions: Mapping[str, str]
    """Project → installed version, of those that matter."""
    active: tuple[str, ...] = ()
    """The shims that watched."""
    added: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Shim → the names it has added."""
    failed: Mapping[str, str] = field(default_factory=dict)
    """Shim, module or name → why nothing was added."""
    error: str = ""
    """Why torch or torchaudio cannot be imported."""
    absent: tuple[str, ...] = ()
    """Those of torchaudio's old names that are not there."""
    load: str = ""
    """Why torchaudio does not read a WAV; empty where it does."""
    info: str = ""
    """Why `info` does not tell of it; empty where it does, or is absent."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Dotted name → why torch refuses it in a checkpoint."""
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Checkpoint → the names in it that torch refuses; in brackets, why it cannot be read."""

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ShimCheckResult:
        """Read what `runtime/shim_check.py` says.

        Raises:
            KeyError: when something is missing.
            TypeError: when it is of another kind.
        """
        return cls(
            versions=dict(values["versions"]),
            active=tuple(values["active"]),
            added={name: tuple(names) for name, names in values["added"].items()},
            failed=dict(values["failed"]),
            error=values.get("error", ""),
            absent=tuple(values.get("absent", ())),
            load=values.get("load", ""),
            info=values.get("info", ""),
            refused=dict(values.get("refused", {})),
            files={file: tuple(names) for file, names in values.get("files", {}).items()},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ShimState:
    """One shim in one environment."""

    name: str
    is_asked: bool
    """Whether the profile asks for it."""
    is_there: bool
    """Whether it does its work in the environment."""
    added: tuple[str, ...]
    need: str
    """NEEDED, CAN_GO or UNKNOWN."""
    reasons: tuple[str, ...]
    """What was seen."""
    until: tuple[str, ...]
    """From which versions on it is not needed, with sources."""

    def to_json(self) -> dict[str, object]:
        """Return the state as plain values."""
        return {
            "name": self.name,
            "asked": self.is_asked,
            "active": self.is_there,
            "added": list(self.added),
            "need": self.need,
            "reasons": list(self.reasons),
            "until": list(self.until),
        }


class ShimChecker(Protocol):
    """Asks environments about shims."""

    def shims(
        self, prefix: Path, words: tuple[str, ...], *, is_off: bool, timeout_s: float
    ) -> ShimCheckResult:
        """Ask what torchaudio or torch can do, in a process of its own.

        Raises:
            InstallError: when its interpreter gives no answer.
            ToolError: when it takes too long.
        """
        ...


def states(
    prefix: Path,
    asked: tuple[str, ...],
    names: tuple[str, ...],
    facts: tuple[tuple[ShimFacts, ...], tuple[ShimUser, ...]],
    probe: ShimChecker,
    files: tuple[str, ...] = (),
) -> tuple[ShimState, ...]:
    """Say of every shim that a profile asks for, or that is in the environment, how it stands.

    Args:
        prefix: the environment's root.
        asked: the shims of the profile.
        names: its safe globals.
        facts: the shims that there are, and who needs them.
        probe: asks the environment.
        files: checkpoints that decide whether safe globals are needed.

    Raises:
        InstallError: ENV023 when its interpreter gives no answer.
        ToolError: TOL002 when it takes too long.
    """
    shims, users = facts
    found = []
    for one in shims:
        words = ("audio",) if one.name == LEGACY_API else ("globals", *names, "--", *files)
        told = {
            "on": probe.shims(prefix, words, is_off=False, timeout_s=TIMEOUT_S),
            "off": probe.shims(prefix, words, is_off=True, timeout_s=TIMEOUT_S),
        }
        state = judge(one, users, told, asked=asked, names=names)
        if state.is_asked or state.is_there:
            found.append(state)
    return tuple(found)


def judge(
    facts: ShimFacts,
    users: Iterable[ShimUser],
    told: Mapping[str, ShimCheckResult],
    *,
    asked: tuple[str, ...],
    names: tuple[str, ...] = (),
) -> ShimState:
    """Say of one shim what it adds, whether it is needed, and from which versions on it is not.

    Args:
        facts: of the shim.
        users: who needs it up to which version.
        told: ``on`` and ``off``: what the environment said as it is, and without its shims.
        asked: the shims of the profile.
        names: the profile's safe globals.
    """
    on, off = told["on"], told["off"]
    users = tuple(user for user in users if user.shim == facts.name)
    need, reasons = _need(facts, off, names)
    if need == NEEDED:
        need, reasons = _users(users, off, reasons)
    is_there = facts.name in on.active
    return ShimState(
        name=facts.name,
        is_asked=facts.name in asked,
        is_there=is_there,
        added=on.added.get(facts.name, ()),
        need=need,
        reasons=(*reasons, *_not_done(facts, on, is_there=is_there)),
        until=tuple(_until(facts, users)),
    )


def _need(facts: ShimFacts, off: ShimCheckResult, names: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    version = off.versions.get(facts.project)
    if version is None:
        return CAN_GO, (f"{facts.project} is not installed",)
    one = f"{facts.project} {version}"
    if off.error:
        return UNKNOWN, (f"{one} cannot be imported: {off.error}",)
    if facts.name == LEGACY_API:
        return _audio(one, off)
    return _globals(one, off, names)


def _audio(one: str, off: ShimCheckResult) -> tuple[str, tuple[str, ...]]:
    reasons = []
    if off.absent:
        reasons.append(f"{one} has no {', '.join(off.absent)}")
    if off.load:
        reasons.append(f"its load does not read a WAV: {off.load}")
    if reasons:
        return NEEDED, tuple(reasons)
    return CAN_GO, (f"{one} has all five names, and its load reads a WAV",)


def _globals(one: str, off: ShimCheckResult, names: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    refused = [name for name in names if name in off.refused]
    free = [name for name in names if name not in off.refused]
    if off.files:
        return _files(one, off, refused)
    reasons = []
    if refused:
        reasons.append(f"{one} refuses {', '.join(refused)}")
    if free:
        reasons.append(f"{one} loads {', '.join(free)} without it")
    return NEEDED if refused else CAN_GO, tuple(reasons) or ("no names are to be allowed",)


def _files(one: str, off: ShimCheckResult, names: list[str]) -> tuple[str, tuple[str, ...]]:
    """Judge by the checkpoints that are at hand: what they ask for is needed, and nothing else."""
    asked = {name for found in off.files.values() for name in found}
    reasons = [
        f"{one} refuses in {file}: {', '.join(found)}" if found else f"{one} loads {file} without it"
        for file, found in sorted(off.files.items())
    ]
    if idle := [name for name in names if name not in asked]:
        reasons.append(f"none of them asks for {', '.join(idle)}")
    if lacking := sorted(name for name in asked - set(names) if not name.startswith("(")):
        reasons.append(f"not allowed by the profile: {', '.join(lacking)}")
    return NEEDED if asked & set(names) else CAN_GO, tuple(reasons)


def _users(
    users: tuple[ShimUser, ...], off: ShimCheckResult, reasons: tuple[str, ...]
) -> tuple[str, tuple[str, ...]]:
    """Let it go where all that is known to need it is installed in a version that does not."""
    here = [(user, off.versions[user.project]) for user in users if user.project in off.versions]
    if not here or not all(_is_free(user, version) for user, version in here):
        return NEEDED, reasons
    told = (f"{user.project} {version} {user.why}" for user, version in here)
    return CAN_GO, (*reasons, *told, "unless the project's own code uses what it adds")


def _is_free(user: ShimUser, version: str) -> bool:
    try:
        return Version(version) >= user.free_from
    except InvalidVersion:
        return False


def _not_done(facts: ShimFacts, on: ShimCheckResult, *, is_there: bool) -> Iterable[str]:
    """Tell what is wrong although the shim is there."""
    if not is_there:
        return
    yield from (f"{name}: {why}" for name, why in sorted(on.failed.items()))
    if facts.name == LEGACY_API and not on.error:
        yield from (
            f"{name} fails with it, too: {why}" for name, why in (("load", on.load), ("info", on.info)) if why
        )
    if facts.name == SAFE_GLOBALS:
        yield from (f"{name} is refused with it, too: {why}" for name, why in sorted(on.refused.items()))


def _until(facts: ShimFacts, users: tuple[ShimUser, ...]) -> Iterable[str]:
    yield f"{facts.range} lack what it adds ({facts.source}; {facts.retrieved})"
    for user in users:
        yield (
            f"{user.project} {user.free_from} and later do not need it: it {user.why} ({user.source}; {user.retrieved})"
        )
