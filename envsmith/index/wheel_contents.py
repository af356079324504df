"""Look into wheels without fetching more of them than that takes, and remember what they hold."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from packaging.pylock import PackageWheel

from envsmith.errors import EnvsmithError, ToolError
from envsmith.index.cache import replace_file
from envsmith.index.wheel_metadata import BROKEN
from envsmith.model.url import public_url
from envsmith.model.wheel import WheelContents, installed_path
from envsmith.net.client import RetryPolicy, UnreachableHosts, WebClient, bad_status, open_client
from envsmith.net.deadline import Deadline, run_all
from envsmith.net.range_reader import RangeReader

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

WHOLE_BYTES = 8 * 1024 * 1024
"""A wheel up to this size is fetched whole to be read, and its hash is proved; of a larger one only ranges are."""
MAX_MEMBER_BYTES = 8 * 1024 * 1024
# Looking into wheels is worth a moment, not a wait: what cannot be had at once stays unknown. One connection that broke
# is no such case: a size that a lock lacks for it would be there the next time.
_IMPATIENT = RetryPolicy(connect_s=3.0, read_s=10.0, attempts=2)
_AT_ONCE = 16


class WheelReader:
    """Lists and reads the files of wheels that lie on servers.

    Args:
        folder: keeps what was listed, by the wheels' sha256; what is there once needs no network.
        served: address on record → address it is fetched from.
        is_offline: nothing is fetched; what is not kept stays unknown.
        deadline_s: for one call; what was not listed by then stays unknown.
    """

    def __init__(
        self,
        folder: Path,
        *,
        served: Callable[[str], str] = str,
        is_offline: bool = False,
        deadline_s: float = 60.0,
    ) -> None:
        self._folder = folder
        self._served = served
        self._is_offline = is_offline
        self._deadline_s = deadline_s
        self._turn = Lock()
        self._read: dict[str, WheelContents] = {}
        self._silent = UnreachableHosts()

    def contents(self, wheels: Iterable[PackageWheel]) -> dict[str, WheelContents]:
        """Return sha256 → contents; a wheel that cannot be looked into is absent.

        What several threads ask for is fetched once. A server that could not be reached is not asked again.
        """
        wanted = {_sha256(wheel): wheel for wheel in wheels}
        with self._turn:
            found = {sha256: kept for sha256 in wanted if (kept := self.kept(sha256))}
            missing = [wheel for sha256, wheel in wanted.items() if sha256 not in found]
            if missing and not self._is_offline:
                found |= self._fetched(missing)
            self._read |= found
        return found

    def _fetched(self, missing: list[PackageWheel]) -> dict[str, WheelContents]:
        found: dict[str, WheelContents] = {}
        deadline = Deadline(self._deadline_s)
        tasks = [partial(self._list, wheel) for wheel in missing]
        opened = partial(open_client, deadline, _IMPATIENT)
        for wheel, outcome in zip(missing, run_all(tasks, opened, deadline, workers=_AT_ONCE), strict=True):
            if isinstance(outcome, WheelContents):
                found[_sha256(wheel)] = outcome
            elif isinstance(outcome, Exception) and not isinstance(outcome, EnvsmithError):
                raise outcome
        return found

    def read(self, wheel: PackageWheel, paths: Collection[str]) -> dict[str, bytes]:
        """Return path → content of some files of a wheel; a path that it has not is absent.

        Raises:
            ToolError: TOL030 to TOL034, TOL057 when it cannot be fetched, TOL037 offline, TOL038 when it is no
                wheel that can be read, or has another hash.
        """
        if self._is_offline:
            raise needs_network(wheel)
        deadline = Deadline(self._deadline_s)
        with _opened(deadline)() as client, self._archive(wheel, client) as archive:
            try:
                return dict(_members(archive, frozenset(paths)))
            except BROKEN as error:
                raise unreadable(wheel, str(error)) from error

    def _list(self, wheel: PackageWheel, client: WebClient) -> WheelContents:
        url = self._served(wheel.url or "")
        with self._silent.asked(url):
            reader = RangeReader(client, url)
        try:
            with zipfile.ZipFile(io.BufferedReader(reader)) as archive:
                files = {
                    installed_path(item.filename): item for item in archive.infolist() if not item.is_dir()
                }
        except BROKEN as error:
            raise unreadable(wheel, str(error)) from error
        contents = WheelContents(
            size_bytes=reader.seek(0, io.SEEK_END),
            members={path: item.file_size for path, item in files.items()},
            checksums={path: item.CRC for path, item in files.items()},
        )
        self._keep(_sha256(wheel), contents)
        return contents

    def _archive(self, wheel: PackageWheel, client: WebClient) -> zipfile.ZipFile:
        url = self._served(wheel.url or "")
        source: io.RawIOBase | io.BytesIO
        if wheel.size is not None and wheel.size <= WHOLE_BYTES:
            answer = client.get(url, {}, limit_bytes=WHOLE_BYTES)
            if answer.status != 200:
                raise bad_status(answer.status, public_url(url))
            if hashlib.sha256(answer.body).hexdigest() != _sha256(wheel):
                raise unreadable(wheel, "its bytes have another sha256 than the lock")
            source = io.BytesIO(answer.body)
        else:
            source = RangeReader(client, url)
        try:
            return zipfile.ZipFile(source if isinstance(source, io.BytesIO) else io.BufferedReader(source))
        except BROKEN as error:
            raise unreadable(wheel, str(error)) from error

    def kept(self, sha256: str) -> WheelContents | None:
        """Return what is remembered of a wheel, None where nobody has looked into it; nothing is fetched."""
        if read := self._read.get(sha256):
            return read
        try:
            return WheelContents.from_json((self._folder / f"{sha256}.json").read_text("utf-8"))
        except (OSError, ValueError):
            return None

    def _keep(self, sha256: str, contents: WheelContents) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            replace_file(self._folder / f"{sha256}.json", contents.to_json().encode())
        except (OSError, ToolError):
            return  # it is only asked for again


def _opened(deadline: Deadline) -> Callable[[], AbstractContextManager[WebClient]]:
    return partial(open_client, deadline)


def _members(archive: zipfile.ZipFile, paths: frozenset[str]) -> Iterator[tuple[str, bytes]]:
    for item in archive.infolist():
        path = installed_path(item.filename)
        if path in paths and item.file_size <= MAX_MEMBER_BYTES:
            with archive.open(item) as file:
                yield path, file.read(MAX_MEMBER_BYTES)


def _sha256(wheel: PackageWheel) -> str:
    return wheel.hashes.get("sha256", "")


def unreadable(wheel: PackageWheel, why: str) -> ToolError:
    """Return the error of a file that is no wheel, or not the one that is locked."""
    return ToolError(
        "TOL038",
        f"the wheel cannot be read: {why[:200]}",
        where=f"{wheel.filename} ({urlsplit(wheel.url or '').hostname})",
        hint="the file is broken or its server answers otherwise than it should: try again, or another mirror",
    )


def needs_network(wheel: PackageWheel) -> ToolError:
    """Return the error of a wheel that nobody has looked into yet, where the network may not be used."""
    return ToolError(
        "TOL037",
        f"{wheel.filename} must be looked into on its server",
        where="--offline",
        hint="run the command once without --offline: what was seen is remembered",
    )
