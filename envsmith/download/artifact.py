"""Artifacts: the wheels and source distributions of locks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from envsmith.errors import ToolError
from envsmith.model.wheel import SHA256, is_wheel_filename

if TYPE_CHECKING:
    from packaging.pylock import Package, PackageArchive, PackageSdist, PackageWheel, Pylock

# Source distributions by PEP 625 and older ones; strict, because the name becomes part of a path.
_SDIST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*-[A-Za-z0-9._+!]+\.(?:tar\.gz|tgz|tar\.bz2|tar\.xz|zip)")
_MAX_FILENAME = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A wheel or source distribution of a lock, identified by its sha256; its name is safe in a path."""

    filename: str
    sha256: str
    url: str
    """As in the lock."""
    project: str
    """Normalised name."""
    size_bytes: int | None = None
    """None if the lock does not contain it."""
    locks: tuple[str, ...] = ()
    """Locks that need the file, sorted: ``cu128/cp312-win_amd64``."""


def artifacts_of(pylock: Pylock, lock: str) -> Iterator[Artifact]:
    """Yield the files of one lock.

    Args:
        pylock: the parsed pylock.
        lock: its name: ``cu128/cp312-win_amd64``.

    Raises:
        ToolError: TOL041 for a file with an unsafe name, without sha256, or without an HTTP URL.
    """
    for package in pylock.packages:
        files: list[PackageWheel | PackageSdist | PackageArchive] = [*(package.wheels or ())]
        files += [
            file
            for file in (package.sdist, package.archive)
            if file and not package.wheels and not is_apart(package)
        ]
        for file in files:
            sha256, url = file.hashes.get("sha256", ""), file.url or ""
            yield Artifact(
                filename=_checked_filename(_filename(file), sha256, url, lock),
                sha256=sha256,
                url=url,
                project=str(package.name),
                size_bytes=file.size,
                locks=(lock,),
            )


def is_apart(package: Package) -> bool:
    """Return whether a package is installed from its place: a commit, a folder or an archive with sources."""
    archive = package.archive
    is_wheel = bool(archive and archive.url and archive.url.endswith(".whl"))
    return bool(package.vcs or package.directory or (archive and not is_wheel))


def merge_artifacts(artifacts: Iterable[Artifact]) -> tuple[Artifact, ...]:
    """Return each file once, with all locks that need it, sorted by name.

    Raises:
        ToolError: TOL042 when locks need different files with one name, upper and lower case being equal.
    """
    found: dict[str, Artifact] = {}
    for item in artifacts:
        key = item.filename.casefold()
        other = found.setdefault(key, item)
        if (other.filename, other.sha256) != (item.filename, item.sha256):
            raise name_conflict(item, other.locks[0], f"{other.filename} sha256:{other.sha256}")
        locks = tuple(sorted({*other.locks, *item.locks}))
        size = item.size_bytes if other.size_bytes is None else other.size_bytes
        found[key] = replace(other, locks=locks, size_bytes=size)
    return tuple(found[key] for key in sorted(found))


def is_filename(text: str) -> bool:
    """Return whether a text is the file name of a wheel or source distribution, without any path."""
    return len(text) <= _MAX_FILENAME and (is_wheel_filename(text) or _SDIST.fullmatch(text) is not None)


def _filename(file: PackageWheel | PackageSdist | PackageArchive) -> str:
    name = getattr(file, "filename", None)
    return str(name) if name else unquote(urlsplit(file.url or "").path).rpartition("/")[2]


def _checked_filename(filename: str, sha256: str, url: str, lock: str) -> str:
    """Return a file's name after checking name, hash and URL."""
    if not is_filename(filename):
        raise _unusable(f"{filename!r} is not a valid name of a wheel or source distribution", lock)
    if SHA256.fullmatch(sha256) is None:
        raise _unusable(f"{filename} has no sha256", lock)
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or unquote(parts.path).rsplit("/", 1)[-1] != filename:
        raise _unusable(f"{filename} has no http or https URL", lock)
    return filename


def _unusable(why: str, lock: str) -> ToolError:
    return ToolError(
        "TOL041", why, where=lock, hint="restore the committed lock, or run `envsmith lock` again"
    )


def name_conflict(item: Artifact, lock: str, other: str) -> ToolError:
    """Return the error for two locks that need different files with one name.

    Args:
        item: the first file.
        lock: a lock that needs the other file.
        other: name and hash of the other file, as text.
    """
    return ToolError(
        "TOL042",
        f"{item.locks[0]} and {lock} need different files named {item.filename}",
        where="envsmith download",
        details=((lock, other), (item.locks[0], f"{item.filename} sha256:{item.sha256}")),
        hint="download them into separate folders",
    )
