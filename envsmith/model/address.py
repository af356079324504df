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
