"""CI matrices: the jobs of locks, their runners, and their parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from packaging.version import Version

from envsmith.ci.job import Footprint, Job
from envsmith.config.pyproject_settings import Runners, keys_of, needs_gpu
from envsmith.errors import ResolveError
from envsmith.lockfile.pins import Pin
from envsmith.lockfile.saved import SavedLock, packed_bytes
from envsmith.model.wheel import WheelContents

# Projects with builds of each version for every backend; others on PyTorch's index serve one kind of GPU only.
_ON_ALL_BACKENDS = ("torch", "torchaudio", "torchcodec", "torchvision")

Parts = tuple[tuple[Job, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """The available runners."""

    own: Runners
    """Those set in the project."""
    hosted: Runners
    """Those of the CI service."""


def changed(locks: Iterable[SavedLock], before: Iterable[SavedLock]) -> tuple[SavedLock, ...]:
    """Return the locks that differ in installed files from the earlier lock of the same name."""
    known = {(lock.name, lock.digest()) for lock in before}
    return tuple(lock for lock in locks if (lock.name, lock.digest()) not in known)


def make_jobs(locks: Iterable[SavedLock], folder: str) -> tuple[Job, ...]:
    """Return one job per lock, sorted by name.

    Args:
        locks: the locks to test.
        folder: the folder of the lock folders, relative to the project.
    """
    return tuple(
        Job(lock=lock, path=_path(lock, folder)) for lock in sorted(locks, key=lambda lock: lock.name)
    )


def fall_back(jobs: Iterable[Job], locks: Iterable[SavedLock], own: Runners, folder: str) -> tuple[Job, ...]:
    """Replace GPU locks without a project runner by CPU locks.

    Args:
        jobs: the jobs.
        locks: all locks; the first CPU lock with the same Python, platform, versions of the torch family and all
            direct requirements is taken.
        own: the runners set in the project.
        folder: the folder of the lock folders, relative to the project.

    Raises:
        ResolveError: RES141 without such a lock.
    """
    cpu_locks = sorted((lock for lock in locks if not needs_gpu(lock.target)), key=lambda lock: lock.name)
    placed: dict[str, Job] = {}
    missing: list[ResolveError] = []
    for job in jobs:
        if not job.needs_gpu or own.find(job.lock.target):
            placed[job.name] = job
            continue
        found = next((lock for lock in cpu_locks if _replaces(lock, job.lock)), None)
        if found is None:
            missing.append(_no_cpu_lock(job.lock))
        elif found.name not in placed:
            placed[found.name] = Job(lock=found, path=_path(found, folder), stands_for=job.name)
    _raise_all(missing, "RES141", "some locks need a GPU and have no equivalent CPU lock")
    return tuple(sorted(placed.values(), key=lambda job: job.name))


def on_runners(jobs: Iterable[Job], machines: Machines, service: str) -> tuple[Job, ...]:
    """Assign each job the labels of its runner.

    Raises:
        ResolveError: RES140 where neither the project nor the service has a runner.
    """
    table = machines.own.over(machines.hosted)
    placed = [replace(job, runner=table.find(job.lock.target)) for job in jobs]
    missing = [_no_runner(job.lock, service) for job in placed if not job.runner]
    _raise_all(missing, "RES140", f"{service} has no runner for some locks")
    return tuple(placed)


def waiting_jobs(jobs: Iterable[Job], own: Runners) -> dict[tuple[str, ...], int]:
    """Return labels → number of jobs that wait for a self-hosted runner not set in the project."""
    found: dict[tuple[str, ...], int] = {}
    for job in jobs:
        if job.runner[:1] == ("self-hosted",) and not own.find(job.lock.target):
            found[job.runner] = found.get(job.runner, 0) + 1
    return found


def footprint(lock: SavedLock, contents: Mapping[str, WheelContents]) -> Footprint:
    """Return the disk space of an installed lock, as far as known.

    Args:
        lock: the lock.
        contents: sha256 of a wheel → its cached contents.
    """
    known = {pin.name: _bytes_of(pin, lock, contents) for pin in lock.pins.packages}
    return Footprint(
        known_bytes=sum(found or 0 for found in known.values()),
        unknown=tuple(sorted(name for name, found in known.items() if found is None)),
    )


def _bytes_of(pin: Pin, lock: SavedLock, contents: Mapping[str, WheelContents]) -> int | None:
    held = next((contents[sha256] for sha256 in pin.sha256 if sha256 in contents), None)
    return held.unpacked_bytes if held else packed_bytes(lock, pin)


def split(jobs: Sequence[Job], most: int | None) -> Parts:
    """Split jobs into parts of at most `most` jobs; return at least one part."""
    size = most or max(len(jobs), 1)
    return tuple(tuple(jobs[at : at + size]) for at in range(0, len(jobs), size)) or ((),)


def _path(lock: SavedLock, folder: str) -> str:
    return f"{folder}/{lock.profile}/requirements.{lock.target.slug}.txt"


def _replaces(cpu_lock: SavedLock, lock: SavedLock) -> bool:
    # Requirements dropped or limited to other targets are not in the lock itself.
    required = (name for name in lock.requested if lock.pins.version(name))
    if cpu_lock.target.slug != lock.target.slug or not all(cpu_lock.pins.version(name) for name in required):
        return False
    names = [name for name in _ON_ALL_BACKENDS if lock.pins.version(name)]
    return bool(names) and all(_public(cpu_lock, name) == _public(lock, name) for name in names)


def _public(lock: SavedLock, name: str) -> str:
    found = lock.pins.version(name)
    return Version(found).public if found else ""


def _no_cpu_lock(lock: SavedLock) -> ResolveError:
    versions = " ".join(
        f"{name} {_public(lock, name)}" for name in _ON_ALL_BACKENDS if lock.pins.version(name)
    )
    return ResolveError(
        "RES141",
        f"no CPU lock contains {versions} and all other requirements",
        where=lock.name,
        hint='lock a profile that `extends` this one with backend = "cpu" and the same versions',
    )


def _no_runner(lock: SavedLock, service: str) -> ResolveError:
    return ResolveError(
        "RES140",
        f"{service} has no hosted runner for {keys_of(lock.target)[-1]}",
        where=lock.name,
        hint=f'set one in pyproject.toml: [tool.envsmith.ci.{service}] {keys_of(lock.target)[-1]} = "..."',
    )


def _raise_all(found: Sequence[ResolveError], code: str, message: str) -> None:
    if len(found) == 1:
        raise found[0]
    if found:
        raise ResolveError(code, message, where="envsmith matrix", parts=tuple(found))
