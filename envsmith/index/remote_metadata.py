"""Read under which licences wheels come, by the METADATA beside them or in them, and remember it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from packaging.metadata import parse_email
from packaging.pylock import PackageWheel
from packaging.utils import canonicalize_name

from envsmith.errors import EnvsmithError
from envsmith.index.wheel_notes import WheelNotes
from envsmith.index.wheel_requires import fetch_metadata
from envsmith.lockfile.pins import Pin
from envsmith.model.license import Licence
from envsmith.net.client import Patience, WebClient, open_client
from envsmith.net.deadline import Deadline, run_all
from envsmith.net.silent_servers import SilentServers

_FORM = 1
# What cannot be had at once stays unknown.
_IMPATIENT = Patience(connect_s=3.0, read_s=10.0, attempts=1)


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
        self._notes = WheelNotes(folder, "licence", _FORM)
        self._served = served
        self._is_offline = is_offline
        self._deadline_s = deadline_s
        self._silent = SilentServers()

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
