"""Wheel: one row of an index.

Contents: what a wheel holds, told by its own list of files.

What a SHA-256 digest looks like.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import unquote, urlsplit

from packaging.tags import Tag, parse_tag
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from envsmith.errors import CatalogError
from envsmith.model.backend import Backend

FORM = 2
_SITE = ("purelib", "platlib")
SHA256 = re.compile(r"[0-9a-f]{64}")
"""64 small hexadecimal digits, and nothing else, by ``fullmatch``."""
# Only what PEP 427 names are made of: a name from a page goes into paths, hrefs and requirements lines.
_FILENAME = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._]*)-(?P<version>[A-Za-z0-9._+!]+)(?:-(?P<build>\d[A-Za-z0-9_.+]*))?"
    r"-(?P<tags>[A-Za-z0-9_.]+-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+)\.whl"
)
_URL = re.compile(r"(?:https?|file)://[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelContents:
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
    def from_json(cls, text: str) -> WheelContents:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """One wheel as an index lists it. Its key is (index, filename): one filename can have other bytes elsewhere."""

    index: str
    """Name of the index that listed it: ``cu128``, ``nightly/cu130``."""
    filename: str
    url: str
    sha256: str | None
    """None where the index publishes no hash; never an empty text."""
    upload_time: str | None = None
    """UTC, RFC 3339 with ``Z``; None where the index does not say."""
    name: NormalizedName
    version: Version
    build: tuple[int, str] | None = None
    platform_tags: str
    """``cp312-cp312-manylinux_2_28_x86_64``: the three tags as in the filename."""
    withdrawn: tuple[str, ...] = ()
    """Other hashes once on record under the same key, not taken."""

    @classmethod
    def from_row(
        cls,
        *,
        index: str,
        filename: str,
        url: str,
        sha256: str | None,
        upload_time: str | None = None,
        withdrawn: tuple[str, ...] = (),
    ) -> Wheel:
        """Build a wheel from what an index says of it, refusing what could not be a wheel's row.

        Raises:
            CatalogError: CAT010 for a malformed filename, URL or sha256, or a URL of another file.
        """
        match = _FILENAME.fullmatch(filename)
        if match is None:
            raise CatalogError("CAT010", f"{filename!r} is no wheel filename", where=index)
        if sha256 is not None and SHA256.fullmatch(sha256) is None:
            raise CatalogError("CAT010", f"{sha256!r} is no sha256", where=f"{index}: {filename}")
        if _URL.fullmatch(url) is None or unquote(urlsplit(url).path).rsplit("/", 1)[-1] != filename:
            raise CatalogError("CAT010", f"{url!r} is no URL of this file", where=f"{index}: {filename}")
        try:
            version = Version(match["version"])
        except InvalidVersion as error:
            raise CatalogError(
                "CAT010", f"{match['version']!r} is no version", where=f"{index}: {filename}"
            ) from error
        build = re.match(r"(\d+)(.*)", match["build"]) if match["build"] else None
        return cls(
            index=index,
            filename=filename,
            url=url,
            sha256=sha256,
            upload_time=upload_time,
            name=canonicalize_name(match["name"]),
            version=version,
            build=(int(build[1]), build[2]) if build else None,
            platform_tags=match["tags"],
            withdrawn=withdrawn,
        )

    @property
    def tags(self) -> frozenset[Tag]:
        """The wheel's tags, expanded (PEP 425)."""
        return parse_tag(self.platform_tags)

    @property
    def label(self) -> str:
        """The local version label, ``cu128``; empty where the filename carries none."""
        return self.version.local or ""

    @property
    def folder(self) -> str:
        """Last folder of the URL: ``cu128``, or ``whl`` for the old wheels at PyTorch's root."""
        parts = urlsplit(self.url).path.split("/")
        return unquote(parts[-2]) if len(parts) > 1 else ""

    def is_build_of(self, backend: Backend) -> bool:
        """Say whether it is a build of a backend: pages list older wheels of PyTorch's root, too, without label."""
        if self.label or (self.name == "torch" and backend.family != "cpu"):
            return self.label == backend.label
        return self.folder == str(backend)


def is_wheel_filename(text: str) -> bool:
    """Say whether a text is a wheel's filename, and so fit for paths."""
    return _FILENAME.fullmatch(text) is not None
