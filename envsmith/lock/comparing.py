"""Compare: see that no two packages of a lock fight over a file."""

from __future__ import annotations

from dataclasses import dataclass

from envsmith.lock import file_conflicts as overlap
from envsmith.lock import sizing
from envsmith.lock.resolve import Tools
from envsmith.lockfile.pylock import Lock


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What is told of a comparison that found no fight; no part of the lock, for it depends on the servers."""

    unseen: tuple[str, ...] = ()
    """The packages whose files were not compared with the others', for their wheels could not be looked into."""
    suspects: tuple[str, ...] = ()
    """Which of them seem to share a folder with another."""


def compare(lock: Lock, tools: Tools) -> tuple[Lock, Compared]:
    """Compare the packages of a lock by families and file by file.

    Returns:
        The lock, with the sizes of files that the index left out and that were looked into; what is told.

    Raises:
        LockError: LCK021 where it holds two of a family, LCK022 where two wheels own one path.
    """
    overlap.check_families(lock, tools.catalog)
    contents = tools.contents.contents(
        package.wheels[0] for package in lock.pylock.packages if package.wheels
    )
    overlap.check_files(lock, contents)
    sizes = {sha256: found.size_bytes for sha256, found in contents.items()}
    return (
        sizing.complete(lock, {**sizes, **tools.sdists.sizes()}),
        Compared(unseen=overlap.unseen(lock, contents), suspects=overlap.suspects(lock, contents)),
    )
