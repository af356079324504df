"""Parallel download of files into a wheelhouse, and its record on disk; several processes may share the folder."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from envsmith.download.artifact import Artifact
from envsmith.download.locations import Locations
from envsmith.download.part_file import (
    FOLDER,
    DiskError,
    PartFile,
    discard,
    disk_errors,
    part_path,
    part_size,
    sha256_of_file,
)
from envsmith.download.record import FILENAME, DownloadResult, FetchedFile, FileSource, WheelhouseRecord
from envsmith.download.transfer import StoppedError, Transfer, TransferPolicy, wrong_file
from envsmith.errors import EnvsmithError, ToolError
from envsmith.files.atomic import write_files
from envsmith.files.locks import timeout_error, try_lock
from envsmith.files.own_folder import check_links
from envsmith.files.text import read_text
from envsmith.index.hashing import FileCache
from envsmith.model.url import redact_url
from envsmith.net.client import Credentials, open_session
from envsmith.net.deadline import Deadline, run_all

# Files of several GB take hours on a slow line; each request has its own timeouts.
_NO_DEADLINE_S = 30 * 86400.0
_LOCKED_FILE_PAUSE_S = 0.2
_LOCKED_RECORD_PAUSE_S, _LOCKED_RECORD_S = 0.02, 30.0
_BLOCK_BYTES = 1 << 20
_RESTARTS = 3


class TransferListener(Protocol):
    """Progress of downloads; its methods are called from several threads."""

    def planned(self, files: int, size_bytes: int, *, is_exact: bool) -> None:
        """Report number and size of the files to download; not exact if a server does not state a size."""

    def moved(self, filename: str, count: int) -> None:
        """Report received bytes of a file, negative for discarded ones."""

    def waiting(self, filename: str) -> None:
        """Report that another process is downloading the file."""

    def ended(self, file: FetchedFile) -> None:
        """Report a verified file."""

    def failed(self, filename: str, error: EnvsmithError) -> None:
        """Report a file that could not be downloaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelhouseDownloader:
    """Downloads files into wheelhouses.

    Args:
        listener: receives the progress.
        cache: files downloaded before for their hash.
        policy: timeouts and retries.
        jobs: number of parallel downloads.
        credentials: of servers that ask for them.
    """

    listener: TransferListener
    cache: FileCache
    policy: TransferPolicy = field(default_factory=TransferPolicy)
    jobs: int = 4
    credentials: Credentials = field(default_factory=dict)

    def fill(self, wheelhouse: Path, artifacts: Sequence[Artifact], locations: Locations) -> DownloadResult:
        """Verify the files that exist, and download the others; one failure does not stop the other files.

        Args:
            wheelhouse: created if missing.
            artifacts: the files, with unique names.
            locations: their URLs.

        Raises:
            ToolError: TOL044 when disk space is insufficient, TOL043 and TOL046 for disk errors.
        """
        _make_part_folder(wheelhouse)
        run = _Run(downloader=self, wheelhouse=wheelhouse, locations=locations)
        try:
            return run.fill(artifacts)
        finally:
            run.stop.set()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One call of `WheelhouseDownloader.fill`."""

    downloader: WheelhouseDownloader
    wheelhouse: Path
    locations: Locations
    stop: threading.Event = field(default_factory=threading.Event)

    def fill(self, artifacts: Sequence[Artifact]) -> DownloadResult:
        """Verify existing files, check disk space, download the rest, then wait for files of other processes."""
        existing = self._each(artifacts, lambda item, _: self._existing(item, "held"))
        self._remove_stale_parts(item for item, file in zip(artifacts, existing, strict=True) if file)
        missing = [item for item, file in zip(artifacts, existing, strict=True) if file is None]
        missing = self._check_space(missing)
        found = dict(zip(missing, self._each(missing, self._provide), strict=True))
        locked = [item for item in missing if found[item] is None]
        found |= zip(locked, self._each(locked, self._wait_and_provide), strict=True)
        results = [*existing, *found.values()]
        return DownloadResult(
            files=tuple(item for item in results if isinstance(item, FetchedFile)),
            failed=tuple(item for item in results if isinstance(item, EnvsmithError)),
        )

    def _each(
        self, artifacts: Sequence[Artifact], do: Callable[[Artifact, Transfer], FetchedFile | None]
    ) -> list[FetchedFile | EnvsmithError | None]:
        """Process files in parallel; a disk error stops all of them."""
        tasks = [partial(self._one, item, do) for item in artifacts]
        outcomes = run_all(tasks, self._session, Deadline(_NO_DEADLINE_S), workers=self.downloader.jobs)
        found: list[FetchedFile | EnvsmithError | None] = []
        for outcome in outcomes:
            is_expected = isinstance(outcome, (EnvsmithError, StoppedError))
            if isinstance(outcome, Exception) and (isinstance(outcome, DiskError) or not is_expected):
                raise outcome
            found.append(outcome if isinstance(outcome, (FetchedFile, EnvsmithError)) else None)
        return found

    def _one(
        self, item: Artifact, do: Callable[[Artifact, Transfer], FetchedFile | None], transfer: Transfer
    ) -> FetchedFile | None:
        begun = time.monotonic()
        try:
            file = do(item, transfer)
        except EnvsmithError as error:
            if isinstance(error, DiskError):
                self.stop.set()
            self.downloader.listener.failed(item.filename, error)
            raise error.at(item.filename)  # noqa: B904 - the same error, with its place
        if file is not None:
            file = replace(file, seconds=time.monotonic() - begun)
            self.downloader.listener.ended(file)
        return file

    @contextmanager
    def _session(self) -> Iterator[Transfer]:
        with open_session(self.downloader.credentials) as session:
            yield Transfer(session, self.downloader.policy, self.stop)

    def _existing(self, item: Artifact, source: FileSource) -> FetchedFile | None:
        """Return a file that exists with the right size and hash."""
        path = self.wheelhouse / item.filename
        if not path.is_file():
            return None
        with disk_errors(path, "read"):
            size = path.stat().st_size
        if item.size_bytes not in (None, size) or sha256_of_file(path) != item.sha256:
            return None
        return FetchedFile(filename=item.filename, size_bytes=size, source=source)

    def _remove_stale_parts(self, existing: Iterable[Artifact]) -> None:
        """Remove the parts that a killed run left of files that exist."""
        with disk_errors(self.wheelhouse):
            stale = {path.stem for path in (self.wheelhouse / FOLDER).iterdir()}
            for item in existing:
                if item.sha256 in stale:
                    with try_lock(self._lock_path(item)) as is_locked:
                        if is_locked:
                            discard(self.wheelhouse, item.sha256)

    def _lock_path(self, item: Artifact) -> Path:
        return part_path(self.wheelhouse, item.sha256).with_suffix(".lock")

    def _check_space(self, missing: Sequence[Artifact]) -> list[Artifact]:
        """Return the files, the largest first, if the disk has space for all of them.

        Raises:
            ToolError: TOL044 when disk space is insufficient.
        """
        unknown = [item for item in missing if item.size_bytes is None]
        sizes: dict[Artifact, int | None] = {item: item.size_bytes for item in missing}
        tasks = [partial(self._size, item) for item in unknown]
        outcomes = run_all(tasks, self._session, Deadline(_NO_DEADLINE_S), workers=self.downloader.jobs)
        sizes |= {
            item: size if isinstance(size, int) else None
            for item, size in zip(unknown, outcomes, strict=True)
        }
        present = {item: part_size(self.wheelhouse, item.sha256) for item in missing}
        needed_bytes = sum(max(0, (sizes[item] or 0) - present[item]) for item in missing)
        free_bytes = shutil.disk_usage(self.wheelhouse).free
        if needed_bytes > free_bytes:
            raise _insufficient_space(self.wheelhouse, needed_bytes, free_bytes)
        total = sum(max(sizes[item] or 0, present[item]) for item in missing)
        self.downloader.listener.planned(len(missing), total, is_exact=None not in sizes.values())
        return sorted(missing, key=lambda item: -(sizes[item] or 0))

    def _size(self, item: Artifact, transfer: Transfer) -> int | None:
        if cached := self.downloader.cache.find(item.sha256, item.filename):
            return cached.stat().st_size
        return transfer.size(self.locations.urls(item))

    def _wait_and_provide(self, item: Artifact, transfer: Transfer) -> FetchedFile:
        """Download a file once its other process has ended, unless that makes no progress: it may have been stopped."""
        self.downloader.listener.waiting(item.filename)
        policy, size = self.downloader.policy, -1
        while (file := self._provide(item, transfer)) is None:
            if size != (size := part_size(self.wheelhouse, item.sha256)):
                until = policy.clock() + policy.held_s
            elif policy.clock() > until:
                raise timeout_error(self._lock_path(item), policy.held_s)
            if self.stop.wait(_LOCKED_FILE_PAUSE_S):
                raise StoppedError
        return file

    def _provide(self, item: Artifact, transfer: Transfer) -> FetchedFile | None:
        """Download a file; return None while another process is downloading it."""
        lock = self._lock_path(item)
        with disk_errors(lock), try_lock(lock) as is_locked:
            if not is_locked:
                return None
            # The previous holder of the lock may have downloaded it.
            return self._existing(item, "shared") or self._fetch(item, transfer)

    def _fetch(self, item: Artifact, transfer: Transfer) -> FetchedFile:
        moved = partial(self.downloader.listener.moved, item.filename)
        with PartFile(self.wheelhouse, item.sha256) as part:
            moved(part.size)
            source: FileSource = "kept" if self._copy_cached(item, part, moved) else "fetched"
            for _ in range(_RESTARTS):
                if not part.is_verified:
                    transfer.fetch(self.locations.urls(item), part, item.size_bytes, moved)
                if part.is_verified:
                    size = part.size
                    part.finish(self.wheelhouse / item.filename)
                    return FetchedFile(filename=item.filename, size_bytes=size, source=source)
                # One complete response with a wrong hash: the server has another file, retries do not help.
                is_wrong = part.is_single_response and part.origin.size_bytes is not None
                moved(-part.size)
                part.restart()
                if is_wrong:
                    break
            part.discard()
        raise wrong_file(f"its sha256 is not {item.sha256}", redact_url(item.url))

    def _copy_cached(self, item: Artifact, part: PartFile, moved: Callable[[int], None]) -> bool:
        """Copy the file from envsmith's cache; return whether that succeeded."""
        cached = self.downloader.cache.find(item.sha256, item.filename)
        if cached is None or part.is_verified:
            return False
        moved(-part.size)
        part.restart()
        with disk_errors(cached), cached.open("rb") as stream:
            while block := stream.read(_BLOCK_BYTES):
                part.write(block)
                moved(len(block))
        return part.is_verified


