"""Install: build beside what is there, prove, switch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from envsmith.environment import model, verification
from envsmith.environment.model import Generation, Import, Interpreter
from envsmith.errors import InstallError
from envsmith.install.build import build
from envsmith.install.request import (
    InstallRequest,
    InstallTools,
    LockedInstall,
    expected,
    has_shims,
    locked_files,
    read_lock,
)
from envsmith.install.space_needed import SpaceNeeded, room_for
from envsmith.lockfile.manifest import Manifest
from envsmith.model.finding import Report
from envsmith.model.target import Python


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallResult:
    """What an install did."""

    generation: Generation
    how: str
    """``built``, ``switched`` (it was there already) or ``unchanged`` (it is current already)."""
    before: str = ""
    """Id of the generation that was current; empty where there was none, it is the same, or it was removed by hand."""
    aside: str = ""
    """Name under which an environment made by others is kept."""
    imports: tuple[Import, ...] = ()
    runs: tuple[Import, ...] = ()
    """Names are the commands."""
    need: SpaceNeeded | None = None
    """What it took; None where nothing was built."""


def install(order: InstallRequest, tools: InstallTools) -> InstallResult:
    """Build the environment of a lock beside the current one, prove it, and switch to it.

    Raises:
        LockError: LCK004 where no lock is for the interpreter, LCK005 where there is no lock, LCK006 where one is
            malformed.
        InstallError: ENV001 where the new environment is not what the lock says, ENV002 where there is no interpreter,
            ENV003 where there is too little room; others where it cannot be built. What was current still is.
        ToolError: where files cannot be reached.
    """
    found, manifest = locked_files(order, tools.files)
    with tools.environments.alone(f"installing {order.profile}") as is_crashed:
        before = tools.environments.current()
        python, interpreter = _interpreter(order, manifest, tools)
        slug = model.fitting(manifest.targets, interpreter, profile=order.profile)
        locked = read_lock(order, manifest, found, slug)
        if ready := None if order.anew else _ready(order, locked, interpreter, tools):
            return _switch(ready, before, tools, how="switched" if ready.id != before else "unchanged")
        if tools.gather:
            locked = replace(locked, supply=tools.gather(locked, manifest, found))
        need = room_for(locked, python, tools)
        built = build(order, locked, python, tools, deep=order.deep or is_crashed)
        done = _switch(built.generation, before, tools, how="built")
        return replace(done, imports=built.imports, runs=built.runs, need=need)


def _switch(generation: Generation, before: str, tools: InstallTools, *, how: str) -> InstallResult:
    aside = tools.environments.switch(generation.id) if generation.id != before else ""
    is_left = before != generation.id and tools.environments.generation(before)
    return InstallResult(
        generation=generation,
        how=how,
        before=before if is_left else "",
        aside=aside,
    )


def _interpreter(order: InstallRequest, manifest: Manifest, tools: InstallTools) -> tuple[Path, Interpreter]:
    """Find the interpreter that is asked for, or one that a lock is for."""
    requests = [order.python] if order.python else _pythons(order, manifest, tools)
    for request in requests:
        if path := tools.installer.find_python(request):
            return path, tools.probe.interpreter(path)
    asked = order.python or " or ".join(requests) or "any that is locked for"
    raise InstallError(
        "ENV002",
        f"there is no Python {asked} on this machine",
        where=f"envsmith install {order.profile}",
        details=tuple(("locked for", slug) for slug in sorted(manifest.targets)),
        hint="install one of these, or name an interpreter with --python",
    )


def _pythons(order: InstallRequest, manifest: Manifest, tools: InstallTools) -> list[str]:
    """Return the Pythons worth looking for: that of the current environment first, then our own, then the newest."""
    current = tools.environments.generation(tools.environments.current())
    preferred = order.this_python
    if current and current.profile == order.profile:
        preferred = Python.parse(current.python.rpartition(".")[0])
    found = model.pythons_on(manifest.targets, order.here, preferred)
    return [str(python) for python in found or (order.this_python,)]


def _ready(
    order: InstallRequest, locked: LockedInstall, interpreter: Interpreter, tools: InstallTools
) -> Generation | None:
    """Return a generation that was built from this very lock and is intact, the current one before others."""
    current = tools.environments.current()
    found = sorted(tools.environments.generations(), key=lambda one: one.id != current)
    for one in found:
        if not _is_asked_for(one, order, locked, interpreter) or not tools.environments.is_intact(one):
            continue
        # What is current was proved when it became so; any other is proved before it does.
        is_asked = order.deep or one.id != current
        if not (is_asked and _report(one, order, locked, tools).has_errors):
            return one
    return None


def _is_asked_for(
    one: Generation, order: InstallRequest, locked: LockedInstall, interpreter: Interpreter
) -> bool:
    """Say whether a generation was built from a lock for an interpreter, and has passed all that is to be tried."""
    return (
        (one.profile, one.lock_sha256, one.guard) == (order.profile, locked.sha256, order.guard)
        and (one.python, one.base) == (interpreter.version, interpreter.base)
        and has_shims(one, order)
        and one.compiled >= order.compiled
        and set(one.tried) >= set(order.checks.words)
    )


def _report(one: Generation, order: InstallRequest, locked: LockedInstall, tools: InstallTools) -> Report:
    environment = tools.probe.environment(tools.environments.prefix(one.id), deep=order.deep)
    return verification.verify(expected(order, locked, environment), locked.backend, environment)
