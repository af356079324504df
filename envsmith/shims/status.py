"""Shimming: say which shims an environment has, what they add, and whether each is still needed."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from envsmith.catalog.shims import ShimFacts, ShimUser
from envsmith.model.shim import LEGACY_API
from envsmith.shims.model import ShimState, ShimTold
from envsmith.shims.needs import judge

TIMEOUT_S = 300.0


class ShimAsker(Protocol):
    """Asks environments about shims."""

    def shims(self, prefix: Path, words: tuple[str, ...], *, is_off: bool, timeout_s: float) -> ShimTold:
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
    probe: ShimAsker,
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
