"""Files gathered for an install stay in the cache while they are of use; those that nobody has used for long go.

What an install gathers beforehand: from a server of one's own, or through mirrors.

Gather: bring the files of one lock together before an install, from a server of one's own or through mirrors.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from envsmith.console import printer
from envsmith.download.artifact import Artifact, artifacts_of, joined
from envsmith.download.download import Locations, Wheelhouse, failure, pylock_of
from envsmith.download.transfer_progress import tell_idle
from envsmith.install.request import LockedInstall
from envsmith.lockfile.manifest import Manifest
from envsmith.lockfile.pins import InstallSource
from envsmith.lockfile.pylock import read_pylock

if TYPE_CHECKING:
    from envsmith.download.artifact import Artifact
    from envsmith.download.download import Locations, Transfers
    from envsmith.download.record import FetchedFile
    from envsmith.errors import EnvsmithError
    from envsmith.install.request import LockedInstall
    from envsmith.lockfile.manifest import Manifest
    from envsmith.lockfile.pins import InstallSource
    from envsmith.model.progress import Progress


KEPT_DAYS = 60


def use(house: Path) -> None:
    """Note that a folder of gathered files is used now, and remove those beside it that were not for long.

    Nothing fails for want of it: what cannot be noted or removed stays.

    Args:
        house: made if it is not there.
    """
    oldest_s = time.time() - KEPT_DAYS * 86400
    with suppress(OSError):
        house.mkdir(parents=True, exist_ok=True)
        os.utime(house)
        for other in house.parent.iterdir():
            if other.stat().st_mtime < oldest_s:
                shutil.rmtree(other, ignore_errors=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefetcher:
    """Where the files of a lock come from, and where they are put."""

    wheelhouse: Wheelhouse
    locations: Locations
    folder: Path
    """Of the cache; the files of each lock get a folder of their own, for names may mean other bytes elsewhere."""
    begun: Callable[[Path, Sequence[Artifact]], None] = lambda _, __: None
    """Hears of the folder of a lock, and of what is to lie in it, before it is filled."""

    def gather(self, locked: LockedInstall, manifest: Manifest, found: Mapping[str, bytes]) -> InstallSource:
        """Bring the files of a lock into a folder, each proved, and return how to install from it alone.

        Raises:
            EnvsmithError: as `download`: TOL040 where the pylock with the files' names is not at hand.
        """
        lock = f"{locked.profile}/{locked.slug}"
        text = pylock_of(found, manifest, locked.slug, locked.profile)
        house = self.folder / locked.sha256[:16]
        artifacts = joined(artifacts_of(read_pylock(text, lock), lock))
        self.begun(house, artifacts)
        filling = self.wheelhouse.fill(house, artifacts, self.locations)
        if filling.failed:
            raise failure(filling.failed, f"envsmith install {locked.profile}")
        return InstallSource(
            text=found[f"requirements.{locked.slug}.txt"].decode("utf-8", "replace"),
            is_pylock=False,
            sources=locked.supply.sources,
            wheelhouse=str(house),
        )


class PrefetchProgress:
    """Tells an install's own progress how files come; called from several threads.

    Args:
        progress: shows one line for each file.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._come: dict[str, int] = {}

    def planned(self, files: int, size_bytes: int, *, is_exact: bool) -> None:
        """Hear what is to come: each file is told when it does."""

    def moved(self, filename: str, count: int) -> None:
        """Hear that bytes of a file came."""
        self._come[filename] = self._come.get(filename, 0) + count
        self._progress.started(filename, f"fetching: {printer.size(self._come[filename])}")

    def waiting(self, filename: str) -> None:
        """Hear that another process is fetching the file."""
        self._progress.started(filename, "waiting: another process is fetching it")

    def ended(self, brought: FetchedFile) -> None:
        """Hear that a file is there, proved."""
        if brought.way != "held":
            self._progress.ended(brought.filename, brought.seconds, printer.size(brought.size_bytes))

    def failed(self, filename: str, error: EnvsmithError) -> None:
        """Hear that a file cannot be had: the error tells it at the end."""


def gathering(
    options: Mapping[str, Any], heard: Transfers
) -> Callable[[LockedInstall, Manifest, Mapping[str, bytes]], InstallSource] | None:
    """Return what brings the files of a lock together; None where uv fetches them, or a folder holds them.

    Args:
        options: ``wheelhouse``, ``rewrites`` and ``offline`` of the command.
        heard: hears how files come.

    Raises:
        UsageError: when the wheelhouse is neither a folder nor an address that can be read.
        ProfileError: PRF044 when a rewrite is malformed.
    """
    from envsmith.wiring import cache_folder, fetched_wheels_folder, mirror_rules

    wheelhouse = options["wheelhouse"]
    scheme, is_address, _ = wheelhouse.partition("://")
    if is_address and scheme not in ("http", "https", "file"):
        raise click.UsageError(
            f"--wheelhouse is a folder, or an address that begins with https://, not {scheme}://"
        )
    rewrites = mirror_rules(Path(), options["rewrites"])
    locations: Locations
    if wheelhouse.startswith(("http://", "https://")):
        from envsmith.download.download import ServedFiles

        locations = ServedFiles(base=rewrites.apply(wheelhouse))
    elif rewrites.rules and not wheelhouse and not options["offline"]:
        from envsmith.download.download import MirroredFiles

        locations = MirroredFiles(rewrites=rewrites)
    else:
        return None
    from envsmith.download.wheelhouse import WheelhouseDownloader
    from envsmith.index.hashing import FileCache

    # MERGED

    filler = WheelhouseDownloader(heard=heard, kept=FileCache(fetched_wheels_folder()))
    folder = cache_folder() / "wheelhouses"
    begun = partial(_begun, options["rewrites"])
    return Prefetcher(wheelhouse=filler, locations=locations, folder=folder, begun=begun).gather


def _begun(texts: Sequence[str], house: Path, artifacts: Sequence[Artifact]) -> None:
    # MERGED

    use(house)
    tell_idle(texts, artifacts)
