"""Requirements of source distributions, read from their static metadata without building them."""

from __future__ import annotations

import hashlib
import io
import lzma
import re
import tarfile
import tomllib
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from email.parser import HeaderParser

from packaging.requirements import InvalidRequirement, Requirement

from envsmith.errors import ResolveError, ToolError
from envsmith.model.listing import VersionMetadata
from envsmith.net.client import describe_network_error

MAX_BYTES = 200 * 1024 * 1024
_MEMBER_BYTES = 1024 * 1024
_DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    ValueError,
    RuntimeError,  # of zipfile: an encrypted member, or an unknown compression method
)
# Members with metadata: NAME-VERSION/PKG-INFO, and two files of an egg-info in that folder or one below.
_PYPROJECT = re.compile(r"[^/]+/pyproject\.toml")
_SETUPTOOLS = ("setuptools>=40.8.0", "wheel")
_OF_HOOKS = {
    "setuptools": ("wheel",),
    "scikit_build_core": ("cmake>=3.15", "ninja>=1.5"),
    "mesonpy": ("ninja>=1.8.2",),
}
_METADATA = re.compile(r"[^/]+/(?:PKG-INFO|(?:[^/]+/)?[^/]+\.egg-info/(?:requires\.txt|SOURCES\.txt))")


class SdistReader:
    """Downloads source distributions and reads their static metadata.

    Args:
        declared: reads what the sources in an archive declare: content and place → requirements, or None.
        build: builds a package for its requirements: name, URL, sha256 → requirements, or None.
    """

    def __init__(
        self,
        declared: Callable[[bytes, str], tuple[str, ...] | None] = lambda _archive, _place: None,
        build: Callable[[str, str, str], tuple[str, ...] | None] = lambda _name, _url, _sha256: None,
    ) -> None:
        self._declared = declared
        self._build = build
        self._sizes: dict[str, int] = {}
        self._build_requires: dict[str, tuple[str, ...]] = {}

    def metadata(
        self, *, name: str, version: str, url: str, sha256: str, may_build: bool = False
    ) -> VersionMetadata:
        """Return the requirements of a source distribution: of its metadata, else of its setup.py and the like.

        Args:
            name: of the project.
            version: of the project.
            url: of the file.
            sha256: of the file.
            may_build: build it if only that tells them.

        Raises:
            ResolveError: RES060 when its static metadata lacks them.
            ToolError: TOL025 when it cannot be downloaded, TOL027 when it is damaged or too large, TOL028 when its
                hash differs from the index's.
        """
        archive = self._archive(f"{name} {version}", url, sha256)
        requires = read_requires(archive)
        if requires is None:
            requires = self._declared(archive, f"{name} {version}")
        if requires is None and may_build:
            requires = self._build(name, url, sha256)
        if requires is None:
            raise ResolveError(
                "RES060",
                f"the requirements of {name} {version} are unknown without building its source distribution",
                where=name,
                hint=f"build it for them: --allow-build {name}; or say them under dependency-metadata of the profile",
            )
        return VersionMetadata(name=name, version=version, requires_dist=requires)

    def _archive(self, place: str, url: str, sha256: str) -> bytes:
        archive = fetch_sdist(url, sha256, place)
        self._sizes[sha256] = len(archive)
        self._build_requires[sha256] = read_build_requires(archive)
        return archive

    def build_requires(self, *, name: str, version: str, url: str, sha256: str) -> tuple[str, ...]:
        """Return what the build of a source distribution requires.

        Raises:
            ToolError: as `metadata`.
        """
        if sha256 not in self._build_requires:
            self._archive(f"{name} {version}", url, sha256)
        return self._build_requires[sha256]

    def sizes(self) -> Mapping[str, int]:
        """Return sha256 → size in bytes of the source distributions read so far."""
        return dict(self._sizes)


