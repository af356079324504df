"""Addresses of servers and files, as they may be shown and recorded."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit


def public_url(url: str) -> str:
    """Return a URL without user, password, query and fragment, fit for messages and records."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(malformed URL)"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def on_mirror(url: str, usual: str, mirror: str) -> str:
    """Return where a file lies on a mirror; an address that is not below the usual one stays as it is.

    Args:
        url: as it is on record.
        usual: address that the mirror stands for, without a slash at its end.
        mirror: address of the mirror, likewise.
    """
    inside = url.removeprefix(f"{usual}/")
    return url if inside == url else f"{mirror}/{inside}"
