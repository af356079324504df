"""Contents: what a wheel holds, told by its own list of files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

FORM = 2
_SITE = ("purelib", "platlib")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The files of one wheel."""

    size_bytes: int
    """Of the wheel itself, packed."""
    members: Mapping[str, int]
    """Path below site-packages → bytes unpacked; what goes elsewhere begins with ``<scripts>/``, ``<data>/``,
    ``<headers>/``."""
    checksums: Mapping[str, int] = field(default_factory=dict)
    """Path → CRC-32 of the file, as the wheel's own list has it; files of one size and checksum are taken as equal."""

    def __post_init__(self) -> None:
        for name in ("members", "checksums"):
            object.__setattr__(self, name, MappingProxyType(dict(sorted(getattr(self, name).items()))))

    @property
    def unpacked_bytes(self) -> int:
        """The bytes of all files, unpacked."""
        return sum(self.members.values())

    def top_level(self) -> tuple[str, ...]:
        """Return the names that can be imported: folders and modules that lie directly in site-packages."""
        found = set()
        for path in self.members:
            first, _, rest = path.partition("/")
            if rest and not first.endswith((".dist-info", ".data", ".libs")) and not first.startswith("<"):
                found.add(first)
            elif not rest and path.endswith((".py", ".so", ".pyd")):
                found.add(path.split(".")[0])
        return tuple(sorted(name for name in found if name.isidentifier()))

    def to_json(self) -> str:
        """Write it as text that reads back to an equal value."""
        members = {path: [size, self.checksums.get(path)] for path, size in self.members.items()}
        return json.dumps({"form": FORM, "size": self.size_bytes, "members": members}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Contents:
        """Read what `to_json` wrote.

        Raises:
            ValueError: when the text is something else.
        """
        try:
            data = json.loads(text)
            if data["form"] != FORM:
                raise ValueError(f"form is {data['form']!r}")
            members = {_inside(path): (int(size), crc) for path, (size, crc) in data["members"].items()}
            return cls(
                size_bytes=int(data["size"]),
                members={path: size for path, (size, _) in members.items()},
                checksums={path: int(crc) for path, (_, crc) in members.items() if crc is not None},
            )
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"no contents of a wheel: {error}") from error


def installed_path(name: str) -> str:
    """Return where a file of a wheel is installed, below site-packages.

    Source: Binary distribution format, "The .data directory" (packaging.python.org, read 2026-11-21).

    Raises:
        ValueError: when the name leads out of the environment.
    """
    first, _, rest = _inside(name).partition("/")
    if not first.endswith(".data") or not rest:
        return name
    scheme, _, path = rest.partition("/")
    return path if scheme in _SITE else f"<{scheme}>/{path}"


def _inside(name: str) -> str:
    if name.startswith("/") or "\\" in name or "\0" in name or ".." in name.split("/"):
        raise ValueError(f"{name[:200]!r} is no path inside a wheel")
    return name
