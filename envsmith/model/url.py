"""URLs: redaction, mirrors, and the addresses a project may be routed to."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from urllib.parse import SplitResult, urlsplit, urlunsplit

from envsmith.errors import ProfileError

# Safe in index pages, requirements lines and TOML: no quotes, spaces, or `$`, with which pip expands variables.
_SAFE = re.compile(r"[A-Za-z0-9._~:/\[\]!&()*+,;=%@-]+")


def redact_url(url: str) -> str:
    """Return a URL without user, password, query and fragment, for messages and records."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(malformed URL)"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def to_mirror(url: str, base: str, mirror: str) -> str:
    """Return a file's URL on a mirror; a URL outside the base is returned unchanged.

    Args:
        url: the original URL.
        base: the address that is mirrored, without a trailing slash.
        mirror: the mirror's address, without a trailing slash.
    """
    path = url.removeprefix(f"{base}/")
    return url if path == url else f"{mirror}/{path}"


def is_secure(url: str, insecure_hosts: Collection[str] = ()) -> bool:
    """Return whether a URL is https, or http to this machine or to a host declared insecure.

    Args:
        url: the URL.
        insecure_hosts: ``host``, ``host:port`` or ``http://host:port`` in upper or lower case, as in uv. Without a
            port, any port of the host.
    """
    parts = urlsplit(url)
    if parts.scheme == "https":
        return bool(parts.hostname)
    return parts.scheme == "http" and (
        is_loopback(parts.hostname or "") or any(_is_host_of(text, parts) for text in insecure_hosts)
    )


def _is_host_of(text: str, parts: SplitResult) -> bool:
    try:
        given = urlsplit(text if "://" in text else f"//{text}")
        is_same = (given.scheme or "http", given.hostname) == ("http", parts.hostname)
        return is_same and bool(given.hostname) and given.port in (None, parts.port or 80)
    except ValueError:  # no port, or half an IPv6 address
        return False


def origin(url: str) -> str:
    """Return the scheme, host and port of a URL: ``https://download.pytorch.org``."""
    parts = urlsplit(redact_url(url))
    return f"{parts.scheme}://{parts.netloc}".lower()


def check_address(url: str) -> str:
    """Return the address of a route unchanged if it is allowed.

    Raises:
        ProfileError: PRF015 unless it is https, http on this machine or a file, without user, password, query and
            fragment.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _invalid("malformed URL") from None
    if _SAFE.fullmatch(url) is None or port == 0:
        raise _invalid("it has a query, a fragment or characters that are not allowed")
    if "@" in parts.netloc:
        raise _invalid("it contains a user name; locks must not contain credentials")
    is_file = parts.scheme == "file" and parts.netloc in ("", "localhost") and parts.path.startswith("/")
    is_local = parts.scheme == "http" and is_loopback(parts.hostname or "")
    if not (is_file or is_local or (parts.scheme == "https" and parts.hostname)):
        raise _invalid(f"`{url[:100]}` must be an https URL, http on this machine, or a file")
    return url


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is a loopback one."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _invalid(reason: str) -> ProfileError:
    return ProfileError(
        "PRF015",
        f"invalid address of a route: {reason}",
        hint='write it like "https://data.pyg.org/whl/torch-2.8.0+cu128.html"; put credentials into the netrc file',
    )
