"""Readers of wheels on servers: their file lists, requirements and licences, with a cache keyed by sha256."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TypeVar
from urllib.parse import urlsplit

from packaging.pylock import PackageWheel
from packaging.utils import canonicalize_name

from envsmith.errors import CatalogError, EnvsmithError, ToolError
from envsmith.files.own_folder import site_folders
from envsmith.files.text import read_regular
from envsmith.index.cache import write_cached
from envsmith.index.wheel_metadata import MAX_METADATA_BYTES, ZIP_ERRORS, read_metadata
from envsmith.lockfile.pins import Pin
from envsmith.model.license import PackageLicense
from envsmith.model.url import origin, redact_url
from envsmith.model.wheel import WheelContents, installed_path
from envsmith.net.client import (
    NO_CREDENTIALS,
    Credentials,
    RetryPolicy,
    UnreachableHosts,
    WebClient,
    bad_status,
    open_client,
)
from envsmith.net.deadline import Deadline, run_all
from envsmith.net.range_reader import TAIL_BYTES, RangeReader

T = TypeVar("T")
_FORMAT_VERSION = 1
_WHOLE = "whole"
"""Name, instead of an origin's, of values from a wheel that was hashed as a whole."""
WHOLE_BYTES = 8 * 1024 * 1024
"""A wheel up to this size is downloaded whole, and its hash verified; of a larger one only ranges are read."""
MAX_MEMBER_BYTES = 8 * 1024 * 1024


class MetadataCache:
    """Cached values of one kind, one JSON file per wheel and origin.

    A server could give any file under a hash: values read from parts of a wheel are believed for files of the same
    origin only, those of a wheel hashed as a whole for every origin.

    Args:
        folder: of the files.
        kind: part of the files' names.
        version: of their format.
    """

    def __init__(self, folder: Path, kind: str, version: int = _FORMAT_VERSION) -> None:
        self._folder = folder
        self._kind = kind
        self._version = version

    def read(self, sha256: str, url: str) -> Mapping[str, object]:
        """Return the values for a wheel; empty if there are none, or of another format version.

        Args:
            sha256: of the wheel.
            url: its address; empty for an unknown one.
        """
        for name in dict.fromkeys((_WHOLE, _origin_name(url))):
            try:
                data = json.loads(self._path(sha256, name).read_text("utf-8"))
            except (OSError, ValueError, RecursionError):
                continue
            if isinstance(data, dict) and data.get("form") == self._version:
                return data
        return {}

    def write(self, sha256: str, url: str, values: Mapping[str, object]) -> None:
        """Write the values for a wheel; a cache that cannot be written is ignored.

        Args:
            sha256: of the wheel.
            url: the address it was read from; empty if the whole wheel has this hash.
            values: by name.
        """
        with suppress(ToolError):
            path = self._path(sha256, _origin_name(url))
            write_cached(path, json.dumps({"form": self._version, **values}).encode())

    def _path(self, sha256: str, name: str) -> Path:
        return self._folder / f"{sha256}.{self._kind}.{name}.json"


def _origin_name(url: str) -> str:
    return hashlib.sha256(origin(url).encode()).hexdigest()[:16] if url else _WHOLE


class RemoteReader:
    """Base of the readers below.

    Args:
        folder: cache; wheels in it need no network.
        served: recorded address → address to fetch from.
        is_offline: do not use the network.
        deadline_s: for one call.
        credentials: of servers that ask for them.
    """

    kind = ""
    """Of the cached values."""
    policy: RetryPolicy | None = None
    workers = 8

    def __init__(
        self,
        folder: Path,
        *,
        served: Callable[[str], str] = str,
        is_offline: bool = False,
        deadline_s: float = 60.0,
        credentials: Credentials = NO_CREDENTIALS,
    ) -> None:
        self._credentials = credentials
        self._folder = folder
        self._cache = MetadataCache(folder, self.kind)
        self._served = served
        self._is_offline = is_offline
        self._deadline_s = deadline_s
        self._unreachable = UnreachableHosts()

    def _run(
        self, tasks: Iterable[Callable[[WebClient], T]], deadline: Deadline
    ) -> list[T | Exception | None]:
        open_one = partial(open_client, deadline, self.policy, self._credentials)
        return run_all(list(tasks), open_one, deadline, workers=self.workers)

    def _run_readable(self, tasks: Mapping[str, Callable[[WebClient], T]]) -> dict[str, T]:
        """Return sha256 → result; wheels that cannot be read before the deadline are absent."""
        found: dict[str, T] = {}
        outcomes = self._run(tasks.values(), Deadline(self._deadline_s))
        for sha256, outcome in zip(tasks, outcomes, strict=True):
            if outcome is None or isinstance(outcome, EnvsmithError):
                continue
            if isinstance(outcome, Exception):
                raise outcome
            found[sha256] = outcome
        return found


