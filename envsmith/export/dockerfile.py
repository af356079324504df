"""Dockerfile of a lock."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from envsmith.errors import LockError
from envsmith.lockfile.saved import SavedLock
from envsmith.model.shim import ShimPackage

_PIP_INSTALL = "python -m pip --python /opt/venv install --no-deps --require-hashes"
_MACHINES = {"x86_64": "linux/amd64", "aarch64": "linux/arm64"}
# Paths that COPY takes unquoted, and characters that it cannot copy even when quoted.
# Source: docs.docker.com, Dockerfile reference: COPY, "Environment replacement", read 2026-11-21.
_PLAIN = re.compile(r"[\w./][\w./-]*")
_UNSUPPORTED = re.compile(r"[$'\"\\*?\[\]]|[^\x20-\U0010ffff]|[\x7f-\x9f]")
_HEREDOC_END = "END_OF_FILE"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageOptions:
    """A profile's settings besides its packages."""

    env: Mapping[str, str] = field(default_factory=dict)
    """Variables set on activation."""
    shims: ShimPackage | None = None


def to_dockerfile(locks: Sequence[SavedLock], folder: str, options: ImageOptions | None = None) -> str:
    """Return a Dockerfile with two stages: the first installs the lock, the second copies only the environment.

    The base image needs no CUDA, which the wheels contain. The container runtime adds the driver's libraries as the
    variables request (Source: NVIDIA Container Toolkit, specialized configurations, read 2026-11-21).

    Args:
        locks: one lock for Linux.
        folder: the folder of the lock folders in the build context.
        options: the profile's settings; None if the profile is not available.

    Raises:
        LockError: LCK042 for several locks or another system; LCK045 when COPY cannot express the path; LCK046 for a
            free-threaded Python.
    """
    lock = _linux_lock(locks)
    base = f"python:{lock.target.python}-slim"
    lines = [
        "# syntax=docker/dockerfile:1",
        f"# {lock.name} · torch {lock.pins.version('torch') or 'none'}",
        f"# docker build --platform {_MACHINES[lock.target.platform.machine]} --file THIS_FILE .",
        f"FROM {base} AS build",
        _copy(f"{folder}/{lock.profile}/requirements.{lock.target.slug}.txt", "/lock/requirements.txt"),
        "RUN python -m venv --without-pip /opt/venv",
        f"RUN --mount=type=cache,target=/opt/pip {_PIP_INSTALL} --cache-dir /opt/pip -r /lock/requirements.txt",
        *(
            f"# Not included, for it has no hash: {pin.requirement}"
            for pin in lock.pins.packages
            if pin.is_unhashed
        ),
        *_shims(lock, options),
        "",
        f"FROM {base}",
        "COPY --from=build /opt/venv /opt/venv",
        *_variables(options),
        'ENV PATH="/opt/venv/bin:$PATH"',
    ]
    if lock.target.backend.family == "cuda":
        lines.append("ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility")
    return "\n".join(lines) + "\n"


def _linux_lock(locks: Sequence[SavedLock]) -> SavedLock:
    linux = [lock for lock in locks if lock.target.platform.os == "linux"]
    if len(linux) == len(locks) == 1:
        if linux[0].target.python.is_free_threaded:
            raise LockError(
                "LCK046",
                "Docker's Python images have no free-threaded build",
                where=linux[0].name,
                hint=f"choose a target for Python {linux[0].target.python.version}",
            )
        return linux[0]
    raise LockError(
        "LCK042",
        "a Dockerfile needs exactly one lock for Linux",
        where=locks[0].profile,
        details=(("locked", " ".join(lock.target.slug for lock in linux) or "none for Linux"),),
        hint="choose one with --target" if linux else 'add "linux" to `platforms` of the profile and lock it',
    )


def _copy(source: str, place: str) -> str:
    """Return the line that copies a file from the build context."""
    if found := _UNSUPPORTED.search(source):
        raise LockError(
            "LCK045",
            f"a Dockerfile cannot copy from a path with {found[0]!r}",
            where=source,
            hint="lock into another folder: `envsmith lock -o FOLDER`",
        )
    return f"COPY {source} {place}" if _PLAIN.fullmatch(source) else f"COPY {_json_list(source, place)}"


def _json_list(*words: str) -> str:
    return json.dumps(words, ensure_ascii=False)


def _shims(lock: SavedLock, options: ImageOptions | None) -> Iterator[str]:
    """Yield the lines that add the profile's shims to the packages, as `envsmith install` does."""
    if options is None:
        yield f"# Profile {lock.profile} was not found: its variables and shims are not included."
    if options is None or options.shims is None:
        return
    site = f"/opt/venv/lib/python{lock.target.python}/site-packages"
    for path, data in options.shims.files.items():
        yield f"COPY <<'{_HEREDOC_END}' {site}/{path}\n{data.decode()}{_HEREDOC_END}"


def _variables(options: ImageOptions | None) -> Iterator[str]:
    """Yield the profile's variables."""
    for name, value in sorted(options.env.items()) if options else ():
        if value.isprintable():
            escaped = re.sub(r'([$"\\])', r"\\\1", value)
            yield f'ENV {name}="{escaped}"'
        else:
            yield f"# {name} is not set: ENV cannot contain line breaks or control characters"
