"""Fills a folder with the files of locks: in parallel, together with other processes, each file proved.

The record of what a wheelhouse holds, as a file in it.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from envsmith.download.artifact import Artifact
from envsmith.download.download import Locations, Transfers
from envsmith.download.part_file import (
    FOLDER,
    DiskError,
    PartFile,
    discard,
    part_path,
    part_size,
    refusals,
    sha256_of_file,
)
from envsmith.download.record import FILENAME, DownloadResult, FetchedFile, WheelhouseRecord
from envsmith.download.transfer import StoppedError, Transfer, TransferPolicy, other_file
from envsmith.errors import EnvsmithError, ToolError
from envsmith.files.atomic import write_files
from envsmith.files.locks import try_lock
from envsmith.files.text import read_text
from envsmith.index.hashing import FileCache
from envsmith.model.url import redact_url
from envsmith.net.deadline import Deadline, run_all

_FOREVER_S = 30 * 86400.0
_BUSY_PAUSE_S = 0.2
_BLOCK = 1 << 20
_FRESH_STARTS = 3
_PAUSE_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelhouseDownloader:
    """Fills wheelhouses.

    Args:
        heard: hears how far it is.
        kept: files fetched once before, which need no network.
        endurance: how patient to be with servers.
        jobs: files fetched at once.
    """

    heard: Transfers
    kept: FileCache
    endurance: TransferPolicy = field(default_factory=TransferPolicy)
    jobs: int = 4

    def fill(self, house: Path, artifacts: Sequence[Artifact], locations: Locations) -> DownloadResult:
        """Bring files into a folder; what is there is proved, what is not is fetched.

        A file that cannot be had keeps none of the others from coming.

        Args:
            house: made if it is not there.
            artifacts: what is wanted, each name once.
            locations: where each may be fetched.

        Raises:
            ToolError: TOL044 when there is not room enough, TOL043 and TOL046 when the disk refuses.
        """
        with refusals(house):
            part_path(house, "").parent.mkdir(parents=True, exist_ok=True)
        work = _Work(filler=self, house=house, locations=locations)
        try:
            return work.all(artifacts)
        finally:
            work.stop.set()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """One filling of one folder."""

    filler: WheelhouseDownloader
    house: Path
    locations: Locations
    stop: threading.Event = field(default_factory=threading.Event)

    def all(self, artifacts: Sequence[Artifact]) -> DownloadResult:
        """Prove what is there, make sure of room, fetch the rest, wait for what others are fetching."""
        held = self._each(artifacts, lambda item, _: self._held(item))
        self._sweep(item for item, found in zip(artifacts, held, strict=True) if found)
        missing = [item for item, found in zip(artifacts, held, strict=True) if found is None]
        missing = self._with_room_for(missing)
        found = dict(zip(missing, self._each(missing, self._bring), strict=True))
        busy = [item for item in missing if found[item] is None]
        found |= zip(busy, self._each(busy, self._wait_and_bring), strict=True)
        results = [*held, *found.values()]
        return DownloadResult(
            brought=tuple(item for item in results if isinstance(item, FetchedFile)),
            failed=tuple(item for item in results if isinstance(item, EnvsmithError)),
        )

    def _each(
        self, artifacts: Sequence[Artifact], do: Callable[[Artifact, Transfer], FetchedFile | None]
    ) -> list[FetchedFile | EnvsmithError | None]:
        """Do something with files side by side; a disk that refuses one ends the work on all."""
        tasks = [partial(self._one, item, do) for item in artifacts]
        outcomes = run_all(tasks, self._session, Deadline(_FOREVER_S), workers=self.filler.jobs)
        found: list[FetchedFile | EnvsmithError | None] = []
        for outcome in outcomes:
            is_told = isinstance(outcome, (EnvsmithError, StoppedError))
            if isinstance(outcome, Exception) and (isinstance(outcome, DiskError) or not is_told):
                raise outcome
            found.append(outcome if isinstance(outcome, (FetchedFile, EnvsmithError)) else None)
        return found

    def _one(
        self, item: Artifact, do: Callable[[Artifact, Transfer], FetchedFile | None], transfer: Transfer
    ) -> FetchedFile | None:
        begun = time.monotonic()
        try:
            brought = do(item, transfer)
        except EnvsmithError as error:
            if isinstance(error, DiskError):
                self.stop.set()
            self.filler.heard.failed(item.filename, error)
            raise error.at(item.filename)  # noqa: B904 - the same error, with its place
        if brought is not None:
            brought = replace(brought, seconds=time.monotonic() - begun)
            self.filler.heard.ended(brought)
        return brought

    @contextmanager
    def _session(self) -> Iterator[Transfer]:
        import requests

        with requests.Session() as session:
            session.headers["User-Agent"] = "envsmith"
            yield Transfer(session, self.filler.endurance, self.stop)

    def _held(self, item: Artifact, way: str = "held") -> FetchedFile | None:
        """Say whether a file is there; one of that name with other bytes is none."""
        path = self.house / item.filename
        if not path.is_file():
            return None
        with refusals(path):
            size = path.stat().st_size
        if item.size_bytes not in (None, size) or sha256_of_file(path) != item.sha256:
            return None
        return FetchedFile(filename=item.filename, size_bytes=size, way=way)

    def _sweep(self, held: Iterable[Artifact]) -> None:
        """Take away what a run that was killed left beside files that are there."""
        with refusals(self.house):
            left = {path.stem for path in (self.house / FOLDER).iterdir()}
            for item in held:
                if item.sha256 in left:
                    with try_lock(part_path(self.house, item.sha256).with_suffix(".lock")) as is_ours:
                        if is_ours:
                            discard(self.house, item.sha256)

    def _with_room_for(self, missing: Sequence[Artifact]) -> list[Artifact]:
        """Return the files, the largest first; refuse before anything is written where they could not all be kept.

        Raises:
            ToolError: TOL044 when there is not room enough.
        """
        unknown = [item for item in missing if item.size_bytes is None]
        sizes: dict[Artifact, int | None] = {item: item.size_bytes for item in missing}
        tasks = [partial(self._size, item) for item in unknown]
        outcomes = run_all(tasks, self._session, Deadline(_FOREVER_S), workers=self.filler.jobs)
        sizes |= {
            item: size if isinstance(size, int) else None
            for item, size in zip(unknown, outcomes, strict=True)
        }
        there = {item: part_size(self.house, item.sha256) for item in missing}
        wanted = sum(max(0, (sizes[item] or 0) - there[item]) for item in missing)
        free = shutil.disk_usage(self.house).free
        if wanted > free:
            raise _no_room(self.house, wanted, free)
        total = sum(max(sizes[item] or 0, there[item]) for item in missing)
        self.filler.heard.planned(len(missing), total, is_exact=None not in sizes.values())
        return sorted(missing, key=lambda item: -(sizes[item] or 0))

    def _size(self, item: Artifact, transfer: Transfer) -> int | None:
        if kept := self.filler.kept.find(item.sha256, item.filename):
            return kept.stat().st_size
        return transfer.size(self.locations.urls(item))

    def _wait_and_bring(self, item: Artifact, transfer: Transfer) -> FetchedFile:
        self.filler.heard.waiting(item.filename)
        while (brought := self._bring(item, transfer)) is None:
            if self.stop.wait(_BUSY_PAUSE_S):
                raise StoppedError
        return brought

    def _bring(self, item: Artifact, transfer: Transfer) -> FetchedFile | None:
        """Fetch a file, or return None where another process is at it."""
        lock = part_path(self.house, item.sha256).with_suffix(".lock")
        with refusals(lock), try_lock(lock) as is_ours:
            if not is_ours:
                return None
            # Whoever had it before us may have brought it.
            return self._held(item, "shared") or self._fetch(item, transfer)

    def _fetch(self, item: Artifact, transfer: Transfer) -> FetchedFile:
        heard = partial(self.filler.heard.moved, item.filename)
        with PartFile(self.house, item.sha256) as part:
            heard(part.size)
            way = "kept" if self._take_kept(item, part, heard) else "fetched"
            for _ in range(_FRESH_STARTS):
                if not part.is_proved:
                    transfer.fetch(self.locations.urls(item), part, item.size_bytes, heard)
                if part.is_proved:
                    size = part.size
                    part.become(self.house / item.filename)
                    return FetchedFile(filename=item.filename, size_bytes=size, way=way)
                is_wrong = part.is_of_one_piece and part.origin.size_bytes is not None
                heard(-part.size)
                part.restart()
                if is_wrong:
                    break
            part.discard()
        raise other_file(f"sha256 is not {item.sha256}", redact_url(item.url))

    def _take_kept(self, item: Artifact, part: PartFile, heard: Callable[[int], None]) -> bool:
        """Copy what was kept from an earlier fetch, if it was."""
        kept = self.filler.kept.find(item.sha256, item.filename)
        if kept is None or part.is_proved:
            return False
        heard(-part.size)
        part.restart()
        with refusals(kept), kept.open("rb") as stream:
            while block := stream.read(_BLOCK):
                part.write(block)
                heard(len(block))
        return part.is_proved


def _no_room(house: Path, wanted: int, free: int) -> ToolError:
    return ToolError(
        "TOL044",
        f"{wanted / 1e6:,.1f} MB are to come, and {free / 1e6:,.1f} MB are free",
        where=str(house),
        details=(("to come", f"{wanted} bytes"), ("free", f"{free} bytes")),
        hint="make room, name another folder with -d, or ask for fewer targets",
    )


def holdings(house: Path) -> WheelhouseRecord:
    """Return what a wheelhouse holds; nothing where there is no record.

    Raises:
        ToolError: TOL049 when the record is damaged, TOL012 when it cannot be read.
    """
    path = house / FILENAME
    return (
        WheelhouseRecord.from_toml(read_text(path, str(path)), str(path))
        if path.exists()
        else WheelhouseRecord()
    )


def change(house: Path, change: Callable[[WheelhouseRecord], WheelhouseRecord]) -> WheelhouseRecord:
    """Change the record while no other process does, and return it as it is then.

    Raises:
        ToolError: TOL049 when the record is damaged, TOL011 to TOL013 and TOL046 when the disk refuses.
    """
    with refusals(house):
        (house / FOLDER).mkdir(parents=True, exist_ok=True)
        while True:
            with try_lock(house / FOLDER / "record.lock") as is_ours:
                if is_ours:
                    changed = change(holdings(house))
                    write_files(house, {FILENAME: changed.to_toml().encode()})
                    return changed
            time.sleep(_PAUSE_S)
