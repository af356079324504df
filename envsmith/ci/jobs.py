"""Jobs of a CI matrix, made from the locks of a project."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from envsmith.ci import job_planning
from envsmith.ci.job import Footprint, Job
from envsmith.config.pyproject_settings import Runners
from envsmith.errors import EnvsmithError
from envsmith.files.git import GitRevisions
from envsmith.lockfile.saved import SavedLock
from envsmith.lockfile.store import read_locks
from envsmith.model.wheel import WheelContents
from envsmith.plan.ports import Files
from envsmith.wiring import lock_rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Locks:
    """The locks of a matrix."""

    folder: PurePosixPath
    """Folder of the lock folders, relative to the project."""
    profiles: tuple[str, ...]
    every: tuple[str, ...] = ()
    """All locked profiles; CPU fallbacks are searched in these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixOptions:
    """The selection of jobs, and their runners."""

    only_changed: str = ""
    """A git revision: leave out locks unchanged since then."""
    has_cpu_fallback: bool = False
    service: str = ""
    """The CI service; empty for no runners."""
    machines: job_planning.Machines = field(
        default_factory=lambda: job_planning.Machines(own=Runners(), hosted=Runners())
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixTools:
    """Readers of files, revisions and cached wheel contents."""

    project: Path
    files: Files
    revisions: GitRevisions
    cached_contents: Callable[[str, str], WheelContents | None] = lambda _sha256, _url: None
    """Returns the cached contents of a wheel, by sha256 and URL."""


def matrix_jobs(locks: Locks, wish: MatrixOptions, tools: MatrixTools) -> tuple[Job, ...]:
    """Return the jobs, sorted by name.

    Raises:
        LockError: when a lock is missing or malformed.
        ResolveError: RES140 and RES141 where a lock has no runner.
        EnvsmithError: USE010 when the revision does not exist, USE011 outside a git repository.
    """
    wanted = [lock for name in locks.profiles for lock in _read(name, locks, tools)]
    if wish.only_changed:
        wanted = list(job_planning.changed(wanted, _before(wish.only_changed, locks, tools)))
    jobs = job_planning.make_jobs(wanted, str(locks.folder))
    if wish.has_cpu_fallback:
        every = [lock for name in locks.every for lock in _read(name, locks, tools)]
        jobs = job_planning.fall_back(jobs, every, wish.machines.own, str(locks.folder))
    jobs = tuple(replace(job, disk=_footprint(job.lock, tools)) for job in jobs)
    return job_planning.on_runners(jobs, wish.machines, wish.service) if wish.service else jobs


def _footprint(lock: SavedLock, tools: MatrixTools) -> Footprint:
    known = {
        sha256: tools.cached_contents(sha256, pin.url) for pin in lock.pins.packages for sha256 in pin.sha256
    }
    return job_planning.footprint(lock, {sha256: held for sha256, held in known.items() if held})


def _read(profile: str, locks: Locks, tools: MatrixTools) -> tuple[SavedLock, ...]:
    folder = locks.folder / profile
    return read_locks(profile, tools.files.read_files(tools.project / folder), folder, lock_rules())


def _before(revision: str, locks: Locks, tools: MatrixTools) -> list[SavedLock]:
    """Read the locks of a revision, without malformed ones."""
    found = tools.revisions.folders(revision, locks.folder)
    before: list[SavedLock] = []
    for profile in locks.profiles:
        if profile in found:
            before += _readable_locks(profile, found[profile], locks.folder / profile)
    return before


def _readable_locks(profile: str, found: Mapping[str, bytes], folder: PurePosixPath) -> tuple[SavedLock, ...]:
    try:
        return read_locks(profile, found, folder)
    except EnvsmithError:
        return ()
