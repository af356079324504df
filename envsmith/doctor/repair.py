"""Repair of environments: execution of a plan with uv, and verification of its result.

Source of uv's behaviour: seen with uv 0.13.8, 2026-11-21.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from envsmith.catalog import Catalog
from envsmith.doctor import repair_plan
from envsmith.doctor.repair_plan import (
    ASIDE_FOLDER,
    RepairInput,
    RepairPlan,
    RepairStep,
    StepKind,
)
from envsmith.errors import VerificationError
from envsmith.files.os_errors import environment_errors, retried
from envsmith.files.own_folder import check_links, extended
from envsmith.lockfile.pins import InstallSource
from envsmith.model.naming import unique_name
from envsmith.uv.installer import UvInstaller, failure

MAX_ROUNDS = 3


_DAMAGED_FILES = ("ENV014", "ENV015")
"""Codes of missing and changed files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairTools:
    """Functions and services for a repair."""

    examine: Callable[[], RepairInput]
    """Examines the environment."""
    repairer: UvRepairer
    rebuild: Callable[[], None]
    """Rebuilds a managed environment and switches to it."""
    catalog: Catalog
    supply: InstallSource
    """Source of the lock's files; its text is not used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairResult:
    """The result of a repair."""

    before: RepairInput
    steps: tuple[RepairStep, ...]
    """All executed steps."""
    after: RepairInput
    plan: RepairPlan
    """The remaining steps."""


def plan(damaged: RepairInput, tools: RepairTools) -> RepairPlan:
    """Return the plan of a repair."""
    return repair_plan.plan_repair(damaged, tools.catalog)


def repair(damaged: RepairInput, first: RepairPlan, prefix: Path, tools: RepairTools) -> RepairResult:
    """Execute a plan, examine the environment again, and repeat while new problems appear.

    Args:
        damaged: the environment and its problems.
        first: the confirmed plan.
        prefix: the environment's root.
        tools: functions and services.

    Raises:
        InstallError: when an installation or removal fails; earlier steps remain done.
        ToolError: when files cannot be downloaded; TOL019 when ``site-packages`` is a link out of the environment.
    """
    executed: list[RepairStep] = []
    now, next_plan = damaged, first
    for number in range(MAX_ROUNDS):
        if not next_plan.steps:
            break
        for step in next_plan.steps:
            _execute(step, now, prefix, tools, is_again=number > 0)
            executed.append(step)
        now = tools.examine()
        next_plan = repair_plan.plan_repair(now, tools.catalog)
    return RepairResult(before=damaged, steps=tuple(executed), after=now, plan=next_plan)


def _execute(
    step: RepairStep, damaged: RepairInput, prefix: Path, tools: RepairTools, *, is_again: bool
) -> None:
    if step.kind == StepKind.REBUILD:
        _rebuild(damaged, tools, is_again=is_again)
        return
    check_links(prefix, prefix / damaged.environment.site)
    if step.kind == StepKind.MOVE:
        tools.repairer.move_aside(prefix, damaged.environment.site, step.subjects)
    elif step.kind == StepKind.REMOVE:
        tools.repairer.remove(prefix, step.subjects)
    elif step.kind == StepKind.INSTALL:
        names = step.names
        if is_again:
            tools.repairer.clean_cache(names)
        tools.repairer.reinstall(prefix, _supply(step, damaged, tools), is_hashed=step.is_hashed)


def _rebuild(damaged: RepairInput, tools: RepairTools, *, is_again: bool) -> None:
    """Rebuild; if the verification fails, retry once without cached files of damaged packages."""
    damaged_names = sorted({item.subject for item in damaged.findings if item.code in _DAMAGED_FILES})
    if is_again and damaged_names:
        tools.repairer.clean_cache(damaged_names)
    try:
        tools.rebuild()
    except VerificationError:
        if is_again or not damaged_names:
            raise
        tools.repairer.clean_cache(damaged_names)
        tools.rebuild()


def _supply(step: RepairStep, damaged: RepairInput, tools: RepairTools) -> InstallSource:
    names = set(step.names)
    is_locked = step.is_hashed and damaged.pins is not None
    by_name = bool(tools.supply.wheelhouse)
    text = (
        damaged.pins.to_requirements(names, by_name=by_name)
        if is_locked and damaged.pins
        else "\n".join(step.subjects)
    )
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
    """Repairs environments that envsmith does not manage."""

    def move_aside(self, prefix: Path, site: str, folders: Sequence[str]) -> None:
        """Move files and folders from ``site-packages`` to a folder that Python does not search.

        Raises:
            InstallError: ENV021 when the disk is full, ENV024 when a file cannot be moved.
            ToolError: TOL019 when a link in the environment leads out of it.
        """
        place = prefix / ASIDE_FOLDER
        check_links(prefix, place)
        with environment_errors(place):
            place.mkdir(exist_ok=True)
            for folder in folders:
                free = unique_name(folder, lambda name: (place / name).exists(), joint=".")
                (place / free).parent.mkdir(parents=True, exist_ok=True)
                retried(Path(extended(prefix / site / folder)).rename, extended(place / free))

    def remove(self, prefix: Path, names: Sequence[str]) -> None:
        """Remove distributions.

        Raises:
            InstallError: ENV020 when uv fails.
        """
        finished = self._run("pip", "uninstall", "--python", prefix, *names)
        if finished.status:
            raise failure(finished, f"cannot remove {', '.join(names)}")

    def reinstall(self, prefix: Path, supply: InstallSource, *, is_hashed: bool) -> None:
        """Reinstall distributions without their requirements.

        Args:
            prefix: the environment's root.
            supply: requirements, one per line.
            is_hashed: whether each has hashes to verify.

        Raises:
            InstallError: ENV020 when uv fails, ENV021 when the disk is full, ENV022 when a hash differs, ENV025 when a
                file of the wheelhouse is missing or damaged.
            ToolError: TOL022 when files cannot be downloaded.
        """
        flags = [flag for flag in self._flags(supply) if is_hashed or flag != "--require-hashes"]
        with tempfile.TemporaryDirectory(prefix="envsmith-") as scratch:
            source = Path(scratch) / "requirements.txt"
            source.write_bytes(supply.text.encode())
            words = ("--python", prefix, "--no-deps", "--reinstall", "--requirement", source)
            finished = self._run("pip", "install", *flags, *words)
        if finished.status:
            raise failure(finished, "cannot reinstall the packages", supply)

    def clean_cache(self, names: Sequence[str]) -> None:
        """Remove distributions from uv's cache, whose files an environment may share and change."""
        self._run("cache", "clean", *names)
