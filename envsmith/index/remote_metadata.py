"""Read under which licences wheels come, by the METADATA beside them or in them, and remember it.

Notes on wheels, kept by their sha256: what was read once needs no network.

Read what wheels require, by the METADATA beside them (PEP 658) or in them, and remember it.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from packaging.metadata import parse_email
from packaging.pylock import PackageWheel
from packaging.utils import canonicalize_name

from envsmith.errors import CatalogError, EnvsmithError, ToolError
from envsmith.index.cache import replace_file
from envsmith.index.wheel_contents import needs_network, unreadable
from envsmith.index.wheel_metadata import MAX_METADATA_BYTES, read_metadata
from envsmith.lockfile.pins import Pin
from envsmith.model.license import Licence
from envsmith.model.url import public_url
from envsmith.net.client import RetryPolicy, UnreachableHosts, WebClient, bad_status, open_client
from envsmith.net.deadline import Deadline, run_all
from envsmith.net.range_reader import RangeReader

_FORM = 1
# What cannot be had at once stays unknown.
_IMPATIENT = RetryPolicy(connect_s=3.0, read_s=10.0, attempts=1)


class MetadataCache:
    """Notes of one kind.

    Args:
        folder: keeps them.
        kind: which; a part of the files' names.
        form: of what they hold; those of another form are not read.
    """

    def __init__(self, folder: Path, kind: str, form: int) -> None:
        self._folder = folder
        self._kind = kind
        self._form = form

    def read(self, sha256: str) -> Mapping[str, object]:
        """Return what is noted of a wheel; empty where nothing is, or nothing that can be read."""
        try:
            data = json.loads(self._path(sha256).read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return data if isinstance(data, dict) and data.get("form") == self._form else {}

    def write(self, sha256: str, values: Mapping[str, object]) -> None:
        """Note something; where that cannot be written, it is only asked for again."""
        with suppress(ToolError):
            replace_file(self._path(sha256), json.dumps({"form": self._form, **values}).encode())

    def _path(self, sha256: str) -> Path:
        return self._folder / f"{sha256}.{self._kind}.json"


class RequiresReader:
    """Reads ``Requires-Dist`` of wheels that lie on servers; what was read once needs no network.

    Args:
        folder: keeps what was read, by the wheels' sha256.
        served: address on record → address it is fetched from.
        is_offline: nothing is fetched.
        deadline_s: for one call.
    """

    def __init__(
        self,
        folder: Path,
        *,
        served: Callable[[str], str] = str,
        is_offline: bool = False,
        deadline_s: float = 60.0,
    ) -> None:
        self._notes = MetadataCache(folder, "requires", _FORM)
        self._served = served
        self._is_offline = is_offline
        self._deadline_s = deadline_s

    def requires(self, wheels: Iterable[PackageWheel]) -> dict[str, tuple[str, ...]]:
        """Return sha256 → what the wheel requires, extras' requirements included, for every one of the wheels.

        Raises:
            ToolError: TOL030 to TOL034, TOL057 when one cannot be fetched, TOL037 offline, TOL038 when it is no wheel.
        """
        wanted = {wheel.hashes.get("sha256", ""): wheel for wheel in wheels}
        found = {sha256: kept for sha256 in wanted if (kept := self._kept(sha256)) is not None}
        missing = [wheel for sha256, wheel in wanted.items() if sha256 not in found]
        if missing and self._is_offline:
            raise needs_network(missing[0])
        deadline = Deadline(self._deadline_s)
        tasks = [partial(self._read, wheel) for wheel in missing]
        for wheel, outcome in zip(
            missing, run_all(tasks, partial(open_client, deadline), deadline) if tasks else [], strict=True
        ):
            if outcome is None:
                raise deadline.passed(wheel.filename)
            if isinstance(outcome, Exception):
                raise outcome
            found[wheel.hashes["sha256"]] = outcome
        return found

    def _read(self, wheel: PackageWheel, client: WebClient) -> tuple[str, ...]:
        body = fetch_metadata(wheel, self._served(wheel.url or ""), client)
        requires = tuple(parse_email(body)[0].get("requires_dist", ()))
        self._notes.write(wheel.hashes["sha256"], {"requires": requires})
        return requires

    def _kept(self, sha256: str) -> tuple[str, ...] | None:
        requires = self._notes.read(sha256).get("requires")
        return tuple(map(str, requires)) if isinstance(requires, list) else None


def fetch_metadata(wheel: PackageWheel, url: str, client: WebClient) -> bytes:
    """Return the METADATA of a wheel: what lies beside it, else what is in it.

    Args:
        wheel: the wheel, for messages.
        url: where it is fetched from.
        client: fetches.

    Raises:
        ToolError: TOL030 to TOL034, TOL057 when it cannot be fetched, TOL038 when it is no wheel.
    """
    answer = client.get(f"{url}.metadata", {}, limit_bytes=MAX_METADATA_BYTES)
    if answer.status == 200:
        return answer.body
    if answer.status in {403, 404, 410}:
        return _from_wheel(wheel, RangeReader(client, url))
    raise bad_status(answer.status, public_url(url))


def _from_wheel(wheel: PackageWheel, reader: RangeReader) -> bytes:
    try:
        return read_metadata(io.BufferedReader(reader), wheel.filename)
    except CatalogError as error:
        raise unreadable(wheel, error.message) from error


class LicenceReader:
    """Reads licences of wheels that lie on servers; what was read once needs no network.

    Args:
        folder: keeps what was read, by the wheels' sha256.
        served: address on record → address it is fetched from.
        is_offline: nothing is fetched; what is not kept stays unknown.
        deadline_s: for one call; what was not read by then stays unknown.
    """

    def __init__(
        self,
        folder: Path,
        *,
        served: Callable[[str], str] = str,
        is_offline: bool = False,
        deadline_s: float = 60.0,
    ) -> None:
        self._notes = MetadataCache(folder, "licence", _FORM)
        self._served = served
        self._is_offline = is_offline
        self._deadline_s = deadline_s
        self._silent = UnreachableHosts()

    def licences(self, pins: Iterable[Pin]) -> dict[str, Licence]:
        """Return sha256 → licence; a wheel that cannot be looked into, or not without the network, is absent."""
        wanted = {sha256: pin for pin in pins for sha256 in pin.sha256}
        found = {sha256: kept for sha256 in wanted if (kept := self._kept(sha256)) is not None}
        missing = [
            sha256 for sha256, pin in wanted.items() if sha256 not in found and pin.url and not pin.is_source
        ]
        if missing and not self._is_offline:
            deadline = Deadline(self._deadline_s)
            tasks = [partial(self._read, wanted[sha256], sha256) for sha256 in missing]
            opened = partial(open_client, deadline, _IMPATIENT)
            for sha256, outcome in zip(missing, run_all(tasks, opened, deadline), strict=True):
                if isinstance(outcome, Licence):
                    found[sha256] = outcome
                elif isinstance(outcome, Exception) and not isinstance(outcome, EnvsmithError):
                    raise outcome
        return found

    def _read(self, pin: Pin, sha256: str, client: WebClient) -> Licence:
        wheel = PackageWheel(name=pin.filename, url=pin.url, hashes={"sha256": sha256})
        url = self._served(pin.url)
        with self._silent.asked(url):
            licence = Licence.from_metadata(fetch_metadata(wheel, url, client))
        self._notes.write(sha256, {"expression": licence.expression, "name": licence.name})
        return licence

    def _kept(self, sha256: str) -> Licence | None:
        noted = self._notes.read(sha256)
        if not {"expression", "name"} <= noted.keys():
            return None
        return Licence(expression=str(noted["expression"]), name=str(noted["name"]))


def installed_licences(prefix: Path) -> dict[tuple[str, str], Licence]:
    """Return name and version → licence of what is installed in an environment, as far as its METADATA says it."""
    found: dict[tuple[str, str], Licence] = {}
    places = (prefix.glob("lib/python*/site-packages"), prefix.glob("Lib/site-packages"))
    for path in (path for place in places for site in place for path in site.glob("*.dist-info/METADATA")):
        try:
            body = path.read_bytes()
        except OSError:
            continue
        raw = parse_email(body)[0]
        name = str(canonicalize_name(raw.get("name", "")))
        found[name, raw.get("version", "")] = Licence.from_metadata(body)
    return found
