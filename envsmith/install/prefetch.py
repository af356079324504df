"""Download of an install's files from a server or mirror into a cached wheelhouse, before uv installs from it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import click

from envsmith.console import printer
from envsmith.download.artifact import Artifact, artifacts_of, merge_artifacts
from envsmith.download.download import FillWheelhouse, download_error, pylock_text
from envsmith.download.locations import Locations, MirroredFiles, ServedFiles
from envsmith.download.transfer_progress import warn_unused_rewrites
from envsmith.download.wheelhouse import TransferListener, WheelhouseDownloader
from envsmith.files.own_folder import MARK, has_mark, make_marked, remove_folder
from envsmith.index.hashing import FileCache
from envsmith.install import links
from envsmith.install.request import LockedInstall
from envsmith.lockfile.manifest import Manifest
from envsmith.lockfile.pins import InstallSource
from envsmith.lockfile.pylock import read_pylock
from envsmith.lockfile.whole import LockTexts

if TYPE_CHECKING:
    from envsmith.download.record import FetchedFile
    from envsmith.errors import EnvsmithError
    from envsmith.model.progress import Progress


KEPT_DAYS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefetcher:
    """Downloads the files of a lock into a wheelhouse in the cache."""

    fill: FillWheelhouse
    locations: Locations
    folder: Path
    """Contains one wheelhouse for each lock, because equal names may be different files elsewhere."""
    starting: Callable[[Path, Sequence[Artifact]], None] = lambda _, __: None
    """Called with the wheelhouse and the files before the download."""

    def fetch(self, locked: LockedInstall, manifest: Manifest, files: Mapping[str, bytes]) -> InstallSource:
        """Download and verify the files of a lock, and return the source to install from.

        Raises:
            EnvsmithError: as `download`; TOL040 when the pylock with the file names is missing.
        """
        lock = f"{locked.profile}/{locked.slug}"
        texts = LockTexts.of(locked.slug, manifest.targets[locked.slug], files, PurePath(locked.profile))
        text = pylock_text(texts, files, locked.slug, locked.profile)
        wheelhouse = self.folder / locked.sha256[:16]
        artifacts = merge_artifacts(artifacts_of(read_pylock(text, lock), lock))
        self.starting(wheelhouse, artifacts)
        result = self.fill(wheelhouse, artifacts, self.locations)
        if result.failed:
            raise download_error(result.failed, len(artifacts), f"envsmith install {locked.profile}")
        text = files[f"requirements.{locked.slug}.txt"].decode("utf-8", "replace")
        return replace(
            locked.source,
            text=locked.pins.for_sync(text, by_name=True, without=locked.entry.builds),
            is_pylock=False,
            wheelhouse=str(wheelhouse),
        )


def prefetcher_of(options: Mapping[str, Any], listener: TransferListener) -> Prefetcher | None:
    """Return the prefetcher for the options of an install; None if uv downloads, or a folder has the files.

    Args:
        options: ``wheelhouse``, ``rewrites`` and ``offline`` of the command.
        listener: receives the progress.

    Raises:
        UsageError: when the wheelhouse is a URL with an unsupported scheme.
        ProfileError: PRF044 when a rewrite is malformed.
        ToolError: TOL058 when a mirror is neither https nor declared insecure.
    """
    from envsmith.wiring import cache_folder, fetched_wheels_folder, mirror_rules

    wheelhouse = options["wheelhouse"]
    scheme, is_url, _ = wheelhouse.partition("://")
    if is_url and scheme not in ("http", "https", "file"):
        raise click.UsageError(f"--wheelhouse must be a folder or an https:// URL, not {scheme}://")
    rewrites = mirror_rules(Path(), options["rewrites"], options.get("insecure_hosts", ()))
    locations: Locations
    if wheelhouse.startswith(("http://", "https://")):
        locations = ServedFiles(base=rewrites.apply(wheelhouse))
    elif rewrites.rules and not wheelhouse and not options["offline"]:
        locations = MirroredFiles(rewrites=rewrites)
    else:
        return None
    return Prefetcher(
        fill=WheelhouseDownloader(listener=listener, cache=FileCache(fetched_wheels_folder())).fill,
        locations=locations,
        folder=cache_folder() / "wheelhouses",
        starting=partial(_starting, options["rewrites"]),
    )


def _starting(rewrites: Sequence[str], wheelhouse: Path, artifacts: Sequence[Artifact]) -> None:
    touch_and_evict(wheelhouse)
    warn_unused_rewrites(rewrites, artifacts)


def touch_and_evict(wheelhouse: Path) -> None:
    """Mark a cached wheelhouse as used now, and evict those unused for `KEPT_DAYS`, each reported.

    Folders without envsmith's mark stay. OS errors are ignored: the cache then only grows.

    Args:
        wheelhouse: created if missing; a link is replaced.
    """
    now_s = time.time()
    with suppress(OSError):
        links.unlink(wheelhouse)  # its files would be written elsewhere
        if not wheelhouse.exists():
            make_marked(wheelhouse, wheelhouse.name)
        os.utime(wheelhouse, (now_s, now_s))
        for other in wheelhouse.parent.iterdir():
            is_old = other.lstat().st_mtime < now_s - KEPT_DAYS * 86400
            if is_old and has_mark(other, other.name):
                with suppress(OSError):
                    remove_folder(other, MARK)
                    printer.say(f"removed {other}: unused for {KEPT_DAYS} days", err=True)


class PrefetchProgress:
    """Reports downloads in the progress of an install; its methods are called from several threads.

    Args:
        progress: shows one line for each file.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._received: dict[str, int] = {}

    def planned(self, files: int, size_bytes: int, *, is_exact: bool) -> None:
        """Ignore the total: each file is reported by itself."""

    def moved(self, filename: str, count: int) -> None:
        """Report received bytes of a file."""
        self._received[filename] = self._received.get(filename, 0) + count
        self._progress.started(filename, f"downloading: {printer.size(self._received[filename])}")

    def waiting(self, filename: str) -> None:
        """Report that another process is downloading the file."""
        self._progress.started(filename, "waiting: another process is downloading it")

    def ended(self, file: FetchedFile) -> None:
        """Report a verified file."""
        if file.source != "held":
            self._progress.ended(file.filename, file.seconds, printer.size(file.size_bytes))

    def failed(self, filename: str, error: EnvsmithError) -> None:
        """Ignore the error: the install raises it."""
