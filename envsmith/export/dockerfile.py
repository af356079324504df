"""What is locked, as a Dockerfile."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from envsmith.errors import LockError
from envsmith.lockfile.saved import SavedLock
from envsmith.model.shim import ShimPackage

_INTO_VENV = "python -m pip --python /opt/venv install --no-deps --require-hashes"
_MACHINES = {"x86_64": "linux/amd64", "aarch64": "linux/arm64"}
# What a word of COPY may hold without further ado, and what it would read as something else.
# Source: docs.docker.com, Dockerfile reference: COPY, "Environment replacement", read 2026-11-21.
_PLAIN = re.compile(r"[\w./][\w./-]*")
_READ_OTHERWISE = re.compile(r"[$'\"\\*?\[\]]|[^\x20-\U0010ffff]|[\x7f-\x9f]")
_END = "END_OF_FILE"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageOptions:
    """What a profile says of the environment beyond its packages."""

    env: Mapping[str, str] = field(default_factory=dict)
    """The variables that activation sets."""
    shims: ShimPackage | None = None


def to_dockerfile(locks: Sequence[SavedLock], folder: str, wishes: ImageOptions | None = None) -> str:
    """Return a Dockerfile: the lock installed in one stage, and that environment alone in the next.

    The base has no CUDA: the wheels bring it. Of the machine come the driver's libraries, for which the variables ask
    (Source: NVIDIA Container Toolkit, specialized configurations, read 2026-11-21).

    Args:
        locks: one, for Linux.
        folder: of the lock folders, as the build's context has it.
        wishes: of the profile; None where it is not at hand.

    Raises:
        LockError: LCK042 where there are several, or it is for another system; LCK045 where COPY could not name it.
    """
    lock = _the_one(locks)
    base = f"python:{lock.target.python}-slim"
    lines = [
        "# syntax=docker/dockerfile:1",
        f"# {lock.name} · torch {lock.pins.version('torch') or 'none'}",
        f"# docker build --platform {_MACHINES[lock.target.platform.machine]} --file THIS_FILE .",
        f"FROM {base} AS build",
        _copy(f"{folder}/{lock.profile}/requirements.{lock.target.slug}.txt", "/lock/requirements.txt"),
        "RUN python -m venv --without-pip /opt/venv",
        f"RUN --mount=type=cache,target=/opt/pip {_INTO_VENV} --cache-dir /opt/pip -r /lock/requirements.txt",
        *_shims(lock, wishes),
        "",
        f"FROM {base}",
        "COPY --from=build /opt/venv /opt/venv",
        *_variables(wishes),
        'ENV PATH="/opt/venv/bin:$PATH"',
    ]
    if lock.target.backend.family == "cuda":
        lines.append("ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility")
    return "\n".join(lines) + "\n"


def _the_one(locks: Sequence[SavedLock]) -> SavedLock:
    linux = [lock for lock in locks if lock.target.platform.os == "linux"]
    if len(linux) == len(locks) == 1:
        return linux[0]
    raise LockError(
        "LCK042",
        "an image holds one lock for Linux",
        where=locks[0].profile,
        details=(("locked", " ".join(lock.target.slug for lock in linux) or "none for Linux"),),
        hint="name one of these with --target"
        if linux
        else 'add "linux" to the profile\'s platforms, and lock it',
    )


def _copy(source: str, place: str) -> str:
    """Return the line that copies a file out of the build's context."""
    if found := _READ_OTHERWISE.search(source):
        raise LockError(
            "LCK045",
            f"a Dockerfile cannot copy from a path with {found[0]!r}",
            where=source,
            hint="move the lock folders: envsmith lock -o FOLDER",
        )
    return f"COPY {source} {place}" if _PLAIN.fullmatch(source) else f"COPY {_listed(source, place)}"


def _listed(*words: str) -> str:
    return json.dumps(words, ensure_ascii=False)


def _shims(lock: SavedLock, wishes: ImageOptions | None) -> Iterator[str]:
    """Yield what puts the profile's shims beside the packages, as `envsmith install` does."""
    if wishes is None:
        yield f"# The profile {lock.profile} was not at hand: what variables and shims it has are not in here."
    if wishes is None or wishes.shims is None:
        return
    site = f"/opt/venv/lib/python{lock.target.python}/site-packages"
    for path, data in wishes.shims.files.items():
        yield f"COPY <<'{_END}' {site}/{path}\n{data.decode()}{_END}"


def _variables(wishes: ImageOptions | None) -> Iterator[str]:
    """Yield the variables that the profile sets."""
    for name, value in sorted(wishes.env.items()) if wishes else ():
        if value.isprintable():
            said = re.sub(r'([$"\\])', r"\\\1", value)
            yield f'ENV {name}="{said}"'
        else:
            yield f"# {name} is not set: no ENV holds a value with line breaks or the like"
