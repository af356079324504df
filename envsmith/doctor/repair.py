"""Repair: look what is wrong with an environment, say what cures it, do that, and look again.

Takes single distributions out of an environment and puts others in, by uv; and sets aside what uv cannot remove.

Source of what uv does: seen with uv 0.13.8, 2026-11-21.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from envsmith.catalog import Catalog
from envsmith.doctor import repair_plan
from envsmith.doctor.repair_plan import (
    ASIDE,
    INSTALL,
    REBUILD,
    REMOVE,
    SET_ASIDE,
    RepairInput,
    RepairPlan,
    RepairStep,
)
from envsmith.errors import VerificationError
from envsmith.files.atomic import environment_errors
from envsmith.lockfile.pins import InstallSource
from envsmith.model.naming import unique_name
from envsmith.uv.installer import UvInstaller, failure

MOST_ROUNDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairTools:
    """What a repair needs of the world."""

    examine: Callable[[], RepairInput]
    """Looks what is wrong."""
    repairer: UvRepairer
    rebuild: Callable[[], None]
    """Builds an environment of envsmith's anew, beside itself, and switches to it."""
    catalog: Catalog
    supply: InstallSource
    """Where the lock's files come from; its text is not looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairResult:
    """What a repair did, and what it left."""

    before: RepairInput
    steps: tuple[RepairStep, ...]
    """All that were taken."""
    after: RepairInput
    cure: RepairPlan
    """What would still be to do."""


def plan(sick: RepairInput, tools: RepairTools) -> RepairPlan:
    """Return what would be done."""
    return repair_plan.cure(sick, tools.catalog)


def repair(sick: RepairInput, first: RepairPlan, prefix: Path, tools: RepairTools) -> RepairResult:
    """Carry out a cure, look again, and go on while what was hidden comes to light.

    Args:
        sick: the environment.
        first: what was agreed to.
        prefix: its root.
        tools: what looks and changes.

    Raises:
        InstallError: where something cannot be installed or removed; what was done before stays done.
        ToolError: where files cannot be reached.
    """
    taken: list[RepairStep] = []
    now, next_ = sick, first
    for number in range(MOST_ROUNDS):
        if not next_.steps:
            break
        for step in next_.steps:
            _take(step, now, prefix, tools, is_again=number > 0)
            taken.append(step)
        now = tools.examine()
        next_ = repair_plan.cure(now, tools.catalog)
    return RepairResult(before=sick, steps=tuple(taken), after=now, cure=next_)


def _take(step: RepairStep, sick: RepairInput, prefix: Path, tools: RepairTools, *, is_again: bool) -> None:
    if step.kind == REBUILD:
        _rebuild(sick, tools, is_again=is_again)
    elif step.kind == ASIDE:
        tools.repairer.set_aside(prefix, sick.environment.site, step.subjects)
    elif step.kind == REMOVE:
        tools.repairer.remove(prefix, step.subjects)
    elif step.kind == INSTALL:
        names = [subject.partition("==")[0] for subject in step.subjects]
        if is_again:
            tools.repairer.forget(names)
        tools.repairer.put(prefix, _supply(step, sick, tools), is_hashed=step.is_hashed)


def _rebuild(sick: RepairInput, tools: RepairTools, *, is_again: bool) -> None:
    """Build anew; where the proof fails, once more with nothing of the ill packages taken from the cache."""
    ill = sorted({item.subject for item in sick.findings if item.code in ("ENV014", "ENV015")})
    if is_again and ill:
        tools.repairer.forget(ill)
    try:
        tools.rebuild()
    except VerificationError:
        if is_again or not ill:
            raise
        tools.repairer.forget(ill)
        tools.rebuild()


def _supply(step: RepairStep, sick: RepairInput, tools: RepairTools) -> InstallSource:
    names = {subject.partition("==")[0] for subject in step.subjects}
    is_locked = step.is_hashed and sick.pins is not None
    text = sick.pins.to_requirements(names) if is_locked and sick.pins else "\n".join(step.subjects)
    sources = tuple(name for name in tools.supply.sources if name in names)
    return InstallSource(
        text=text,
        is_pylock=False,
        sources=sources,
        wheelhouse=tools.supply.wheelhouse,
        profile=tools.supply.profile,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class UvRepairer(UvInstaller):
    """Repairs environments that others made."""

    def set_aside(self, prefix: Path, site: str, folders: Sequence[str]) -> None:
        """Move files and folders out of ``site-packages`` to a place in the environment where nothing finds them.

        Raises:
            InstallError: ENV024 when the system refuses.
        """
        place = prefix / SET_ASIDE
        with environment_errors(place):
            place.mkdir(exist_ok=True)
            for folder in folders:
                free = unique_name(folder, lambda name: (place / name).exists(), joint=".")
                (place / free).parent.mkdir(parents=True, exist_ok=True)
                (prefix / site / folder).rename(place / free)

    def remove(self, prefix: Path, names: Sequence[str]) -> None:
        """Remove distributions.

        Raises:
            InstallError: ENV020 when uv fails.
        """
        finished = self._run("pip", "uninstall", "--python", prefix, *names)
        if finished.status:
            raise failure(finished, f"{', '.join(names)} could not be removed")

    def put(self, prefix: Path, supply: InstallSource, *, is_hashed: bool) -> None:
        """Install distributions again, without what they require.

        Args:
            prefix: the environment's root.
            supply: requirements, one a line.
            is_hashed: whether each has hashes that must be met.

        Raises:
            InstallError: ENV020 when uv fails, ENV021 when the disk is full, ENV022 when a file has other bytes,
                ENV025 when the wheelhouse lacks a file or has a damaged one.
            ToolError: TOL022 when files cannot be reached.
        """
        flags = [flag for flag in self._flags(supply) if is_hashed or flag != "--require-hashes"]
        with tempfile.TemporaryDirectory(prefix="envsmith-") as scratch:
            source = Path(scratch) / "requirements.txt"
            source.write_text(supply.text, "utf-8")
            words = ("--python", prefix, "--no-deps", "--reinstall", "--requirement", source)
            finished = self._run("pip", "install", *flags, *words)
        if finished.status:
            raise failure(finished, "the packages could not be installed again", supply)

    def forget(self, names: Sequence[str]) -> None:
        """Take distributions out of uv's cache: files of it that an environment shares may have been changed there."""
        self._run("cache", "clean", *names)
