"""Staleness of a lock: changed plan inputs, changed model files, nightlies about to leave their index."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import zip_longest

from packaging.version import Version

from envsmith.config.model_files import ModelFile
from envsmith.config.profile import Profile
from envsmith.errors import LockError
from envsmith.lockfile.manifest import FamilyPin, Manifest
from envsmith.model.finding import Finding
from envsmith.model.listing import IndexListing

LISTED = 60
"""Versions per project in the nightly index: the newest, counted over all backends.

Source: pytorch/test-infra s3_management/manage.py, KEEP_THRESHOLD, unchanged since 2024-01-15 (read 2026-11-20).
"""
_DAY = re.compile(r"(20\d\d)-?(\d\d)-?(\d\d)")
HashModel = Callable[[str], str]
"""Path relative to the project → its sha256; empty for a missing file."""


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


def changed(
    old: Mapping[str, str | list[str]], new: Mapping[str, str | list[str]]
) -> Iterator[tuple[str, str]]:
    """Yield the changes between the inputs of two plans, as key and ``old → new``."""
    for key in sorted({*old, *new}):
        before, after = old.get(key, ""), new.get(key, "")
        # A missing key equals an empty list.
        before, after = (
            (before or [], after or []) if list in (type(before), type(after)) else (before, after)
        )
        if isinstance(before, list) and isinstance(after, list):
            removed, new_ones = sorted(set(before) - set(after)), sorted(set(after) - set(before))
            for left, right in zip_longest(removed, new_ones, fillvalue="(none)"):
                yield key, f"{left} → {right}"
        elif before != after:
            yield key, f"{before or '(none)'} → {after or '(none)'}"


def models_of(profile: Profile) -> tuple[ModelFile, ...]:
    """Return the model files declared by a profile."""
    declared = profile.later.get("models", ())
    items = declared if isinstance(declared, tuple) else ()
    return tuple(ModelFile.from_plain(item) for item in items if isinstance(item, Mapping))


def recorded(profile: Profile, before: Manifest | None, hash_model: HashModel | None) -> dict[str, str]:
    """Return path → sha256 of the models for the manifest; for a missing file the earlier record.

    Raises:
        LockError: LCK039 when a file differs from the sha256 in the profile.
    """
    found = {}
    for model in models_of(profile):
        here = hash_model(model.path) if hash_model else ""
        if here and model.sha256 and here != model.sha256:
            raise LockError(
                "LCK039",
                f"{model.path} has sha256 {here}, but the profile requires {model.sha256}",
                where=profile.where("models"),
                hint="replace the file, or correct the profile",
            )
        if sha256 := model.sha256 or here or (before.models.get(model.path, "") if before else ""):
            found[model.path] = sha256
    return found


def drifted(profile: Profile, manifest: Manifest, hash_model: HashModel | None) -> Iterator[tuple[str, str]]:
    """Yield the models that differ from their record in a lock, as path and message.

    Without ``hash_model`` only models with a sha256 in the profile are compared.
    """
    for model in models_of(profile):
        here = (hash_model(model.path) if hash_model else "") or model.sha256
        locked = manifest.models.get(model.path, "")
        if here and here != locked:
            yield model.path, f"{model.path} has sha256 {here}, but the lock has {locked or 'none'}"
