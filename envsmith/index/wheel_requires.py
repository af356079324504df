"""Read what wheels require, by the METADATA beside them (PEP 658) or in them, and remember it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from packaging.metadata import parse_email
from packaging.pylock import PackageWheel

from envsmith.errors import CatalogError
from envsmith.index.wheel_contents import needs_network, unreadable
from envsmith.index.wheel_metadata import MAX_METADATA_BYTES, read_metadata
from envsmith.index.wheel_notes import WheelNotes
from envsmith.model.url import public_url
from envsmith.net.client import WebClient, bad_status, open_client
from envsmith.net.deadline import Deadline, run_all
from envsmith.net.range_reader import RangeReader

_FORM = 1


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
        self._notes = WheelNotes(folder, "requires", _FORM)
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
