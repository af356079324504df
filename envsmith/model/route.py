"""Routes: index pages of projects with an index of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from packaging.version import Version

from envsmith.model.backend import BuildLabel
from envsmith.model.url import check_address
from envsmith.model.wheel import SHA256, Wheel


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteEntry:
    """One wheel of a routed project with its requirements."""

    wheel: Wheel
    """Its index is the address of the route."""
    requires_dist: tuple[str, ...] = ()
    requires_python: str | None = None
    computed: str | None = None
    """The sha256 of the downloaded file, if the page publishes none."""

    def rank(self) -> tuple[Version, tuple[int, ...], Version, str]:
        """Return the sort key; local labels compare as text, which would put torch 2.10 before 2.9."""
        version = self.wheel.version
        torch = BuildLabel.parse(self.wheel.label).torch
        return Version(version.public), torch, version, self.wheel.filename

    def to_plain(self) -> dict[str, object]:
        """Return the values for a manifest."""
        values = {
            "name": self.wheel.filename,
            "url": self.wheel.url,
            "sha256": self.wheel.sha256,
            "computed": self.computed,
            "uploaded": self.wheel.upload_time,
            "yanked": self.wheel.yanked,
            "requires-python": self.requires_python,
            "requires": list(self.requires_dist) or None,
        }
        return {key: value for key, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePage:
    """The page of one routed project, as read."""

    project: str
    url: str
    is_flat: bool
    """True if the address is a page of links; false if it is the root of an index."""
    read_at: str
    """UTC, RFC 3339 with ``Z``."""
    entries: tuple[RouteEntry, ...]
    others: tuple[str, ...] = ()
    """Filenames of wheels for other platforms, Pythons or backends; not recorded."""

    def to_plain(self) -> dict[str, object]:
        """Return the values for a manifest."""
        return {
            "url": self.url,
            "flat": self.is_flat,
            "read-at": self.read_at,
            "wheels": [entry.to_plain() for entry in self.entries],
        }

    @classmethod
    def from_plain(cls, project: str, values: Mapping[str, object]) -> RoutePage:
        """Parse the values of a manifest.

        Raises:
            TypeError, ValueError, KeyError: for other values.
            EnvsmithError: PRF015 or CAT010 for a malformed address or wheel.
        """
        url, wheels, is_flat = check_address(str(values["url"])), values["wheels"], values["flat"]
        if not isinstance(wheels, list) or not isinstance(is_flat, bool):
            raise TypeError(f"routes.{project}: wheels must be a list, and flat true or false")
        return cls(
            project=project,
            url=url,
            is_flat=is_flat,
            read_at=str(values["read-at"]),
            entries=tuple(_entry(url, item) for item in wheels),
        )


def _entry(index: str, item: Mapping[str, object]) -> RouteEntry:
    def maybe(key: str) -> str | None:
        return str(item[key]) if key in item else None

    requires, computed = item.get("requires", []), maybe("computed")
    if not isinstance(requires, list):
        raise TypeError("requires must be a list")
    if computed is not None and not SHA256.fullmatch(computed):
        raise ValueError(f"invalid sha256 {computed[:80]!r}")
    wheel = Wheel.from_entry(
        index=index,
        filename=str(item["name"]),
        url=check_address(str(item["url"])),
        sha256=maybe("sha256"),
        upload_time=maybe("uploaded"),
    )
    return RouteEntry(
        wheel=replace(wheel, yanked=maybe("yanked")),
        requires_dist=tuple(str(text) for text in requires),
        requires_python=maybe("requires-python"),
        computed=computed,
    )
