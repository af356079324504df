"""Recordings of the package index: project pages, metadata and file lists of wheels, source distributions.

``python -m tests.record_index`` makes them. A recording is one file of ``tests/data/index``, JSON in xz:

    recorded   recording command, date, version of uv
    projects   name → rows of its page (PEP 691); "url" is the path on the host of files
    absent     names of projects that the index does not have
    wheels     path → `StandIn`
    files      path → whole content in base64, for clients that compare its hash

A recording contains no host names: `tests.index_server` takes them from pip.
"""

from __future__ import annotations

import base64
import json
import lzma
import re
import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from packaging.utils import parse_wheel_filename
from packaging.version import Version

FOLDER = Path(__file__).parent / "data" / "index"
_DEFLATED = 8
_UTF8 = 0x800
_JANUARY_1980 = 0x21
"""The earliest date of a zip archive, in MS-DOS form."""


@dataclass(kw_only=True)
class StandIn:
    """A wheel with the real size and the real list of members, but without any content other than METADATA.

    Clients that list members or read metadata by ranges get the real answers; all other bytes are zero.
    """

    size: int
    members: list[tuple[str, int, int]]
    """Name, size in bytes, CRC-32."""
    metadata: str
    """Headers of METADATA that resolvers read."""
    has_sidecar: bool = False
    """Whether the index also serves the metadata by itself (PEP 658)."""

    @classmethod
    def from_plain(cls, found: Mapping[str, Any]) -> StandIn:
        """Read the result of `asdict`."""
        members = [(str(name), int(size), int(crc)) for name, size, crc in found["members"]]
        return cls(**{**found, "members": members})

    @cached_property
    def _parts(self) -> tuple[bytes, bytes]:
        """Return the first bytes, with METADATA, and the last, with the central directory."""
        head, directory, offset = b"", b"", 0
        # METADATA first: zipfile refuses a member that overlaps the next one.
        for name, size, crc in sorted(self.members, key=lambda member: not is_metadata(member[0])):
            path, data, sizes = name.encode(), b"", (crc, 0, size)
            if is_metadata(name):
                text = self.metadata.encode()
                data = zlib.compress(text, wbits=-15)
                sizes = (zlib.crc32(text), len(data), len(text))
            # Version, flags, method, time, date; CRC, both sizes; lengths of the name and of the extra field.
            fields = struct.pack("<5H3L2H", 20, _UTF8, _DEFLATED, 0, _JANUARY_1980, *sizes, len(path), 0)
            # Around them: version that wrote it; length of the comment, disk, attributes, place of the member.
            directory += (
                b"PK\1\2" + struct.pack("<H", 20) + fields + struct.pack("<3H2L", 0, 0, 0, 0, offset) + path
            )
            head += b"PK\3\4" + fields + path + data if data else b""
            offset += 30 + len(path) + len(data)
        start, count = self.size - len(directory) - 22, len(self.members)
        end = b"PK\5\6" + struct.pack("<4H2LH", 0, 0, count, count, len(directory), start, 0)
        return head, directory + end

    def read(self, start: int, stop: int) -> bytes:
        """Return the bytes from start to before stop."""
        head, tail = self._parts
        gap = self.size - len(tail)
        zeros = bytes(max(0, min(stop, gap) - max(start, len(head))))
        return head[start:stop] + zeros + tail[max(0, start - gap) : max(0, stop - gap)]