class WheelReader(RemoteReader):
    """Lists and reads the files of wheels; offline, only cached lists are known."""

    kind = "contents"
    # File lists are a help, not a need: little policy. A second attempt, because one broken connection would leave
    # sizes out of a lock that the next run has.
    policy = RetryPolicy(connect_s=3.0, read_s=10.0, attempts=2)
    workers = 8

    def __init__(
        self,
        folder: Path,
        *,
        served: Callable[[str], str] = str,
        is_offline: bool = False,
        deadline_s: float = 60.0,
        credentials: Credentials = NO_CREDENTIALS,
    ) -> None:
        super().__init__(
            folder, served=served, is_offline=is_offline, deadline_s=deadline_s, credentials=credentials
        )
        self._guard = Lock()
        self._memory: dict[tuple[str, str], WheelContents] = {}

    def contents(self, wheels: Iterable[PackageWheel]) -> dict[str, WheelContents]:
        """Return sha256 → contents; wheels that cannot be read are absent.

        Threads that ask for the same wheel share one download.
        """
        wanted = {_sha256(wheel): wheel for wheel in wheels}
        with self._guard:
            found = {
                sha256: cached
                for sha256, wheel in wanted.items()
                if (cached := self.cached(sha256, wheel.url or ""))
            }
            missing = {sha256: wheel for sha256, wheel in wanted.items() if sha256 not in found}
            if missing and not self._is_offline:
                found |= self._run_readable(
                    {sha256: partial(self._list, wheel) for sha256, wheel in missing.items()}
                )
            self._memory |= {
                (sha256, self._served(wanted[sha256].url or "")): item for sha256, item in found.items()
            }
        return found

    def contents_of(self, pins: Iterable[Pin]) -> dict[str, WheelContents]:
        """Return sha256 → contents of pinned wheels; those without a URL, or that cannot be read, are absent."""
        return self.contents(
            PackageWheel(
                name=pin.filename, url=pin.url, size=pin.size_bytes, hashes={"sha256": pin.sha256[0]}
            )
            for pin in pins
            if pin.url
        )

    def local(self, folder: Path, pins: Iterable[Pin]) -> dict[str, WheelContents]:
        """Return sha256 → contents of pinned wheels in a folder, whose hash is the pin's."""
        names = {pin.name: pin.sha256[0] for pin in pins}
        found = {}
        for path in folder.glob("*.whl") if names else ():
            sha256 = names.get(canonicalize_name(path.name.partition("-")[0]), "")
            with suppress(OSError, *ZIP_ERRORS), path.open("rb") as stream:
                if sha256 and hashlib.file_digest(stream, "sha256").hexdigest() == sha256:
                    found[sha256] = self._keep(sha256, "", zipfile.ZipFile(stream))
        return found

    def read(self, wheel: PackageWheel, paths: Collection[str]) -> dict[str, bytes]:
        """Return path → content of some files of a wheel; paths that are not in it are absent.

        Raises:
            ToolError: TOL030 to TOL034, TOL057 when it cannot be fetched, TOL037 offline, TOL038 when it is not a
                readable wheel, or has another hash.
        """
        if self._is_offline:
            raise _needs_network(wheel)
        with (
            open_client(Deadline(self._deadline_s), credentials=self._credentials) as client,
            self._open(wheel, client) as archive,
        ):
            try:
                return dict(_members(archive, frozenset(paths)))
            except ZIP_ERRORS as error:
                raise _unreadable(wheel, str(error)) from error

    def cached(self, sha256: str, url: str) -> WheelContents | None:
        """Return the cached contents of a wheel, None if there are none; never use the network.

        Args:
            sha256: of the wheel.
            url: its address in the lock; empty for an unknown one.
        """
        address = self._served(url) if url else ""
        if found := self._memory.get((sha256, address)):
            return found
        try:
            return WheelContents.from_plain(self._cache.read(sha256, address))
        except ValueError:
            return None

    def _list(self, wheel: PackageWheel, client: WebClient) -> WheelContents:
        url = self._served(wheel.url or "")
        with self._unreachable.guard(url):
            reader = RangeReader(client, url)
        # The first range covers a small wheel, so its hash costs no further request.
        is_whole = reader.seek(0, io.SEEK_END) <= TAIL_BYTES
        if is_whole and hashlib.sha256(_bytes_of(reader)).hexdigest() != _sha256(wheel):
            raise _unreadable(wheel, "its sha256 differs from the lock's")
        try:
            archive = zipfile.ZipFile(io.BufferedReader(reader))
            return self._keep(_sha256(wheel), "" if is_whole else url, archive)
        except ZIP_ERRORS as error:
            raise _unreadable(wheel, str(error)) from error

    def _keep(self, sha256: str, url: str, archive: zipfile.ZipFile) -> WheelContents:
        """Return the contents of a wheel, and cache them; the archive is closed."""
        with archive:
            files = {installed_path(item.filename): item for item in archive.infolist() if not item.is_dir()}
            stream = archive.fp
            size_bytes = stream.seek(0, io.SEEK_END) if stream else 0
        contents = WheelContents(
            size_bytes=size_bytes,
            members={path: files[path].file_size for path in sorted(files)},
            checksums={path: item.CRC for path, item in files.items()},
        )
        self._cache.write(sha256, url, contents.to_plain())
        return contents

    def _open(self, wheel: PackageWheel, client: WebClient) -> zipfile.ZipFile:
        url = self._served(wheel.url or "")
        source: io.BufferedReader | io.BytesIO
        if wheel.size is not None and wheel.size <= WHOLE_BYTES:
            answer = client.get(url, {}, limit_bytes=WHOLE_BYTES)
            if answer.status != 200:
                raise bad_status(answer.status, redact_url(url))
            if hashlib.sha256(answer.body).hexdigest() != _sha256(wheel):
                raise _unreadable(wheel, "its sha256 differs from the lock's")
            source = io.BytesIO(answer.body)
        else:
            source = io.BufferedReader(RangeReader(client, url))
        try:
            return zipfile.ZipFile(source)
        except ZIP_ERRORS as error:
            raise _unreadable(wheel, str(error)) from error


