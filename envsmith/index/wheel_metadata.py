"""Requirements of the wheels of one version, read from METADATA and merged over platforms."""

from __future__ import annotations

import hashlib
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from envsmith.errors import CatalogError
from envsmith.model.listing import Metadata
from envsmith.model.url import redact_url
from envsmith.model.wheel import Wheel
from envsmith.net.range_reader import RangeReader

if TYPE_CHECKING:
    from envsmith.index.simple_api import PageRow
    from envsmith.net.client import WebClient

MAX_METADATA_BYTES = 4 * 1024 * 1024
# Platform tags: manylinux_2_28_x86_64, manylinux2014_x86_64, linux_aarch64, macosx_11_0_arm64, win_amd64, win32.
_PLATFORM = re.compile(
    r"(?:many|musl)?(?P<linux>linux)(?:_\d+_\d+|\d+)?_(?P<linux_machine>\w+)"
    r"|(?P<darwin>macosx)_\d+_\d+_(?P<darwin_machine>\w+)"
    r"|(?P<win32>win)(?:_(?P<win32_machine>\w+)|32)"
)
_MACHINES = {
    ("win32", "amd64"): "AMD64",
    ("win32", "arm64"): "ARM64",
    ("win32", None): "x86",
    ("darwin", "universal2"): "",
}
# Exceptions of zipfile for malformed archives, fuzzed ones included.
ZIP_ERRORS = (
    ArithmeticError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")  # string literals of markers


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class PlatformFamily:
    """Platforms whose wheels share one METADATA: an operating system and, for some, a machine."""

    system: str
    """Value of ``sys_platform``; empty for ``any``."""
    machine: str
    """Value of ``platform_machine``; empty if the wheel is for all machines."""

    @classmethod
    def of(cls, row: PageRow) -> PlatformFamily:
        """Return the family of a wheel from its platform tag; an unknown tag is a family of its own."""
        tag = row.wheel.platform_tags.rsplit("-", 1)[-1].split(".")[-1]
        match = _PLATFORM.fullmatch(tag)
        if match is None:
            return cls(system="" if tag == "any" else tag, machine="")
        system = next(name for name in ("linux", "darwin", "win32") if match[name])
        machine = match[f"{system}_machine"]
        return cls(system=system, machine=_MACHINES.get((system, machine), machine or ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """Requirements in a METADATA file, in its order, without those of extras."""

    requires_dist: tuple[str, ...]
    requires_python: str | None


def choose_rows(rows: tuple[PageRow, ...]) -> dict[PlatformFamily, PageRow]:
    """Return one wheel per platform family to read, preferably one with a hash of its metadata."""
    chosen: dict[PlatformFamily, PageRow] = {}
    ranked = sorted(
        rows, key=lambda row: (row.metadata_sha256 is None, not row.has_metadata, row.wheel.filename)
    )
    for row in ranked:
        chosen.setdefault(PlatformFamily.of(row), row)
    return chosen


def read_requirements(client: WebClient, row: PageRow, *, may_lack_label: bool = False) -> Requirements:
    """Return the requirements of a wheel, from the METADATA file beside it (PEP 658) or from the wheel itself.

    Args:
        client: sends the requests.
        row: the wheel.
        may_lack_label: whether the METADATA may lack the local version label of the filename.

    Raises:
        CatalogError: CAT035 when the METADATA file has another hash than the page says, CAT036 when it is malformed
            or of another wheel.
        ToolError: TOL030 to TOL034, TOL057 when it cannot be fetched.
    """
    where = redact_url(row.served_url)
    body = _sidecar(client, row) if row.has_metadata else None
    if body is None:
        with RangeReader(client, row.served_url) as reader:
            body = read_metadata(io.BufferedReader(reader), where)
    return parse_metadata(body, row.wheel, where, may_lack_label=may_lack_label)


def parse_metadata(body: bytes, wheel: Wheel, where: str, *, may_lack_label: bool = False) -> Requirements:
    """Return the requirements in a METADATA text, and check that it belongs to a wheel.

    Raises:
        CatalogError: CAT036 when it is malformed or names another project or version.
    """
    from packaging.metadata import parse_email  # slow to import, and seldom needed

    try:
        raw, unknown = parse_email(body)
        if unknown.keys() & {"name", "version", "requires-dist", "requires-python"}:
            raise ValueError("a field cannot be read")  # noqa: TRY301 - one place names the wheel
        name, version = canonicalize_name(raw.get("name", "")), Version(raw.get("version", ""))
        versions = {wheel.version} | ({Version(wheel.version.public)} if may_lack_label else set())
        if name != wheel.name or version not in versions:
            raise ValueError(f"it belongs to {name} {version}")  # noqa: TRY301 - same reason
        requires_python = raw.get("requires_python")
        return Requirements(
            requires_dist=tuple(
                text for text in map(_requirement, raw.get("requires_dist", [])) if text is not None
            ),
            requires_python=None if requires_python is None else str(SpecifierSet(requires_python)),
        )
    except (ValueError, RecursionError) as error:
        raise CatalogError(
            "CAT036",
            f"invalid METADATA: {' '.join(str(error).split())[:200]}",
            where=where,
            hint="the wheel or the METADATA file beside it is broken; `--catalog embedded` does not need it",
        ) from error


def merge(by_family: Mapping[PlatformFamily, Requirements], basis: str) -> Metadata:
    """Merge the requirements of all platforms; requirements of only some get a marker.

    Args:
        by_family: at least one.
        basis: source of the metadata, for people.
    """
    families = sorted(by_family)
    holders: dict[str, list[PlatformFamily]] = {}
    for family in families:
        for text in by_family[family].requires_dist:
            if family not in holders.setdefault(text, []):
                holders[text].append(family)
    pythons = {item.requires_python for item in by_family.values()}
    bounds = SpecifierSet(",".join(sorted(text for text in pythons if text)))
    return Metadata(
        requires_dist=tuple(
            text if len(having) == len(families) else _limited(text, having, families)
            for text, having in holders.items()
        ),
        requires_python=str(bounds) or None,
        confidence="exact",
        basis=basis,
    )


def _sidecar(client: WebClient, row: PageRow) -> bytes | None:
    base, question, query = row.served_url.partition("?")
    url = f"{base}.metadata{question}{query}"
    answer = client.get(url, {}, limit_bytes=MAX_METADATA_BYTES)
    if answer.status != 200:
        return None
    found = hashlib.sha256(answer.body).hexdigest()
    if row.metadata_sha256 is not None and found != row.metadata_sha256:
        raise CatalogError(
            "CAT035",
            f"its metadata has sha256 {found}, but the index says {row.metadata_sha256}",
            where=redact_url(url),
            hint="try again later, or use --catalog embedded",
        )
    return answer.body


def read_metadata(file: BinaryIO, where: str) -> bytes:
    """Return the METADATA of an open wheel.

    Raises:
        CatalogError: CAT036 when it cannot be read.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            names = [name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name)]
            if len(names) != 1:
                raise ValueError(f"{len(names)} METADATA files")
            if archive.getinfo(names[0]).compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                raise ValueError("METADATA is compressed with an unusual method")
            with archive.open(names[0]) as member:
                body = member.read(MAX_METADATA_BYTES + 1)
    except ZIP_ERRORS as error:
        raise _unreadable(where, str(error)) from error
    if len(body) > MAX_METADATA_BYTES:
        raise _unreadable(where, f"METADATA has more than {MAX_METADATA_BYTES} bytes")
    return body


def _unreadable(where: str, message: str) -> CatalogError:
    return CatalogError(
        "CAT036",
        f"the METADATA of the wheel cannot be read: {message[:200]}",
        where=where,
        hint="the wheel is broken; `--catalog embedded` does not need it",
    )


def _requirement(text: str) -> str | None:
    requirement = Requirement(text)
    if requirement.url:
        raise ValueError(f"it requires {requirement.name} by URL")
    if requirement.marker and re.search(r"\bextra\b", _QUOTED.sub("", str(requirement.marker))):
        return None
    return str(requirement)


def _limited(text: str, having: list[PlatformFamily], families: list[PlatformFamily]) -> str:
    if any(not family.system for family in having):
        # A wheel for any platform can be installed everywhere, so its requirements hold everywhere.
        return text
    requirement = Requirement(text)
    place = " or ".join(_places(having, families))
    own, requirement.marker = requirement.marker, None
    limit = f"({own}) and ({place})" if own else place
    return str(Requirement(f"{requirement} ; {limit}"))


def _places(having: list[PlatformFamily], families: list[PlatformFamily]) -> list[str]:
    places: list[str] = []
    for system in sorted({family.system for family in having}):
        machines = [family.machine for family in having if family.system == system]
        if "" in machines or len(machines) == sum(family.system == system for family in families):
            places.append(f'sys_platform == "{system}"')
        else:
            places += [
                f'sys_platform == "{system}" and platform_machine == "{machine}"' for machine in machines
            ]
    return places