@dataclass(kw_only=True)
class Recording:
    """Answers of the index that are needed to repeat a run."""

    recorded: str
    projects: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)
    wheels: dict[str, StandIn] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def read(cls, name: str, folder: Path = FOLDER) -> Recording:
        """Read a recording by its name."""
        found = json.loads(lzma.decompress((folder / f"{name}.json.xz").read_bytes()))
        wheels = {path: StandIn.from_plain(one) for path, one in found.pop("wheels").items()}
        files = {path: base64.b64decode(text) for path, text in found.pop("files").items()}
        return cls(**found, wheels=wheels, files=files)

    def add(
        self,
        name: str,
        version: str,
        requires: Iterable[str] = (),
        *,
        uploaded: str = "2026-01-01T00:00:00Z",
        tags: str = "py3-none-any",
    ) -> dict[str, Any]:
        """Add a wheel that is made up, and return its row."""
        requires = list(requires)
        extras = sorted({extra for text in requires for extra in re.findall(r"extra == '([^']+)'", text)})
        lines = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"]
        lines += [f"Provides-Extra: {extra}\n" for extra in extras]
        lines += [f"Requires-Dist: {text}\n" for text in requires]
        stem = f"{name.replace('-', '_')}-{version}"
        members = [(f"{stem}.dist-info/METADATA", 1, 1), (f"{name.replace('-', '_')}/__init__.py", 1, 1)]
        wheel = StandIn(size=5000, members=members, metadata="".join(lines), has_sidecar=True)
        return self._add_row(name, f"/packages/{stem}-{tags}.whl", uploaded, wheel)

    def add_later(
        self, name: str, version: str, uploaded: str, requires: Mapping[str, str] | None = None
    ) -> None:
        """Add a release with the wheels of the newest one whose metadata is recorded.

        Args:
            name: of a project with wheels.
            version: which the project does not have.
            uploaded: RFC 3339.
            requires: its requirements that are others now: before → after.
        """
        wheels = [row for row in self.projects[name] if row["filename"].endswith(".whl")]
        newest = max(_version(row) for row in wheels if row["url"] in self.wheels)
        old = [row for row in wheels if _version(row) == newest]
        known = next(self.wheels[row["url"]] for row in old if row["url"] in self.wheels)
        metadata = re.sub(r"(?m)^Version: .*$", f"Version: {version}", known.metadata)
        for before, after in (requires or {}).items():
            assert f"Requires-Dist: {before}\n" in metadata, metadata
            metadata = metadata.replace(f"Requires-Dist: {before}\n", f"Requires-Dist: {after}\n")
        for row in old:
            place, _, filename = row["url"].rpartition("/")
            parts = filename.split("-")
            path = "/".join([place, "-".join([parts[0], version, *parts[2:]])])
            kept = {key: row[key] for key in ("requires-python",) if key in row}
            members = [
                (member.replace(f"-{newest}.dist-info", f"-{version}.dist-info"), size, crc)
                for member, size, crc in known.members
            ]
            self._add_row(name, path, uploaded, replace(known, metadata=metadata, members=members), **kept)

    def _add_row(self, name: str, path: str, uploaded: str, wheel: StandIn, **more: str) -> dict[str, Any]:
        # The bytes of stand-ins are not downloaded: a hash of their own is enough.
        digest = sha256(path.encode()).hexdigest()
        filename = path.rpartition("/")[2]
        row = {"filename": filename, "hashes": {"sha256": digest}, "size": wheel.size, **more}
        row |= {"upload-time": uploaded, "url": path}
        self.projects.setdefault(name, []).append(row)
        self.wheels[path] = wheel
        return row

    def write(self, name: str, folder: Path = FOLDER) -> Path:
        """Write a recording; equal recordings give equal bytes."""
        plain = {
            "recorded": self.recorded,
            "projects": dict(sorted(self.projects.items())),
            "absent": sorted(self.absent),
            # By file name, so that the wheels of a project are neighbours and compress well.
            "wheels": {path: asdict(one) for path, one in sorted(self.wheels.items(), key=_by_filename)},
            "files": {path: base64.b64encode(one).decode() for path, one in sorted(self.files.items())},
        }
        path = folder / f"{name}.json.xz"
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(plain, indent=0, ensure_ascii=False)
        path.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))
        return path


def is_metadata(path: str) -> bool:
    """Say whether a member is the wheel's own METADATA, not that of a package copied into it."""
    return path.endswith(".dist-info/METADATA") and path.count("/") == 1


def _version(row: Mapping[str, Any]) -> Version:
    return parse_wheel_filename(row["filename"])[1]


def _by_filename(item: tuple[str, object]) -> str:
    return item[0].rpartition("/")[2]