class RequiresReader(RemoteReader):
    """Reads ``Requires-Dist`` of wheels."""

    kind = "requires"

    def requires(self, wheels: Iterable[PackageWheel]) -> dict[str, tuple[str, ...]]:
        """Return sha256 → requirements of every wheel, those of extras included.

        Raises:
            ToolError: TOL030 to TOL034, TOL057 when one cannot be fetched, TOL037 offline, TOL038 when it is not a
                readable wheel.
        """
        wanted = {_sha256(wheel): wheel for wheel in wheels}
        found = {
            sha256: cached for sha256, wheel in wanted.items() if (cached := self._cached(wheel)) is not None
        }
        missing = [wheel for sha256, wheel in wanted.items() if sha256 not in found]
        if missing and self._is_offline:
            raise _needs_network(missing[0])
        deadline = Deadline(self._deadline_s)
        outcomes = self._run((partial(self._read, wheel) for wheel in missing), deadline)
        for wheel, outcome in zip(missing, outcomes, strict=True):
            if outcome is None:
                raise deadline.error(wheel.filename)
            if isinstance(outcome, Exception):
                raise outcome
            found[wheel.hashes["sha256"]] = outcome
        return found

    def _read(self, wheel: PackageWheel, client: WebClient) -> tuple[str, ...]:
        from packaging.metadata import parse_email  # slow to import, and seldom needed

        url = self._served(wheel.url or "")
        body = _fetch_metadata(wheel, url, client)
        requires = tuple(parse_email(body)[0].get("requires_dist", ()))
        self._cache.write(wheel.hashes["sha256"], url, {"requires": requires})
        return requires

    def _cached(self, wheel: PackageWheel) -> tuple[str, ...] | None:
        requires = self._cache.read(_sha256(wheel), self._served(wheel.url or "")).get("requires")
        return tuple(map(str, requires)) if isinstance(requires, list) else None


