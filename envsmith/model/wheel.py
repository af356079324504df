"""Wheels: index entries, filenames, hashes, and lists of contents."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging.tags import Tag, parse_tag
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from envsmith.errors import CatalogError
from envsmith.model.backend import Backend

SHA256 = re.compile(r"[0-9a-f]{64}")
"""64 lower-case hexadecimal digits; use with ``fullmatch``."""
# Schemes of a `.data` folder that are installed into site-packages.
_SITE_SCHEMES = ("purelib", "platlib")
# Files that no program loads: documentation, tests, and top-level files with other endings than these.
_NEVER_LOADED = ("share/doc/", "share/man/", "share/licenses/")
_TESTS = frozenset({"benchmarks", "doc", "docs", "examples", "test", "tests"})
_LOADED = (".py", ".so", ".pyd", ".pth", ".dll", ".dylib")
# Strictly the characters of PEP 427: names from index pages go into paths, hrefs and requirements lines.
_FILENAME = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._]*)-(?P<version>[A-Za-z0-9._+!]+)(?:-(?P<build>\d[A-Za-z0-9_.+]*))?"
    r"-(?P<tags>[A-Za-z0-9_.]+-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+)\.whl"
)
# Only characters of RFC 3986, so that a URL can be written into pages and requirements lines.
_URL = re.compile(r"(?:https?|file)://[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelContents:
    """The files of one wheel."""

    size_bytes: int
    """Size of the wheel file."""
    members: Mapping[str, int]
    """Path below site-packages → unpacked bytes; files for other places begin with ``<scripts>/``, ``<data>/`` or
    ``<headers>/``."""
    checksums: Mapping[str, int] = field(default_factory=dict)
    """Path → CRC-32 from the zip directory; files of equal size and checksum count as equal."""

    @property
    def unpacked_bytes(self) -> int:
        """Unpacked size of all files."""
        return sum(self.members.values())

    def top_level(self) -> tuple[str, ...]:
        """Return the importable names: folders and modules directly in site-packages."""
        found = set()
        for path in self.members:
            first, _, rest = path.partition("/")
            if rest and not first.endswith((".dist-info", ".data", ".libs")) and not first.startswith("<"):
                found.add(first)
            elif not rest and path.endswith((".py", ".so", ".pyd")):
                found.add(path.split(".")[0])
        return tuple(sorted(name for name in found if name.isidentifier()))

    def to_plain(self) -> dict[str, object]:
        """Return the values that `from_plain` parses: in columns, which are read fast; a torch has 12,000 files."""
        paths = sorted(self.members)
        return {
            "size": self.size_bytes,
            "paths": paths,
            "sizes": [self.members[path] for path in paths],
            "checksums": [self.checksums.get(path) for path in paths],
        }

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> WheelContents:
        """Parse the values of `to_plain`.

        Raises:
            ValueError: for any other values.
        """
        try:
            paths, checksums = data["paths"], data["checksums"]
            _inside("\n".join(paths))
            _check_numbers((data["size"], *data["sizes"], *filter(None, checksums)))
            return cls(
                size_bytes=data["size"],
                members=dict(zip(paths, data["sizes"], strict=True)),
                checksums={path: crc for path, crc in zip(paths, checksums, strict=True) if crc is not None},
            )
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"invalid contents of a wheel: {error}") from error


def installed_path(name: str) -> str:
    """Return the installed path of a wheel's file, relative to site-packages.

    Source: Binary distribution format, "The .data directory" (packaging.python.org, read 2026-11-21).

    Raises:
        ValueError: if the path leads out of the environment.
    """
    first, _, rest = _inside(name).partition("/")
    if not first.endswith(".data") or not rest:
        return name
    scheme, _, path = rest.partition("/")
    return path if scheme in _SITE_SCHEMES else f"<{scheme}>/{path}"


def is_loadable(path: str) -> bool:
    """Return whether a program may load a file; only for these are two owners with different contents a conflict.

    `lock/file_conflicts.py` admits locks by the same rule, so that an admitted lock verifies after its install: many
    wheels have a top-level ``tests/__init__.py`` or LICENSE.

    Args:
        path: path in a RECORD, relative to ``site-packages``; data files begin with ``..``.
    """
    path = path.replace("\\", "/")
    if path.startswith("../"):
        return not path.lstrip("./").startswith(_NEVER_LOADED)
    top, _, rest = path.partition("/")
    if rest and top in _TESTS:
        return False
    return bool(rest) or path.endswith(_LOADED)


def is_top_module(path: str) -> bool:
    """Return whether a path in a RECORD is a module of one file, directly in ``site-packages``."""
    return path.endswith(".py") and "/" not in path.replace("\\", "/")


def import_of(path: str) -> re.Pattern[bytes]:
    """Return the pattern of a line that imports a module of one file.

    A module at the top level that no other module of its wheel imports is a leftover of the build, such as
    ``build_backend.py``: two owners with different contents are no conflict.
    """
    return re.compile(
        rb"^[ \t]*(?:from|import)[ \t][^#\n]*\b%s\b" % re.escape(path[:-3].encode()), re.MULTILINE
    )


def _check_numbers(values: Iterable[object]) -> None:
    if not {*map(type, values)} <= {int}:
        raise ValueError("a size or checksum is not a number")


def _inside(names: str) -> str:
    """Return one path, or several in lines, if none leads out of the environment."""
    is_above = ".." in names and ".." in names.replace("\n", "/").split("/")
    if is_above or names.startswith("/") or "\n/" in names or "\\" in names or "\0" in names:
        raise ValueError(f"invalid path in a wheel: {names[:200]!r}")
    return names


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """One wheel listed by an index. Its key is (index, filename): other indexes may serve other bytes by that name."""

    index: str
    """Name of the index that listed it: ``cu128``, ``nightly/cu130``."""
    filename: str
    url: str
    sha256: str | None
    """None if the index publishes no hash; never empty."""
    upload_time: str | None = None
    """UTC, RFC 3339 with ``Z``; None if the index publishes none."""
    name: NormalizedName
    version: Version
    build: tuple[int, str] | None = None
    platform_tags: str
    """The filename's three tags: ``cp312-cp312-manylinux_2_28_x86_64``."""
    withdrawn: tuple[str, ...] = ()
    """Other hashes once published under the same key, not used."""
    yanked: str | None = None
    """Reason why the index withdrew the file (PEP 592), empty without one; None if it did not."""

    @classmethod
    def from_entry(
        cls,
        *,
        index: str,
        filename: str,
        url: str,
        sha256: str | None,
        upload_time: str | None = None,
        withdrawn: tuple[str, ...] = (),
    ) -> Wheel:
        """Build a wheel from an index entry.

        Raises:
            CatalogError: CAT010 for a malformed filename, version, URL or sha256, or the URL of another file.
        """
        match = _FILENAME.fullmatch(filename)
        if match is None:
            raise CatalogError("CAT010", f"invalid wheel filename {filename!r}", where=index)
        if sha256 is not None and SHA256.fullmatch(sha256) is None:
            raise CatalogError("CAT010", f"invalid sha256 {sha256!r}", where=f"{index}: {filename}")
        if _URL.fullmatch(url) is None or unquote(urlsplit(url).path).rsplit("/", 1)[-1] != filename:
            raise CatalogError("CAT010", f"invalid URL {url!r} for this file", where=f"{index}: {filename}")
        try:
            version = Version(match["version"])
        except InvalidVersion as error:
            raise CatalogError(
                "CAT010", f"invalid version {match['version']!r}", where=f"{index}: {filename}"
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
        """Local version label, ``cu128``; empty if the filename has none."""
        return self.version.local or ""

    @property
    def folder(self) -> str:
        """Last folder of the URL: ``cu128``, or ``whl`` for old wheels in the root of PyTorch's server."""
        parts = urlsplit(self.url).path.split("/")
        return unquote(parts[-2]) if len(parts) > 1 else ""

    def is_build_of(self, backend: Backend) -> bool:
        """Return whether it was built for a backend. Pages also list old wheels without label, from PyTorch's root."""
        if self.label or (self.name == "torch" and backend.family != "cpu"):
            return self.label == backend.label
        return self.folder == str(backend)


def is_url(text: str) -> bool:
    """Return whether a text is a plain URL: no query, no fragment, no backslash, which programs read differently."""
    return _URL.fullmatch(text) is not None and "?" not in text and "#" not in text


def is_wheel_filename(text: str) -> bool:
    """Return whether a text is a wheel filename, and therefore safe in paths."""
    return _FILENAME.fullmatch(text) is not None
