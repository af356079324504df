"""Reads what source distributions require, out of their files and without running any of them."""

from __future__ import annotations

import hashlib
import io
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from email.parser import HeaderParser

from packaging.requirements import InvalidRequirement, Requirement

from envsmith.errors import ResolveError, ToolError
from envsmith.model.listing import VersionMetadata
from envsmith.net.client import describe_network_error

MOST_BYTES = 200 * 1024 * 1024
_MEMBER_BYTES = 1024 * 1024
_DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    ValueError,
    RuntimeError,  # of zipfile: a member that is encrypted, or packed in a way nobody knows
)
_WANTED = re.compile(r"[^/]+/(?:PKG-INFO|(?:[^/]+/)?[^/]+\.egg-info/(?:requires\.txt|SOURCES\.txt))")


class SdistReader:
    """Fetches source distributions and reads their static metadata."""

    def __init__(self) -> None:
        self._sizes: dict[str, int] = {}

    def metadata(self, *, name: str, version: str, url: str, sha256: str) -> VersionMetadata:
        """Read what a source distribution requires.

        Raises:
            ResolveError: RES060 when its files do not say it without building.
            ToolError: TOL025 when it cannot be fetched, TOL027 when it is damaged or too large, TOL028 when it has
                another hash than the index says.
        """
        archive = _fetch(url, sha256, place=f"{name} {version}")
        self._sizes[sha256] = len(archive)
        requires = read_requires(archive)
        if requires is None:
            raise ResolveError(
                "RES060",
                f"the source distribution of {name} {version} does not say what it requires without being built",
                where=name,
                hint=f"ask for a version of {name} with a wheel, or take it out of allow-sdist",
            )
        return VersionMetadata(name=name, version=version, requires_dist=requires)

    def sizes(self) -> Mapping[str, int]:
        """Return sha256 → size in bytes, of those that were read."""
        return dict(self._sizes)


def read_requires(archive: bytes) -> tuple[str, ...] | None:
    """Return the requirements an archive states, or None where only a build could tell.

    Metadata 2.2 and later is final where Requires-Dist is not listed as dynamic (PEP 643, read 2026-11-21).
    Before, setuptools writes ``requires.txt`` into the egg-info beside SOURCES.txt, and leaves it out where
    nothing is required.
    """
    files = dict(_members(archive))
    info = next((text for path, text in files.items() if path.count("/") == 1), "")
    headers = HeaderParser().parsestr(info)
    dynamic = {value.lower() for value in headers.get_all("Dynamic", [])}
    if _version(headers.get("Metadata-Version", "")) >= (2, 2) and "requires-dist" not in dynamic:
        return _checked(headers.get_all("Requires-Dist", []))
    required = next((text for path, text in files.items() if path.endswith("requires.txt")), None)
    if required is not None:
        return _checked(list(_from_requires_txt(required)))
    if any(path.endswith("SOURCES.txt") for path in files):
        return ()
    return None


def _from_requires_txt(text: str) -> Iterator[str]:
    """Yield requirements; sections are ``[extra:marker]``, and those of extras are left out."""
    marker, extra = "", ""
    for line in (line.strip() for line in text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            extra, _, marker = line[1:-1].partition(":")
        elif line and not extra:
            yield f"{line} ; {marker}" if marker else line


def _checked(texts: list[str]) -> tuple[str, ...] | None:
    try:
        parsed = [Requirement(text) for text in texts]
    except InvalidRequirement:
        return None
    return tuple(sorted(str(item) for item in parsed if not item.marker or "extra" not in str(item.marker)))


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")) if re.fullmatch(r"\d+\.\d+", text) else (0,)


def _members(archive: bytes) -> Iterator[tuple[str, str]]:
    try:
        if archive[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(archive)) as bundle:
                for entry in bundle.infolist():
                    if _WANTED.fullmatch(entry.filename) and entry.file_size <= _MEMBER_BYTES:
                        yield entry.filename, bundle.read(entry).decode("utf-8", "replace")
            return
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for member in tar:
                if member.isfile() and _WANTED.fullmatch(member.name) and member.size <= _MEMBER_BYTES:
                    content = tar.extractfile(member)
                    yield member.name, content.read().decode("utf-8", "replace") if content else ""
    except _DAMAGED as error:
        raise ToolError(
            "TOL027",
            f"the source distribution cannot be read: {error}",
            hint="ask for another version of it",
        ) from error


def _fetch(url: str, sha256: str, place: str) -> bytes:
    import requests

    try:
        with requests.get(url, timeout=(10, 60), stream=True) as response:
            response.raise_for_status()
            body = bytearray()
            for chunk in response.iter_content(1 << 16):
                body += chunk
                if len(body) > MOST_BYTES:
                    raise ToolError(
                        "TOL027",
                        f"the source distribution is larger than {MOST_BYTES >> 20} MB",
                        where=place,
                        hint="ask for another version of it",
                    )
    except requests.RequestException as error:
        raise ToolError(
            "TOL025",
            f"the source distribution cannot be fetched: {describe_network_error(error)}",
            where=place,
            hint="check the network",
        ) from error
    found = hashlib.sha256(body).hexdigest()
    if found != sha256:
        raise ToolError(
            "TOL028",
            f"the source distribution's sha256 is {found}, the index says {sha256}",
            where=place,
            hint="try again; if it stays so, do not use this file, and tell those who run the index",
        )
    return bytes(body)
