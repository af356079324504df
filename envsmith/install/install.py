"""Install: build a generation beside the current one, verify it, switch to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from envsmith.catalog import Catalog
from envsmith.environment import given, lock_comparison, model
from envsmith.environment.distributions import Wheels
from envsmith.environment.generation import Generation
from envsmith.environment.long_paths import check_lengths
from envsmith.environment.model import Import, Interpreter
from envsmith.errors import InstallError
from envsmith.install.build import build, check_programs, given_problems
from envsmith.install.disk_space import SpaceNeeded, check_space, package_sizes
from envsmith.install.ports import InstallTools
from envsmith.install.request import (
    InstallRequest,
    LockedInstall,
    expected_pins,
    has_requested_shims,
    read_lock,
    read_lock_folder,
)
from envsmith.lockfile.manifest import Manifest
from envsmith.model.finding import Report
from envsmith.model.target import Python


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallResult:
    """The current generation after an install."""

    generation: Generation
    how: str
    """``built``, ``switched`` (it existed) or ``unchanged`` (it was current)."""
    before: str = ""
    """Id of the previous current generation; empty if there was none, it is the same, or it was deleted by hand."""
    aside: str = ""
    """Name of the folder in ``.envsmith/aside`` with an environment not managed by envsmith."""
    imports: tuple[Import, ...] = ()
    runs: tuple[Import, ...] = ()
    """Named by their commands."""
    need: SpaceNeeded | None = None
    """None if nothing was built."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallPlan:
    """The changes that an install would make."""

    profile: str
    target: str
    python: str
    """Version of the interpreter."""
    how: str
    """``built``, ``switched`` or ``unchanged``, as in `InstallResult`."""
    generation: str = ""
    """Id of the existing generation; empty if one would be built."""
    packages: int
    downloads: tuple[str, ...] | None = ()
    """Names of the packages missing from uv's cache; None if unknown."""
    sources: tuple[str, ...] = ()
    """Names of the packages that would be built from source."""
    need: SpaceNeeded | None = None
    """None if nothing would be built."""


def plan_install(request: InstallRequest, tools: InstallTools) -> InstallPlan:
    """Return the changes that `install` would make; nothing is downloaded or written.

    Raises:
        EnvsmithError: as `install`, as far as an error can be foreseen.
    """
    files, manifest = read_lock_folder(request, tools.files)
    python, interpreter, locked = _locked(request, manifest, files, tools)
    plan = InstallPlan(
        profile=request.profile,
        target=locked.slug,
        python=interpreter.version,
        how="built",
        packages=len(locked.pins.packages),
    )
    if existing := _existing(request, locked, interpreter, tools):
        how = "unchanged" if existing.id == tools.store.current() else "switched"
        return replace(plan, how=how, generation=existing.id)
    _check_lengths(locked, tools)
    missing = tools.installer.outstanding(locked.source, python)
    return replace(
        plan,
        downloads=None if missing is None else tuple(sorted(missing)),
        sources=locked.source.sources,
        need=_check_space(locked, missing, tools),
    )


def install(request: InstallRequest, tools: InstallTools) -> InstallResult:
    """Install the lock of a profile; after an error the current environment is unchanged.

    Raises:
        LockError: LCK004 when no lock fits the interpreter, LCK005 when the profile is not locked, LCK006 when a lock
            is malformed.
        InstallError: ENV001 when the new environment does not match its lock, ENV002 when no interpreter is found,
            ENV003 when disk space is insufficient, ENV036 when Windows does not allow paths of this length; others when
            it cannot be built.
        ToolError: when files cannot be downloaded.
    """
    files, manifest = read_lock_folder(request, tools.files)
    with tools.store.lock(f"installing {request.profile}") as is_recovered:
        before = tools.store.current()
        python, interpreter, locked = _locked(request, manifest, files, tools)
        if existing := None if request.rebuild else _existing(request, locked, interpreter, tools):
            return _switch(existing, before, tools, how="switched" if existing.id != before else "unchanged")
        tools.store.check_link()
        tools.check_builds({pin.name: pin.pinned_source for pin in locked.pins.packages if pin.is_built})
        check_programs(locked, tools)
        _check_lengths(locked, tools)
        if tools.prefetcher:
            locked = replace(locked, source=tools.prefetcher.fetch(locked, manifest, files))
        not_cached = tools.installer.outstanding(locked.source, python)
        need = _check_space(locked, not_cached, tools)
        wheels = tools.wheels(locked, not_cached)
        _check_lengths(locked, tools, wheels)
        built = build(request, locked, python, tools, wheels, deep=request.deep or is_recovered)
        done = _switch(built.generation, before, tools, how="built")
        return replace(done, imports=built.imports, runs=built.runs, need=need)


