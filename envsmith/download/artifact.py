"""Artifact: one file that locks need, wherever it is fetched from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from envsmith.errors import ToolError
from envsmith.model.wheel import SHA256, is_wheel_filename

if TYPE_CHECKING:
    from packaging.pylock import PackageSdist, PackageWheel, Pylock

# What PEP 625 and the older source distributions before it are called; the name goes into paths.
_SDIST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*-[A-Za-z0-9._+!]+\.(?:tar\.gz|tgz|tar\.bz2|tar\.xz|zip)")
_LONGEST = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A wheel or source distribution of a lock. Its bytes are known by sha256, its name is fit for a path."""

    filename: str
    sha256: str
    url: str
    """Where the lock says it lies."""
    project: str
    """Normalised name."""
    size_bytes: int | None = None
    """None where the lock does not say."""
    locks: tuple[str, ...] = ()
    """Who needs it: ``cu128/cp312-win_amd64``, sorted."""


def artifacts_of(pylock: Pylock, lock: str) -> Iterator[Artifact]:
    """Yield the files of one lock.

    Args:
        pylock: as read.
        lock: its name: ``cu128/cp312-win_amd64``.

    Raises:
        ToolError: TOL041 for a file whose name is no plain file name, that has no sha256 or no address by http.
    """
    for package in pylock.packages:
        files: list[PackageWheel | PackageSdist] = [*(package.wheels or ())]
        if package.sdist and not files:
            files.append(package.sdist)
        for file in files:
            sha256, url = file.hashes.get("sha256", ""), file.url or ""
            yield Artifact(
                filename=_checked(file, sha256, url, lock),
                sha256=sha256,
                url=url,
                project=str(package.name),
                size_bytes=file.size,
                locks=(lock,),
            )


def joined(artifacts: Iterable[Artifact]) -> tuple[Artifact, ...]:
    """Return each file once, with all the locks that need it, sorted by name.

    Raises:
        ToolError: TOL042 where two locks mean different bytes by one name, or by names alike but for capitals.
    """
    found: dict[str, Artifact] = {}
    for item in artifacts:
        key = item.filename.casefold()
        other = found.setdefault(key, item)
        if (other.filename, other.sha256) != (item.filename, item.sha256):
            raise ambiguous(item, other.locks[0], f"{other.filename} sha256:{other.sha256}")
        locks = tuple(sorted({*other.locks, *item.locks}))
        size = item.size_bytes if other.size_bytes is None else other.size_bytes
        found[key] = replace(other, locks=locks, size_bytes=size)
    return tuple(found[key] for key in sorted(found))


def is_filename(text: str) -> bool:
    """Say whether a text is the name of a wheel or source distribution, and nothing that could leave a folder."""
    return len(text) <= _LONGEST and (is_wheel_filename(text) or _SDIST.fullmatch(text) is not None)


def _checked(file: PackageWheel | PackageSdist, sha256: str, url: str, lock: str) -> str:
    """Return the file's name, when all of it can be used."""
    filename = file.filename
    if not is_filename(filename):
        raise _unusable(f"{filename!r} is no name of a wheel or source distribution", lock)
    if SHA256.fullmatch(sha256) is None:
        raise _unusable(f"{filename} has no sha256", lock)
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or unquote(parts.path).rsplit("/", 1)[-1] != filename:
        raise _unusable(f"{filename} has no address by http or https", lock)
    return filename


def _unusable(why: str, lock: str) -> ToolError:
    return ToolError(
        "TOL041", why, where=lock, hint="put the committed lock back, or make it anew with `envsmith lock`"
    )


def ambiguous(item: Artifact, lock: str, other: str) -> ToolError:
    """Return the error for two locks that mean different bytes by one name.

    Args:
        item: the one file.
        lock: who needs the other one.
        other: its name and hash, in words.
    """
    return ToolError(
        "TOL042",
        f"{item.filename} has other bytes in {item.locks[0]} than in {lock}",
        where="envsmith download",
        details=((lock, other), (item.locks[0], f"{item.filename} sha256:{item.sha256}")),
        hint="give each of the two a folder of its own",
    )
