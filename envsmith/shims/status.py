"""Shimming: say which shims an environment has, what they add, and whether each is still needed.

ShimState: what an environment says of shims, and whether one is still needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from envsmith.catalog.shims import ShimFacts, ShimUser
from envsmith.model.shim import LEGACY_API
from envsmith.shims.needs import judge

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
