"""From locks to the jobs of a CI matrix, and to what each CI service reads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from packaging.version import Version

from envsmith.ci.job import Footprint, Job
from envsmith.ci.workflows import yaml_text
from envsmith.config.settings import Runners, keys_of, needs_gpu
from envsmith.errors import ResolveError
from envsmith.lockfile.pins import Pin
from envsmith.lockfile.saved import SavedLock, packed_bytes
from envsmith.model.naming import free_name
from envsmith.model.wheel import WheelContents

# What has builds of one version for every backend; the others of PyTorch's index are made for one kind of GPU.
_EVERYWHERE = ("torch", "torchaudio", "torchcodec", "torchvision")
_AZURE_NAME = 100
# Jobs without rules are left out where the parent is a merge request's pipeline, unless there is a `workflow`.
# Source: docs.gitlab.com, ci/pipelines/downstream_pipelines, "Run child pipelines with merge request pipelines"
# (read 2026-11-21).
_GITLAB = """\
# By `envsmith matrix --format gitlab`: a child pipeline; .envsmith-linux and so on say what a job does.
workflow:
  rules:
    - when: always
"""
_NOTHING = "envsmith:\n  script:\n    - echo no lock has changed\n"

Parts = tuple[tuple[Job, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """The runners there are."""

    own: Runners
    """Those that the project names."""
    lent: Runners
    """Those that the CI service lends."""


def changed(locks: Iterable[SavedLock], before: Iterable[SavedLock]) -> tuple[SavedLock, ...]:
    """Return the locks that would not install what the lock of their name installed before."""
    known = {(lock.name, lock.digest()) for lock in before}
    return tuple(lock for lock in locks if (lock.name, lock.digest()) not in known)


def make_jobs(locks: Iterable[SavedLock], folder: str) -> tuple[Job, ...]:
    """Return one job a lock, sorted by name.

    Args:
        locks: what to try.
        folder: the folder of the lock folders, relative to the project.
    """
    return tuple(
        Job(lock=lock, path=_path(lock, folder)) for lock in sorted(locks, key=lambda lock: lock.name)
    )


def fall_back(jobs: Iterable[Job], locks: Iterable[SavedLock], own: Runners, folder: str) -> tuple[Job, ...]:
    """Put a lock for the CPU in the place of each that needs a GPU where the project names no runner with one.

    Args:
        jobs: as they are.
        locks: all locks there are; of those for the CPU the first is taken that has the same Python, platform and
            versions of the torch family, and everything that was asked for.
        own: the runners that the project names.
        folder: the folder of the lock folders, relative to the project.

    Raises:
        ResolveError: RES141 where there is no such lock.
    """
    plain = sorted((lock for lock in locks if not needs_gpu(lock.target)), key=lambda lock: lock.name)
    placed: dict[str, Job] = {}
    lacking: list[ResolveError] = []
    for job in jobs:
        if not job.needs_gpu or own.find(job.lock.target):
            placed[job.name] = job
            continue
        found = next((lock for lock in plain if _stands_for(lock, job.lock)), None)
        if found is None:
            lacking.append(_no_cpu_lock(job.lock))
        elif found.name not in placed:
            placed[found.name] = Job(lock=found, path=_path(found, folder), stands_for=job.name)
    _raise_all(lacking, "RES141", "some locks need a GPU, and have no equal for the CPU")
    return tuple(sorted(placed.values(), key=lambda job: job.name))


def on_runners(jobs: Iterable[Job], machines: Machines, service: str) -> tuple[Job, ...]:
    """Give each job the labels of its machine.

    Raises:
        ResolveError: RES140 where neither the project nor the service has one.
    """
    table = machines.own.over(machines.lent)
    placed = [replace(job, runner=table.find(job.lock.target)) for job in jobs]
    lacking = [_no_runner(job.lock, service) for job in placed if not job.runner]
    _raise_all(lacking, "RES140", f"{service} has no runner for some locks")
    return tuple(placed)


def awaited(jobs: Iterable[Job], own: Runners) -> dict[tuple[str, ...], int]:
    """Return labels → jobs that wait for a machine of the project's own which it has not named: nobody lends one."""
    found: dict[tuple[str, ...], int] = {}
    for job in jobs:
        if job.runner[:1] == ("self-hosted",) and not own.find(job.lock.target):
            found[job.runner] = found.get(job.runner, 0) + 1
    return found


