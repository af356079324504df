"""Age of locked nightlies: in how many days each leaves its index."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from packaging.version import Version

from envsmith.lockfile.manifest import FamilyPin
from envsmith.model.finding import Finding
from envsmith.model.listing import IndexListing

LISTED = 60
"""Versions per project in the nightly index: the newest, counted over all backends.

Source: pytorch/test-infra s3_management/manage.py, KEEP_THRESHOLD, unchanged since 2024-01-15 (read 2026-11-20).
"""
_DAY = re.compile(r"(20\d\d)-?(\d\d)-?(\d\d)")


def aging(family: Mapping[str, FamilyPin], listing: IndexListing, subject: str) -> Iterator[Finding]:
    """Yield a note for each nightly that a lock pins.

    Args:
        family: project → its pin in the manifest.
        listing: local listing of the lock's channel and backend, possibly outdated.
        subject: ``cu130-nightly/cp312-win_amd64``.
    """
    for name, pin in sorted(family.items()):
        version = Version(pin.version)
        if version.dev is None:
            continue
        newer = _newer(version, name, listing)
        days = _days(listing.retrieved) - _days(str(version.dev))
        yield Finding(
            code="TOL055",
            severity="note",
            subject=subject,
            message=f"{name} {version}: {_outlook(newer, days)} (the index lists the newest {LISTED}; "
            f"{newer} newer known as of {listing.retrieved})",
            hint=f"envsmith download {subject.partition('/')[0]} --all -d DIR saves its wheels",
        )


def _newer(version: Version, name: str, listing: IndexListing) -> int:
    public = Version(version.public)
    others = {Version(Version(release.version).public) for release in listing.releases(name)}
    return sum(other > public and other.dev is not None for other in others)


def _outlook(newer: int, days: int) -> str:
    if newer >= LISTED:
        return "no longer in the index"
    if days >= LISTED:
        return f"most likely no longer in the index: built {days} days earlier, one per day"
    left = LISTED - max(newer, days)
    return f"leaves the index in about {left} {'day' if left == 1 else 'days'}"


def _days(text: str) -> int:
    """Return a day number for differences between dates; 0 for an invalid date.

    Source: the proleptic Gregorian calendar, months counted from March so that the leap day comes last.
    """
    match = _DAY.fullmatch(text[:10])
    if match is None:
        return 0
    year, month, day = (int(part) for part in match.groups())
    if month < 3:
        year, month = year - 1, month + 12
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * month - 457) // 5 + day
