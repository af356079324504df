"""Probes of the system: disk space, connectivity, PATH, FFmpeg, OpenGL, CUDA toolkits, Microsoft's C++ library."""

from __future__ import annotations

import os
import re
import shutil
import ssl
import struct
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from envsmith.host import windows
from envsmith.host.windows import Registry
from envsmith.net.client import causes, describe_network_error
from envsmith.net.deadline import Deadline, run_all

PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
USER, MACHINE = "user", "machine"
PATH_KEYS = {
    USER: ("HKCU", r"Environment"),
    MACHINE: ("HKLM", r"SYSTEM\CurrentControlSet\Control\Session Manager\Environment"),
}
"""Scope of PATH → root and key in the registry."""
TIMEOUT_S = 4.0
"""Timeout of the whole connectivity check."""
# X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED.
# Source: OpenSSL 3, x509_vfy.h (read 2026-11-21).
_CERTIFICATE_DATE_ERRORS = (9, 10)
# Version of libavutil → version of FFmpeg.
# Source: FFmpeg, doc/APIchanges and the releases' libavutil/version.h (read 2026-11-21).
_FFMPEG = {"56": "4", "57": "5", "58": "6", "59": "7", "60": "8"}
# File names on Linux, macOS and Windows.
_AVUTIL = re.compile(r"(?:libavutil\.so\.|libavutil\.|avutil-)(\d+)")
_LIBRARY_FOLDERS = (
    "usr/lib/*-linux-gnu",
    "usr/lib64",
    "usr/lib",
    "usr/local/lib",
    "opt/homebrew/lib",
    "lib64",
)
_AVUTIL_NAMES = ("libavutil.so.*", "libavutil.*.dylib")
# Set by the installer of the CUDA toolkit on Windows: CUDA_PATH_V12_8.
_TOOLKIT = re.compile(r"CUDA_PATH_V(\d+)_(\d+)", re.IGNORECASE)
CPP_LIBRARY = "msvcp140.dll"
_RUNTIMES = r"SOFTWARE\Microsoft\VisualStudio\14.0\VC\Runtimes\{}"
_SERVICING = r"SOFTWARE\Microsoft\DevDiv\VC\Servicing\14.0\RuntimeMinimum"
_VERSION = re.compile(r"v?(\d{1,5})\.(\d{1,5})(?:\.(\d{1,6}))?")
# Start of VS_FIXEDFILEINFO, followed by the version of the structure and the file version in two 32-bit words.
# Source: Microsoft, "VS_FIXEDFILEINFO structure" (read 2026-11-21).
_FILE_INFO_SIGNATURE = struct.pack("<I", 0xFEEF04BD)
# More than any real library; limits the memory used.
_MAX_BYTES = 16 * 1024 * 1024
_CPP_LIBRARY_GLOBS = (CPP_LIBRARY, f"*/{CPP_LIBRARY}", f"*/*/{CPP_LIBRARY}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskSpace:
    """Free disk space at an existing or future folder."""

    folder: str
    free_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Connectivity:
    """Result of a request to a URL."""

    url: str
    """Without user name and password."""
    bypasses_proxy: bool = False
    """Whether the URL is requested without a proxy, although variables may name one."""
    proxies: tuple[tuple[str, str], ...] = ()
    """Proxy variables and their values, without user names and passwords."""
    error: str = ""
    """Empty if the server answered."""
    clock_ahead_s: float | None = None
    """How far this machine's clock is ahead of the server's; None if unknown."""
    has_date_error: bool = False
    """Whether its certificate is expired or not yet valid by this machine's clock."""
    date: str = ""
    """Date of the request by this machine's clock: ``2026-11-21``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemLibraries:
    """System libraries used by torchcodec, OpenCV and extension builds."""

    ffmpeg: tuple[str, ...] = ()
    """FFmpeg versions with installed libraries (torchcodec)."""
    has_libgl: bool = False
    """Whether OpenGL's library is installed (opencv-python)."""
    toolkits: tuple[str, ...] = ()
    """Versions of installed CUDA toolkits (extension builds)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """A shared library."""

    path: str
    version: tuple[int, ...] | None = None
    """From the file's resources; None if it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisualCpp:
    """Microsoft's C++ library, used by torch's libraries."""

    registered: tuple[int, ...] | None = None
    """Installed version according to Windows's registry."""
    system: Library | None = None
    """The library in Windows's System32."""
    copies: tuple[Library, ...] = ()
    """Copies in the folders of the interpreter and of packages."""

    @property
    def version(self) -> tuple[int, ...] | None:
        """Windows's version; None if unknown or not installed."""
        return (self.system and self.system.version) or self.registered


def disk_space(folder: Path) -> DiskSpace:
    """Return the free disk space at a folder, or at its nearest existing parent."""
    place = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    return DiskSpace(folder=str(folder), free_bytes=shutil.disk_usage(place).free)


def check_connectivity(url: str, variables: Mapping[str, str], timeout_s: float = TIMEOUT_S) -> Connectivity:
    """Request the headers of a URL, and compare the server's clock with this machine's.

    If the certificate seems expired or not yet valid, read the clock over plain HTTP. The timeout includes name lookup.
    """
    from requests.utils import get_environ_proxies

    proxies = tuple((name, _without_login(variables[name])) for name in PROXIES if variables.get(name))
    (found,) = run_all([lambda _: _request(url, timeout_s)], nullcontext, Deadline(timeout_s))
    if isinstance(found, Exception):
        raise found
    if found is None:
        found = Connectivity(url=url, error=f"no answer within {timeout_s:g} s")
    return replace(
        found,
        url=_without_login(url),
        bypasses_proxy=not get_environ_proxies(url, no_proxy=None),
        proxies=proxies,
        date=datetime.now(UTC).date().isoformat(),
    )


def _request(url: str, timeout_s: float) -> Connectivity:
    import requests

    try:
        answer = requests.head(url, timeout=timeout_s, allow_redirects=False)
    except (requests.RequestException, OSError, ValueError) as error:
        text = describe_network_error(error) if isinstance(error, requests.RequestException) else str(error)
        has_date_error = _is_date_error(error)
        ahead = _clock_ahead_without_tls(url, timeout_s) if has_date_error else None
        return Connectivity(url=url, error=text, clock_ahead_s=ahead, has_date_error=has_date_error)
    return Connectivity(url=url, clock_ahead_s=_clock_ahead(answer.headers.get("Date", "")))


def _is_date_error(error: BaseException) -> bool:
    """Say whether a certificate was refused as expired or not yet valid."""
    refused = [item for item in causes(error) if isinstance(item, ssl.SSLCertVerificationError)]
    return any(item.verify_code in _CERTIFICATE_DATE_ERRORS for item in refused)


def _clock_ahead_without_tls(url: str, timeout_s: float) -> float | None:
    import requests

    try:
        answer = requests.head(
            url.replace("https://", "http://", 1), timeout=timeout_s, allow_redirects=False
        )
    except (requests.RequestException, OSError, ValueError):
        return None
    return _clock_ahead(answer.headers.get("Date", ""))


def _clock_ahead(text: str) -> float | None:
    try:
        server = parsedate_to_datetime(text)
        return (datetime.now(UTC) - server).total_seconds()
    except (ValueError, TypeError):
        return None


def _without_login(value: str) -> str:
    scheme, colon, rest = value.rpartition("://")
    return f"{scheme}{colon}{rest.rpartition('@')[2]}"


def path_scopes(variables: Mapping[str, str], read_value: Registry = windows.read_value) -> dict[str, str]:
    """Return PATH of this process and, on Windows, of user and machine from the registry."""
    found = {"process": variables.get("PATH", "")}
    for scope, (root, key) in PATH_KEYS.items():
        if value := read_value(root, key, "Path"):
            found[scope] = expand_variables(str(value), variables)
    return found


def expand_variables(text: str, variables: Mapping[str, str]) -> str:
    """Expand ``%NAME%`` in a value, ignoring case; unknown variables stay."""
    upper = {name.upper(): value for name, value in variables.items()}
    return re.sub("%([^%;]+)%", lambda match: upper.get(match[1].upper(), match[0]), text)


def find_libraries(root: Path, variables: Mapping[str, str]) -> SystemLibraries:
    """Find the libraries of FFmpeg and OpenGL, and CUDA toolkits.

    Args:
        root: root of the file system.
        variables: environment variables; on Windows PATH has libraries, and other variables name toolkits.
    """
    libraries = [*_avutil_files(root), *_avutil_on_path(variables)]
    numbers = {match[1] for name in libraries if (match := _AVUTIL.match(name))}
    return SystemLibraries(
        ffmpeg=tuple(sorted(_FFMPEG.get(number, f"libavutil {number}") for number in numbers)),
        has_libgl=any(any(root.glob(f"{folder}/libGL.so.1")) for folder in _LIBRARY_FOLDERS),
        toolkits=tuple(sorted({*_toolkits(root), *(f"{a}.{b}" for a, b in _cuda_toolkits(variables))})),
    )


def _avutil_files(root: Path) -> Iterator[str]:
    for folder in _LIBRARY_FOLDERS:
        for name in _AVUTIL_NAMES:
            yield from (path.name for path in root.glob(f"{folder}/{name}"))


def _avutil_on_path(variables: Mapping[str, str]) -> Iterator[str]:
    """Yield libraries on PATH; only Windows searches it for libraries."""
    if os.name != "nt":
        return
    for entry in filter(None, variables.get("PATH", "").split(os.pathsep)):
        try:
            yield from (path.name for path in Path(entry).glob("avutil-*.dll"))
        except OSError:
            continue


def _toolkits(root: Path) -> Iterator[str]:
    for path in root.glob("usr/local/cuda-[0-9]*"):
        yield path.name.removeprefix("cuda-")


def _cuda_toolkits(variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in variables:
        if match := _TOOLKIT.fullmatch(name):
            yield match[1], match[2]


def find_visual_cpp(
    read_value: Registry, variables: Mapping[str, str], machine: str, folders: tuple[Path, ...]
) -> VisualCpp:
    """Find Microsoft's C++ library of Windows and its copies in the environment.

    Args:
        read_value: reader of the registry.
        variables: environment variables, with the folder of Windows.
        machine: as in wheel tags: ``amd64``, ``arm64``.
        folders: folders of the interpreter and of packages, which may have copies.

    Source: Microsoft, "Redistribute Visual C++ files" (read 2026-11-21); some machines have only the second key:
    VirtualBox/virtualbox#723.
    """
    place = Path(
        variables.get("SYSTEMROOT") or variables.get("SystemRoot") or r"C:\Windows", "System32", CPP_LIBRARY
    )
    system = _read_library(place)
    copies = (path for folder in folders for name in _CPP_LIBRARY_GLOBS for path in sorted(folder.glob(name)))
    found = tuple(item for item in map(_read_library, dict.fromkeys(copies)) if item)
    return VisualCpp(
        registered=_registered_version(read_value, "ARM64" if machine == "arm64" else "X64"),
        system=system,
        copies=found,
    )


def _registered_version(read_value: Registry, name: str) -> tuple[int, ...] | None:
    for key in (_RUNTIMES.format(name), _SERVICING):
        match = _VERSION.match(str(read_value("HKLM", key, "Version") or ""))
        if match:
            return tuple(int(part) for part in match.groups() if part)
    return None


def _read_library(path: Path) -> Library | None:
    try:
        with path.open("rb") as stream:
            data = stream.read(_MAX_BYTES)
    except OSError:
        return None
    return Library(path=str(path), version=file_version(data))


def file_version(data: bytes) -> tuple[int, ...] | None:
    """Return the version in the resources of a Windows library; None if it has none."""
    begin = data.find(_FILE_INFO_SIGNATURE)
    if begin < 0 or len(data) < begin + 16:
        return None
    high, low = struct.unpack_from("<II", data, begin + 8)
    return high >> 16, high & 0xFFFF, low >> 16
