"""How close the nightlies of a lock are to falling out of their index.

What changed between the plan a lock was made of and the plan of today.


Modelling: what a lock records of a profile's models, and whether they work in an environment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from packaging.version import Version

from envsmith.config.model_files import ModelFile
from envsmith.config.profile import Profile
from envsmith.errors import LockError
from envsmith.lockfile.manifest import FamilyPin, Manifest
from envsmith.model.finding import Finding
from envsmith.model.listing import IndexListing

LISTED = 60
"""Versions of a project that the nightly index lists: the newest, backends counted together.

Source: pytorch/test-infra s3_management/manage.py, KEEP_THRESHOLD, unchanged since 2024-01-15 (read 2026-11-20).
"""
_DAY = re.compile(r"(20\d\d)-?(\d\d)-?(\d\d)")
TIMEOUT_S = 600.0
HashModel = Callable[[str], str]
"""Takes a path relative to the project; returns its sha256, empty where there is no such file."""


def aging(family: Mapping[str, FamilyPin], listing: IndexListing, subject: str) -> Iterator[Finding]:
    """Yield a note for each nightly that a lock pins.

    Args:
        family: project → its pin in the manifest.
        listing: the rows at hand of the lock's channel and backend: there may be newer ones that they lack.
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
            f"{newer} newer are known, rows of {listing.retrieved})",
            hint=f"envsmith download {subject.partition('/')[0]} --all -d DIR keeps its bytes",
        )


def _newer(version: Version, name: str, listing: IndexListing) -> int:
    public = Version(version.public)
    others = {Version(Version(release.version).public) for release in listing.releases(name)}
    return sum(other > public and other.dev is not None for other in others)


def _outlook(newer: int, days: int) -> str:
    if newer >= LISTED:
        return "fallen out of the index"
    if days >= LISTED:
        return f"most likely fallen out of the index: built {days} days before, and there is one a day"
    left = LISTED - max(newer, days)
    return f"falls out of the index in about {left} {'day' if left == 1 else 'days'}"


def _days(text: str) -> int:
    """Return the number of a day, counted from any fixed one; 0 where the text is no day.

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
    """Yield what changed between two plans' inputs: the word for it, and ``old → new``."""
    for key in sorted({*old, *new}):
        before, after = old.get(key, ""), new.get(key, "")
        # A key may be left out where there is nothing to say: an empty list says the same.
        before, after = (
            (before or [], after or []) if list in (type(before), type(after)) else (before, after)
        )
        if isinstance(before, list) and isinstance(after, list):
            gone, come = sorted(set(before) - set(after)), sorted(set(after) - set(before))
            for index in range(max(len(gone), len(come))):
                left = gone[index] if index < len(gone) else "(none)"
                right = come[index] if index < len(come) else "(none)"
                yield key, f"{left} → {right}"
        elif before != after:
            yield key, f"{before or '(none)'} → {after or '(none)'}"


def models_of(profile: Profile) -> tuple[ModelFile, ...]:
    """Return the models that a profile declares."""
    declared = profile.later.get("models", ())
    items = declared if isinstance(declared, tuple) else ()
    return tuple(ModelFile.from_plain(item) for item in items if isinstance(item, Mapping))


def recorded(profile: Profile, before: Manifest | None, hash_model: HashModel | None) -> dict[str, str]:
    """Return what a lock records of models: path → sha256; of a file that is not here, what was recorded before.

    Raises:
        LockError: LCK039 where a file is not the one that the profile states.
    """
    found = {}
    for model in models_of(profile):
        here = hash_model(model.path) if hash_model else ""
        if here and model.sha256 and here != model.sha256:
            raise LockError(
                "LCK039",
                f"{model.path} has the sha256 {here}, the profile states {model.sha256}",
                where=profile.where("models"),
                hint="put the right file there, or correct the profile",
            )
        if sha256 := model.sha256 or here or (before.models.get(model.path, "") if before else ""):
            found[model.path] = sha256
    return found


def drifted(profile: Profile, manifest: Manifest, hash_model: HashModel | None) -> Iterator[tuple[str, str]]:
    """Yield the models that a lock does not record as they are, each with a sentence.

    Where files are not to be hashed, those alone that the profile states a sha256 of.
    """
    for model in models_of(profile):
        here = (hash_model(model.path) if hash_model else "") or model.sha256
        locked = manifest.models.get(model.path, "")
        if here and here != locked:
            yield model.path, f"{model.path} is {here}, recorded is {locked or 'nothing'}"
