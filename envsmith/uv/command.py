"""The uv executable: its place, its supported versions, and its environment variables."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from envsmith.errors import ToolError
from envsmith.model.package_index import MIRROR_VARIABLES, PackageIndex
from envsmith.model.url import origin, redact_url
from envsmith.model.windows_errors import FULL, number_in
from envsmith.process.runner import inherited_environ

MINIMUM_VERSION = (0, 13, 8)
VARIABLES = (
    "PATH", "HOME", "TMPDIR", "TEMP", "TMP",
    "XDG_CACHE_HOME", "XDG_DATA_HOME", "UV_CACHE_DIR", "UV_CONCURRENT_DOWNLOADS", "UV_HTTP_TIMEOUT", "NETRC",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "SSL_CLIENT_CERT", "UV_SYSTEM_CERTS", "UV_NATIVE_TLS", "UV_KEYRING_PROVIDER",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
)  # fmt: skip
"""Variables that uv inherits: places, TLS, proxies, credentials. The user's other uv settings would change results."""
_MOST_LINES, _MOST_CHARACTERS = 15, 600
# Messages of uv 0.13.8 about failed requests (seen 2026-11-21).
NETWORK_ERROR = re.compile(
    r"network connectivity is disabled|Failed to fetch|error sending request|dns error", re.IGNORECASE
)

# uv 0.13.8 (seen 2026-11-30): "An index URL (https://…) could not be queried due to a lack of valid authentication
# credentials (401 Unauthorized)", "HTTP status client error (401 Unauthorized) for url (https://…)".
_REFUSED = re.compile(
    r"An index URL \((?P<url>[^)\s]+)\) could not be queried due to [^(\n]*\((?P<why>[^)\n]*)\)"
    r"|client error \((?P<reason>40[13][^)\n]*)\) for url \((?P<file>[^)\s]+)\)"
)
_IS_WINDOWS = os.name == "nt"
# The same (seen 2026-11-21); os error 28 is ENOSPC, 122 EDQUOT.
_FULL = re.compile(r"No space left on device|os error 28\b|Disk quota exceeded|os error 122\b", re.IGNORECASE)


def find_uv() -> Path:
    """Return the path of the uv installed beside envsmith.

    Raises:
        ToolError: TOL024 when uv is not installed.
    """
    from uv import find_uv_bin

    try:
        return Path(find_uv_bin())
    except FileNotFoundError as error:
        raise ToolError("TOL024", "uv is not installed", hint="pip install uv") from error


def check_version(text: str) -> None:
    """Refuse an unsupported version of uv.

    Args:
        text: output of ``uv --version``.

    Raises:
        ToolError: TOL023 when it is older than 0.13.8, or cannot be read.
    """
    match = re.match(r"uv (\d+)\.(\d+)\.(\d+)", text)
    if match is None or tuple(int(part) for part in match.groups()) < MINIMUM_VERSION:
        minimum = ".".join(str(part) for part in MINIMUM_VERSION)
        raise ToolError(
            "TOL023", f"uv {minimum} or later is required, found {text.strip()!r}", hint="pip install -U uv"
        )


def uv_environ(*more: str) -> dict[str, str]:
    """Return the environment variables for uv.

    Args:
        more: further variables to inherit.
    """
    # UV_INDEX_<NAME>_USERNAME and _PASSWORD are credentials; UV_INDEX_URL and its like are settings.
    indexes = inherited_environ((), ("UV_INDEX_",))
    return {
        **{name: value for name, value in indexes.items() if name.endswith(("_USERNAME", "_PASSWORD"))},
        **inherited_environ((*VARIABLES, *more)),
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_NO_PROGRESS": "1",
        "NO_COLOR": "1",
    }


def refused_index(text: str, indexes: Iterable[PackageIndex]) -> ToolError | None:
    """Return the error for an index that asked for credentials; None if none did.

    Args:
        text: what uv printed.
        indexes: those of the project.
    """
    if (match := _REFUSED.search(text)) is None:
        return None
    address = match["url"] or match["file"]
    names = (index.variable for index in indexes if origin(index.url) == origin(address))
    variable = next(names, "UV_INDEX_NAME")
    return ToolError(
        "TOL059",
        f"{redact_url(address)} refuses to answer: {match['why'] or match['reason']}",
        hint=f"set {variable}_USERNAME and {variable}_PASSWORD, or write them into the netrc file",
    )


def mirror_environ(indexes: Iterable[PackageIndex]) -> dict[str, str]:
    """Return the variable that names a mirror of PyPI for uv, unless the project has an index in place of PyPI.

    ``UV_DEFAULT_INDEX``, else pip's ``PIP_INDEX_URL``: where files are fetched, not which; a lock does not record it.
    """
    if any(index.is_default for index in indexes):
        return {}
    given = inherited_environ(MIRROR_VARIABLES)
    url = next(filter(None, map(given.get, MIRROR_VARIABLES)), None)
    return {"UV_DEFAULT_INDEX": url} if url else {}


def system_error(text: str) -> int:
    """Return the number that Windows has for an error of the system in uv's messages; 0 if it is not known."""
    if _IS_WINDOWS:
        return number_in(text)
    return FULL if _FULL.search(text) else 0


def excerpt(text: str) -> str:
    """Return the first and last lines of what uv printed, each of bounded length."""
    lines = text.strip().splitlines()
    if len(lines) > _MOST_LINES:
        lines = [*lines[:4], "…", *lines[5 - _MOST_LINES :]]
    return "\n".join(line[:_MOST_CHARACTERS] for line in lines) or "nothing"