def _make_part_folder(wheelhouse: Path) -> None:
    """Create the folder of incomplete files; a link in its place is refused, for files elsewhere would change."""
    with disk_errors(wheelhouse):
        wheelhouse.mkdir(parents=True, exist_ok=True)
        check_links(wheelhouse, wheelhouse / FOLDER)
        (wheelhouse / FOLDER).mkdir(exist_ok=True)


def _insufficient_space(wheelhouse: Path, needed_bytes: int, free_bytes: int) -> ToolError:
    return ToolError(
        "TOL044",
        f"insufficient disk space: {needed_bytes / 1e6:,.1f} MB needed, {free_bytes / 1e6:,.1f} MB free",
        where=str(wheelhouse),
        details=(("needed", f"{needed_bytes} bytes"), ("free", f"{free_bytes} bytes")),
        hint="free disk space, choose another folder with -d, or fewer targets",
    )


def read_record(wheelhouse: Path) -> WheelhouseRecord:
    """Return the record of a wheelhouse; empty if it has none.

    Raises:
        ToolError: TOL049 when the record is damaged, TOL012 when it cannot be read.
    """
    path = wheelhouse / FILENAME
    if not path.exists():
        return WheelhouseRecord()
    return WheelhouseRecord.from_toml(read_text(path, str(path)), str(path))


def change_record(
    wheelhouse: Path,
    change: Callable[[WheelhouseRecord], WheelhouseRecord],
    timeout_s: float = _LOCKED_RECORD_S,
) -> None:
    """Change the record of a wheelhouse under a lock, for which it waits some seconds.

    Raises:
        ToolError: TOL049 when the record is damaged, TOL016 when it stays locked, TOL011 to TOL013 and TOL046 for disk
            errors.
    """
    _make_part_folder(wheelhouse)
    lock, until = wheelhouse / FOLDER / "record.lock", time.monotonic() + timeout_s
    with disk_errors(wheelhouse):
        while True:
            with try_lock(lock) as is_locked:
                if is_locked:
                    changed = change(read_record(wheelhouse))
                    write_files(wheelhouse.resolve(), {FILENAME: changed.to_toml().encode()})
                    return
            if time.monotonic() > until:
                raise timeout_error(lock, timeout_s)
            time.sleep(_LOCKED_RECORD_PAUSE_S)
