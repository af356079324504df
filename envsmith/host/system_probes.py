"""Looks at what an environment depends on: the disk of uv's cache, the way to an index, PATH in every scope."""

from __future__ import annotations

import re
import shutil
import ssl
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from envsmith.host import registry
from envsmith.host.registry import Registry
from envsmith.host.search_path import MACHINE, USER
from envsmith.host.system import Reach, Room
from envsmith.net.deadline import Deadline, run_all
from envsmith.net.network_words import causes, network_words

PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
PLACES = {
    USER: ("HKCU", r"Environment"),
    MACHINE: ("HKLM", r"SYSTEM\CurrentControlSet\Control\Session Manager\Environment"),
}
"""Scope of PATH → where the registry has it."""
PATIENCE_S = 4.0
"""The longest that the whole question takes."""
# X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED.
# Source: OpenSSL 3, x509_vfy.h (read 2026-11-21).
_OF_ANOTHER_TIME = (9, 10)


def uv_cache(variables: Mapping[str, str]) -> Path:
    """Return where uv keeps its cache.

    Source: uv 0.13, reference "Storage" (read 2026-11-21).
    """
    if named := variables.get("UV_CACHE_DIR"):
        return Path(named)
    if sys.platform == "win32":
        return Path(variables.get("LOCALAPPDATA", str(Path.home()))) / "uv" / "cache"
    return Path(variables.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "uv"


def room(folder: Path) -> Room:
    """Return the free bytes where a folder lies; where it is not there yet, of the next that is."""
    place = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    return Room(folder=str(folder), free_bytes=shutil.disk_usage(place).free)


def reach(url: str, variables: Mapping[str, str], patience_s: float = PATIENCE_S) -> Reach:
    """Ask a server for the headers of an address, and compare its clock with this one.

    Where its certificate counts as one of another time, the clock is asked for without it. However long the look-up of
    its name, the connection or the answer takes, this returns in time.
    """
    from requests.utils import get_environ_proxies

    proxies = tuple((name, _without_login(variables[name])) for name in PROXIES if variables.get(name))
    (found,) = run_all([lambda _: _asked(url, patience_s)], nullcontext, Deadline(patience_s))
    if isinstance(found, Exception):
        raise found
    if found is None:
        found = Reach(url=url, error=f"no answer within {patience_s:g} s")
    return replace(
        found,
        url=_without_login(url),
        is_direct=not get_environ_proxies(url, no_proxy=None),
        proxies=proxies,
        day=datetime.now(UTC).date().isoformat(),
    )


def _asked(url: str, patience_s: float) -> Reach:
    import requests

    try:
        answer = requests.head(url, timeout=patience_s, allow_redirects=False)
    except (requests.RequestException, OSError, ValueError) as error:
        words = network_words(error) if isinstance(error, requests.RequestException) else str(error)
        untimely = _is_untimely(error)
        ahead = _ahead_without_tls(url, patience_s) if untimely else None
        return Reach(url=url, error=words, ahead_s=ahead, is_untimely=untimely)
    return Reach(url=url, ahead_s=_ahead(answer.headers.get("Date", "")))


def _is_untimely(error: BaseException) -> bool:
    """Say whether a certificate was refused as not yet, or no longer, valid."""
    refused = [item for item in causes(error) if isinstance(item, ssl.SSLCertVerificationError)]
    return any(item.verify_code in _OF_ANOTHER_TIME for item in refused)


def _ahead_without_tls(url: str, patience_s: float) -> float | None:
    import requests

    try:
        answer = requests.head(
            url.replace("https://", "http://", 1), timeout=patience_s, allow_redirects=False
        )
    except (requests.RequestException, OSError, ValueError):
        return None
    return _ahead(answer.headers.get("Date", ""))


def _ahead(text: str) -> float | None:
    try:
        told = parsedate_to_datetime(text)
        return (datetime.now(UTC) - told).total_seconds()
    except (ValueError, TypeError):
        return None


def _without_login(value: str) -> str:
    scheme, colon, rest = value.rpartition("://")
    return f"{scheme}{colon}{rest.rpartition('@')[2]}"


def path_scopes(variables: Mapping[str, str], ask: Registry = registry.ask) -> dict[str, str]:
    """Return PATH as this process has it, and on Windows as the registry has it for user and machine."""
    found = {"process": variables.get("PATH", "")}
    for scope, (root, key) in PLACES.items():
        if value := ask(root, key, "Path"):
            found[scope] = expanded(str(value), variables)
    return found


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """Return a value with the variables it names put in, in either case of letters; unknown ones stay."""
    upper = {name.upper(): value for name, value in variables.items()}
    return re.sub("%([^%;]+)%", lambda match: upper.get(match[1].upper(), match[0]), text)