def footprint(lock: SavedLock, contents: Mapping[str, WheelContents]) -> Footprint:
    """Return what an install of a lock takes of a disk, as far as it is known.

    Args:
        lock: what is installed.
        contents: sha256 of a wheel → what it holds, of those that somebody has looked into.
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
    """Cut jobs into parts of at most some; there is one part at least."""
    size = most or max(len(jobs), 1)
    return tuple(tuple(jobs[at : at + size]) for at in range(0, len(jobs), size)) or ((),)


def to_github(jobs: Iterable[Job]) -> str:
    """Return one matrix as ``fromJSON`` reads it: one line."""
    entries = []
    for job in jobs:
        runner = list(job.runner) if len(job.runner) > 1 else "".join(job.runner)
        entries.append({**_known(job), "runner": runner})
    return json.dumps({"include": entries}, separators=(",", ":"))


def github_outputs(parts: Parts) -> dict[str, str]:
    """Return what a step tells later jobs: how many jobs and parts, and the matrix, or the parts of one too large.

    There is no ``matrix`` where there are several parts: who reads it alone must not lose jobs unseen.
    """
    numbered = {f"matrix-{number}": to_github(part) for number, part in enumerate(parts, 1)}
    whole = {"matrix": to_github(parts[0])} if len(parts) == 1 else {}
    return {"count": str(sum(map(len, parts))), "parts": str(len(parts)), **whole, **numbered}


def to_azure(jobs: Iterable[Job]) -> str:
    """Return a matrix as Azure Pipelines reads it out of a variable: names → variables, one line."""
    legs: dict[str, dict[str, str]] = {}
    for job in jobs:
        values = {key: _text(value) for key, value in _known(job).items()}
        legs[_azure_name(job.name, legs)] = {**values, "runner": " ".join(job.runner)}
    return json.dumps(legs, separators=(",", ":"))


def to_gitlab(jobs: Sequence[Job], most: int | None) -> str:
    """Return a child pipeline: jobs of one runner in one ``parallel:matrix``, or in several where that is too large."""
    by_runner: dict[tuple[str, tuple[str, ...]], list[Job]] = {}
    for job in jobs:
        by_runner.setdefault((job.lock.target.platform.os, job.runner), []).append(job)
    parts = [part for found in by_runner.values() for part in split(found, most)]
    body = "".join(_gitlab_job(number, part) for number, part in enumerate(parts, 1) if part)
    return _GITLAB + (body or _NOTHING)


def _gitlab_job(number: int, jobs: Sequence[Job]) -> str:
    # GitLab names a job by all values of its row, in at most 255 characters: what follows from others is left out.
    kept = ("profile", "target", "python", "backend", "gpu", "cache_key")
    rows = [{f"JOB_{key.upper()}": _text(_known(job)[key]) for key in kept} for job in jobs]
    system = jobs[0].lock.target.platform.os
    tags = ", ".join(map(yaml_text, jobs[0].runner))
    return (
        f"envsmith-{number}:\n  extends: .envsmith-{system}\n  tags: [{tags}]\n"
        "  parallel:\n    matrix:\n" + "".join(f"      - {json.dumps(row)}\n" for row in rows)
    )


def _known(job: Job) -> dict[str, object]:
    return {key: value for key, value in job.to_json().items() if value not in (None, "")}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _azure_name(name: str, taken: Iterable[str]) -> str:
    """Return a name of letters, digits and underscores that begins with a letter, and is not taken.

    Source: Azure Pipelines, jobs.job.strategy (read 2026-11-21).
    """
    plain = re.sub(r"[^A-Za-z0-9]", "_", name)
    plain = (plain if plain[0].isalpha() else f"job_{plain}")[: _AZURE_NAME - 4]
    return free_name(plain, lambda free: free in taken, joint="_")


def _path(lock: SavedLock, folder: str) -> str:
    return f"{folder}/{lock.profile}/requirements.{lock.target.slug}.txt"


def _stands_for(plain: SavedLock, lock: SavedLock) -> bool:
    # What was dropped, or is asked for on other targets only, is not in the lock itself.
    asked = (name for name in lock.asked if lock.pins.version(name))
    if plain.target.slug != lock.target.slug or not all(plain.pins.version(name) for name in asked):
        return False
    names = [name for name in _EVERYWHERE if lock.pins.version(name)]
    return bool(names) and all(_public(plain, name) == _public(lock, name) for name in names)


def _public(lock: SavedLock, name: str) -> str:
    found = lock.pins.version(name)
    return Version(found).public if found else ""


def _no_cpu_lock(lock: SavedLock) -> ResolveError:
    versions = " ".join(f"{name} {_public(lock, name)}" for name in _EVERYWHERE if lock.pins.version(name))
    return ResolveError(
        "RES141",
        f"no lock for the CPU has {versions} and all else it asks for",
        where=lock.name,
        hint='lock a profile that `extends` this one with backend = "cpu" and the same versions',
    )


def _no_runner(lock: SavedLock, service: str) -> ResolveError:
    return ResolveError(
        "RES140",
        f"{service} lends no {keys_of(lock.target)[-1]}",
        where=lock.name,
        hint=f'name yours: [tool.envsmith.ci.{service}] {keys_of(lock.target)[-1]} = "..." in pyproject.toml',
    )


def _raise_all(found: Sequence[ResolveError], code: str, message: str) -> None:
    if len(found) == 1:
        raise found[0]
    if found:
        raise ResolveError(code, message, where="envsmith matrix", parts=tuple(found))