def read_requires(archive: bytes) -> tuple[str, ...] | None:
    """Return the requirements in an archive, or None if they are unknown without a build.

    Metadata 2.2 and later is final unless it lists Requires-Dist as dynamic (PEP 643, read 2026-11-21). For older
    metadata setuptools writes ``requires.txt`` into the egg-info beside SOURCES.txt, if there are requirements.
    """
    files = dict(archive_members(archive, _METADATA))
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


def requires_of_metadata(text: str) -> tuple[str, ...] | None:
    """Return the requirements in the METADATA of a built package, without those of extras; None if malformed."""
    return _checked(HeaderParser().parsestr(text).get_all("Requires-Dist", []))


def read_build_requires(archive: bytes) -> tuple[str, ...]:
    """Return what the build of an archive requires, by its pyproject.toml; setuptools without one (PEP 517, 518).

    What some backends ask for in a hook is added: their documentation names it.
    """
    texts = [text for path, text in archive_members(archive, _PYPROJECT) if path.count("/") == 1]
    try:
        table = tomllib.loads(texts[0])["build-system"] if texts else {}
        requires = [str(Requirement(text)) for text in table.get("requires", _SETUPTOOLS)]
        backend = str(table.get("build-backend", "setuptools.build_meta"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):  # as if it had none
        return _SETUPTOOLS
    return tuple(dict.fromkeys([*requires, *_OF_HOOKS.get(backend.partition(".")[0], ())]))


def _from_requires_txt(text: str) -> Iterator[str]:
    """Yield requirements of sections ``[:marker]``, not those of extras ``[extra:marker]``."""
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


def archive_members(archive: bytes, wanted: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """Yield path and text of the files of an archive with wanted paths, without large ones.

    Raises:
        ToolError: TOL027 when the archive is damaged.
    """
    try:
        if archive[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(archive)) as bundle:
                for entry in bundle.infolist():
                    if wanted.fullmatch(entry.filename) and entry.file_size <= _MEMBER_BYTES:
                        yield entry.filename, bundle.read(entry).decode("utf-8", "replace")
            return
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for member in tar:
                if member.isfile() and wanted.fullmatch(member.name) and member.size <= _MEMBER_BYTES:
                    content = tar.extractfile(member)
                    yield member.name, content.read().decode("utf-8", "replace") if content else ""
    except _DAMAGED as error:
        raise ToolError(
            "TOL027",
            f"the source distribution cannot be read: {error}",
            hint="require another version",
        ) from error


def fetch_sdist(url: str, sha256: str, place: str) -> bytes:
    """Download a source distribution, and compare its hash.

    Raises:
        ToolError: as `fetch_archive`; TOL028 when its hash differs.
    """
    archive = fetch_archive(url, place)
    _check_hash(archive, sha256, place)
    return archive


def fetch_archive(url: str, place: str) -> bytes:
    """Download an archive.

    Args:
        url: its address.
        place: the package, for messages.

    Raises:
        ToolError: TOL025 when it cannot be downloaded, TOL027 when it is too large.
    """
    import requests

    try:
        with requests.get(url, timeout=(10, 60), stream=True) as response:
            response.raise_for_status()
            body = bytearray()
            for chunk in response.iter_content(1 << 16):
                body += chunk
                if len(body) > MAX_BYTES:
                    raise ToolError(
                        "TOL027",
                        f"the source distribution is larger than {MAX_BYTES >> 20} MB",
                        where=place,
                        hint="require another version",
                    )
    except requests.RequestException as error:
        raise ToolError(
            "TOL025",
            f"the source distribution cannot be downloaded: {describe_network_error(error)}",
            where=place,
            hint="check the network",
        ) from error
    return bytes(body)


def _check_hash(archive: bytes, sha256: str, place: str) -> None:
    found = hashlib.sha256(archive).hexdigest()
    if found != sha256:
        raise ToolError(
            "TOL028",
            f"the source distribution has sha256 {found}, but the index says {sha256}",
            where=place,
            hint="try again; if it happens again, do not use the file, and report it to the index",
        )
