"""Parse the cutoff given on the command line."""

from __future__ import annotations

from datetime import UTC, datetime

from envsmith.errors import ProfileError


def parse_cutoff(text: str, now_utc: str) -> str:
    """Read ``--as-of``; today ends now.

    Args:
        text: a day or an RFC 3339 time.
        now_utc: RFC 3339 with ``Z``; what comes later cannot be known.

    Raises:
        ProfileError: PRF040 when it is no time, or lies ahead.
    """
    found = parse_time(text)
    if found <= now_utc:
        return found
    if text == now_utc[:10]:
        return now_utc
    raise ProfileError(
        "PRF040",
        f"{text} lies ahead: nobody knows yet what there will be",
        where="--as-of",
        hint=f"name a time until now ({now_utc}), or use --upgrade",
    )


def parse_time(text: str) -> str:
    """Read a day (its end) or an RFC 3339 time, and return it in UTC with ``Z``.

    Raises:
        ProfileError: PRF040 when it is neither, or a time without zone.
    """
    hint = "write 2026-11-01 (the end of that day, UTC) or 2026-11-01T09:00:00Z"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ProfileError("PRF040", f"{text!r} is no time", where="--as-of", hint=hint) from error
    if len(text) == 10:
        return f"{text}T23:59:59Z"
    if moment.tzinfo is None:
        raise ProfileError("PRF040", f"{text!r} names no time zone", where="--as-of", hint=hint)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
