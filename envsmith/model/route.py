"""Route: where a project's wheels come from instead of PyPI, and what was read there."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from envsmith.errors import ProfileError
from envsmith.model.wheel import SHA256, Wheel

# These go into pages, requirements lines and TOML: no quotes, spaces, or what pip would take for a variable.
_PLAIN = re.compile(r"[A-Za-z0-9._~:/\[\]!&()*+,;=%@-]+")


def check_address(url: str) -> str:
    """Return an address that a project may be routed to.

    Raises:
        ProfileError: PRF015 when it is no https URL, nor http on this machine or a file, or carries a user,
            password, query or fragment.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refused("it is malformed") from None
    if _PLAIN.fullmatch(url) is None or port == 0:
        raise _refused("it has characters that an address of an index has not, or a query")
    if "@" in parts.netloc:
        raise _refused("it names a user; a lock must hold no password")
    is_file = parts.scheme == "file" and parts.netloc in ("", "localhost") and parts.path.startswith("/")
    is_near = parts.scheme == "http" and is_loopback(parts.hostname or "")
    if not (is_file or is_near or (parts.scheme == "https" and parts.hostname)):
        raise _refused(f"{url[:100]!r} is neither https, nor http on this machine, nor a file")
    return url


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine by its very name."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refused(why: str) -> ProfileError:
    return ProfileError(
        "PRF015",
        f"no address to route a project to: {why}",
        hint='write it like "https://data.pyg.org/whl/torch-2.8.0+cu128.html"; a login belongs into the netrc file',
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRow:
    """One wheel of a routed project, and what it requires."""

    wheel: Wheel
    """Its index is the route's address."""
    requires_dist: tuple[str, ...] = ()
    requires_python: str | None = None
    computed: str | None = None
    """The sha256 of its bytes as downloaded, where the page publishes none."""

    def to_plain(self) -> dict[str, object]:
        """Return what a manifest records."""
        values = {
            "name": self.wheel.filename,
            "url": self.wheel.url,
            "sha256": self.wheel.sha256,
            "computed": self.computed,
            "uploaded": self.wheel.upload_time,
            "requires-python": self.requires_python,
            "requires": list(self.requires_dist) or None,
        }
        return {key: value for key, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePage:
    """What was read of one project at the address it is routed to."""

    project: str
    url: str
    is_flat: bool
    """True where the address is a page of links; false where it is the root of an index."""
    read_at: str
    """UTC, RFC 3339 with ``Z``."""
    rows: tuple[RouteRow, ...]
    others: tuple[str, ...] = ()
    """Filenames of wheels for other machines, Pythons or backends; not recorded."""

    def to_plain(self) -> dict[str, object]:
        """Return what a manifest records."""
        return {
            "url": self.url,
            "flat": self.is_flat,
            "read-at": self.read_at,
            "wheels": [row.to_plain() for row in self.rows],
        }

    @classmethod
    def from_plain(cls, project: str, values: Mapping[str, object]) -> RoutePage:
        """Read what a manifest recorded.

        Raises:
            ValueError: when it is none; EnvsmithError when an address or row is malformed.
        """
        url, wheels, is_flat = check_address(str(values["url"])), values["wheels"], values["flat"]
        if not isinstance(wheels, list) or not isinstance(is_flat, bool):
            raise TypeError(f"routes.{project}: wheels is no list, or flat neither true nor false")
        return cls(
            project=project,
            url=url,
            is_flat=is_flat,
            read_at=str(values["read-at"]),
            rows=tuple(_row(url, item) for item in wheels),
        )


def _row(index: str, item: Mapping[str, object]) -> RouteRow:
    def maybe(key: str) -> str | None:
        return str(item[key]) if key in item else None

    requires, computed = item.get("requires", []), maybe("computed")
    if not isinstance(requires, list):
        raise TypeError("requires is no list")
    if computed is not None and not SHA256.fullmatch(computed):
        raise ValueError(f"{computed[:80]!r} is no sha256")
    return RouteRow(
        wheel=Wheel.from_row(
            index=index,
            filename=str(item["name"]),
            url=check_address(str(item["url"])),
            sha256=maybe("sha256"),
            upload_time=maybe("uploaded"),
        ),
        requires_dist=tuple(str(text) for text in requires),
        requires_python=maybe("requires-python"),
        computed=computed,
    )
