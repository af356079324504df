"""What does exist, for a refusal to name."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.version import Version

from envsmith.model.listing import Listing
from envsmith.model.target import Platform, Python


def offers(
    listings: Iterable[Listing], project: str, platform: Platform, python: Python
) -> tuple[tuple[str, str], ...]:
    """Return, per backend, the newest version of a project on a platform, and the newest for one Python.

    Only wheels with a published hash and known requirements count.
    """
    lines = []
    for listing in listings:
        pythons = _pythons(listing, project, platform)
        if not pythons:
            continue
        newest = max(pythons)
        text = f"{listing.index} · {project} {newest.public}: {' '.join(sorted(pythons[newest], key=_minor))}"
        fitting = [version for version, tags in pythons.items() if python.tag in tags]
        if fitting and max(fitting) != newest:
            text += f"; newest with {python.tag}: {max(fitting).public}"
        lines.append(("exists", text))
    return tuple(lines)


def _pythons(listing: Listing, project: str, platform: Platform) -> dict[Version, set[str]]:
    accepted = set(platform.wheel_platforms())
    found: dict[Version, set[str]] = {}
    for release in listing.releases(project):
        for wheel in release.wheels() if release.metadata else ():
            interpreter, abi, platforms = wheel.platform_tags.split("-")
            if wheel.sha256 and not abi.endswith("t") and accepted & set(platforms.split(".")):
                found.setdefault(wheel.version, set()).update(interpreter.split("."))
    return found


def _minor(tag: str) -> int:
    return int(tag[3:]) if tag[3:].isdigit() else 0