def _switch(generation: Generation, before: str, tools: InstallTools, *, how: str) -> InstallResult:
    aside = tools.store.switch(generation.id) if generation.id != before else ""
    is_kept = before != generation.id and tools.store.generation(before)
    return InstallResult(generation=generation, how=how, before=before if is_kept else "", aside=aside)


def _locked(
    request: InstallRequest, manifest: Manifest, files: Mapping[str, bytes], tools: InstallTools
) -> tuple[Path, Interpreter, LockedInstall]:
    """Return the interpreter, and the lock that fits it."""
    python, interpreter = _find_interpreter(request, manifest, tools)
    slug = model.choose_target(manifest.targets, interpreter, profile=request.profile)
    locked = read_lock(request, manifest, files, slug)
    if locked.given:
        base = tools.probe.environment(Path(interpreter.base), deep=False)
        given.check_base(locked.given, base, request.profile)
    return python, interpreter, locked


def _find_interpreter(
    request: InstallRequest, manifest: Manifest, tools: InstallTools
) -> tuple[Path, Interpreter]:
    """Find the requested interpreter, or one that the profile is locked for."""
    named = request.python or (manifest.given and (given.outside_project(request.given_python) or "python3"))
    candidates = [named] if named else _candidates(request, manifest, tools)
    for candidate in candidates:
        if path := tools.installer.find_python(candidate):
            return path, tools.probe.interpreter(path)
    raise InstallError(
        "ENV002",
        f"Python {' or '.join(candidates)} not found on this machine",
        where=f"envsmith install {request.profile}",
        details=tuple(("locked for", slug) for slug in sorted(manifest.targets)),
        hint="install one of these versions, or choose an interpreter with --python",
    )


def _candidates(request: InstallRequest, manifest: Manifest, tools: InstallTools) -> list[str]:
    """Return the Python versions to look for: of the current environment, of this process, then the newest."""
    current = tools.store.generation(tools.store.current())
    preferred = request.this_python
    if current and current.profile == request.profile:
        suffix = "t" if current.target.partition("-")[0].endswith("t") else ""
        preferred = Python.parse(current.python.rpartition(".")[0] + suffix)
    found = model.locked_pythons(manifest.targets, request.this_platform, preferred)
    return [str(python) for python in found or (request.this_python,)]


def _check_space(
    locked: LockedInstall, not_cached: frozenset[str] | None, tools: InstallTools
) -> SpaceNeeded:
    cache, target = tools.disk_of(tools.installer.cache()), tools.disk_of(tools.store.folder)
    return check_space(
        package_sizes(locked, not_cached), cache, target, is_copying=tools.installer.is_copying()
    )


def _check_lengths(locked: LockedInstall, tools: InstallTools, wheels: Wheels | None = None) -> None:
    """Check the lengths of paths where Windows limits them, by the lists of files that are known without download."""
    if not tools.has_long_paths():
        store, wheels = tools.store, tools.wheels(locked, ()) if wheels is None else wheels
        known = Catalog.embedded().bad_releases()
        check_lengths(
            store.prefix("000000"), locked.pins.packages, wheels, known, has_store=store.store is not None
        )


def _existing(
    request: InstallRequest, locked: LockedInstall, interpreter: Interpreter, tools: InstallTools
) -> Generation | None:
    """Return an intact generation that was built from the same lock, preferably the current one."""
    current = tools.store.current()
    for generation in sorted(tools.store.generations(), key=lambda item: item.id != current):
        if not _fits(generation, request, locked, interpreter) or not tools.store.is_intact(generation):
            continue
        if not tools.store.is_unchanged(generation):
            continue
        # The current generation was verified when it became current; any other is verified before it does.
        if request.deep or generation.id != current:
            is_damaged = _verify(generation, request, locked, tools).has_errors
        else:
            is_damaged = bool(tools.store.lost_files(generation))
        if not is_damaged:
            return generation
    return None


def _fits(
    generation: Generation, request: InstallRequest, locked: LockedInstall, interpreter: Interpreter
) -> bool:
    """Return whether a generation has the lock, interpreter, options and smoke tests of a request."""
    return (
        (generation.profile, generation.lock_sha256, generation.guard)
        == (request.profile, locked.sha256, request.guard)
        and (generation.python, generation.base) == (interpreter.version, interpreter.base)
        and has_requested_shims(generation, request)
        and generation.compiled >= request.compile_bytecode
        and set(generation.tried) >= set(request.smoke_tests.labels)
    )


def _verify(
    generation: Generation, request: InstallRequest, locked: LockedInstall, tools: InstallTools
) -> Report:
    wheels = tools.wheels(locked, ())
    environment = tools.probe.environment(tools.store.prefix(generation.id), deep=request.deep, wheels=wheels)
    expected = given.as_expected(environment, locked.given)
    report = lock_comparison.verify(
        expected_pins(request, locked, environment), locked.entry.backend, expected
    )
    return Report(findings=(*report.findings, *given_problems(locked, environment, tools.probe)))
