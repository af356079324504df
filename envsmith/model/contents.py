"""Contents: what a wheel holds, told by its own list of files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

FORM = 1
_SITE = ("purelib", "platlib")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The files of one wheel."""

    size_bytes: int
    """Of the wheel itself, packed."""
    members: Mapping[str, int]
    """Path below site-packages → bytes unpacked; what goes elsewhere begins with ``<scripts>/``, ``<data>/``,
    ``<headers>/``."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "members", MappingProxyType(dict(sorted(self.members.items()))))

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
        return json.dumps({"form": FORM, "size": self.size_bytes, "members": dict(self.members)})

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
            members = {_inside(str(path)): int(size) for path, size in data["members"].items()}
            return cls(size_bytes=int(data["size"]), members=members)
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