class LicenceReader(RemoteReader):
    """Reads licences of wheels; offline, only cached ones are known."""

    kind = "licence"
    policy = RetryPolicy(connect_s=3.0, read_s=10.0, attempts=1)

    def licences(self, pins: Iterable[Pin]) -> dict[str, PackageLicense]:
        """Return sha256 → licence; wheels that cannot be read are absent."""
        wanted = {sha256: pin for pin in pins for sha256 in pin.sha256}
        found = {
            sha256: cached
            for sha256, pin in wanted.items()
            if (cached := self._cached(sha256, pin.url)) is not None
        }
        missing = {
            sha256: partial(self._read, pin, sha256)
            for sha256, pin in wanted.items()
            if sha256 not in found and pin.url and not pin.is_source
        }
        return found if self._is_offline else found | self._run_readable(missing)

    def _read(self, pin: Pin, sha256: str, client: WebClient) -> PackageLicense:
        wheel = PackageWheel(name=pin.filename, url=pin.url, hashes={"sha256": sha256})
        url = self._served(pin.url)
        with self._unreachable.guard(url):
            licence = PackageLicense.from_metadata(_fetch_metadata(wheel, url, client))
        self._cache.write(sha256, url, {"expression": licence.expression, "name": licence.name})
        return licence

    def _cached(self, sha256: str, url: str) -> PackageLicense | None:
        values = self._cache.read(sha256, self._served(url) if url else "")
        if not {"expression", "name"} <= values.keys():
            return None
        return PackageLicense(expression=str(values["expression"]), name=str(values["name"]))


def installed_licences(prefix: Path) -> dict[tuple[str, str], PackageLicense]:
    """Return (name, version) → licence of the packages in an environment, from their METADATA."""
    from packaging.metadata import parse_email

    found: dict[tuple[str, str], PackageLicense] = {}
    for path in (path for site in site_folders(prefix) for path in site.glob("*.dist-info/METADATA")):
        try:
            body = read_regular(path, MAX_METADATA_BYTES)
        except OSError:
            continue
        raw = parse_email(body)[0]
        name = str(canonicalize_name(raw.get("name", "")))
        found[name, raw.get("version", "")] = PackageLicense.from_metadata(body)
    return found


def _fetch_metadata(wheel: PackageWheel, url: str, client: WebClient) -> bytes:
    """Return the METADATA of a wheel: from the file beside it (PEP 658), else from the wheel itself."""
    answer = client.get(f"{url}.metadata", {}, limit_bytes=MAX_METADATA_BYTES)
    if answer.status == 200:
        return answer.body
    if answer.status not in {403, 404, 410}:
        raise bad_status(answer.status, redact_url(url))
    try:
        return read_metadata(io.BufferedReader(RangeReader(client, url)), wheel.filename)
    except CatalogError as error:
        raise _unreadable(wheel, error.message) from error


def _bytes_of(reader: RangeReader) -> bytes:
    reader.seek(0)
    data = reader.readall()
    reader.seek(0)
    return data


def _members(archive: zipfile.ZipFile, paths: frozenset[str]) -> Iterator[tuple[str, bytes]]:
    for item in archive.infolist():
        path = installed_path(item.filename)
        if path in paths and item.file_size <= MAX_MEMBER_BYTES:
            with archive.open(item) as file:
                yield path, file.read(MAX_MEMBER_BYTES)


def _sha256(wheel: PackageWheel) -> str:
    return wheel.hashes.get("sha256", "")


def _unreadable(wheel: PackageWheel, cause: str) -> ToolError:
    return ToolError(
        "TOL038",
        f"the wheel cannot be read: {cause[:200]}",
        where=f"{wheel.filename} ({urlsplit(wheel.url or '').hostname})",
        hint="the file or its server is broken: try again, or use another mirror",
    )


def _needs_network(wheel: PackageWheel) -> ToolError:
    return ToolError(
        "TOL037",
        f"{wheel.filename} must be read from its server",
        where="--offline",
        hint="run the command once without --offline; the result is cached",
    )
