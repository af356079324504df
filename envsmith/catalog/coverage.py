"""Coverage of a listing: its versions, wheels and hashes, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from packaging.version import Version

from envsmith.model.backend import Backend
from envsmith.model.listing import IndexListing, Release, index_name
from envsmith.model.wheel import Wheel

_PLATFORMS = (
    ("linux x86_64", ("linux", "x86_64")),
    ("linux aarch64", ("linux", "aarch64")),
    ("windows amd64", ("win_amd64",)),
    ("windows arm64", ("win_arm64",)),
    ("windows 32 bit", ("win32",)),
    ("macos arm64", ("macosx", "arm64")),
    ("macos x86_64", ("macosx", "x86_64")),
    ("any", ("any",)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionCoverage:
    """Wheels of one version of a project: platform → interpreter tags, both sorted."""

    project: str
    version: Version
    hashed: Mapping[str, tuple[str, ...]]
    unhashed: Mapping[str, tuple[str, ...]]
    """Wheels without a known hash: the snapshot alone does not suffice to lock them."""
    confidence: str
    """Of its metadata; empty without metadata."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Coverage of one channel and backend."""

    channel: str
    backend: Backend
    retrieved: str
    versions: tuple[VersionCoverage, ...]
    """Sorted by project, then newest first."""
    wheels: int
    without_hash: int
    withdrawn: tuple[str, ...]
    """Filenames with further hashes on record, sorted."""

    @property
    def index(self) -> str:
        """Name of the index: ``cu128``, ``nightly/cu128``."""
        return index_name(self.channel, self.backend)

    def confidences(self) -> dict[str, int]:
        """Count the versions by the confidence of their metadata; ``none`` without metadata."""
        return dict(sorted(Counter(version.confidence or "none" for version in self.versions).items()))


def coverage(listing: IndexListing) -> Coverage:
    """Count versions, wheels and hashes of a listing.

    Raises:
        CatalogError: CAT010 when a row is malformed.
    """
    releases = [
        release for project in sorted(listing.projects) for release in _newest_first(listing, project)
    ]
    wheels = [wheel for release in releases for wheel in release.wheels()]
    return Coverage(
        channel=listing.channel,
        backend=listing.backend,
        retrieved=listing.retrieved,
        versions=tuple(_version(release) for release in releases),
        wheels=len(wheels),
        without_hash=sum(wheel.sha256 is None for wheel in wheels),
        withdrawn=tuple(sorted(wheel.filename for wheel in wheels if wheel.withdrawn)),
    )


def platform_of(wheel: Wheel) -> str:
    """Return system and machine of a wheel: ``linux x86_64``."""
    tag = wheel.platform_tags.split("-")[2]
    return next((name for name, parts in _PLATFORMS if all(part in tag for part in parts)), tag)


def interpreter_of(wheel: Wheel) -> str:
    """Return the interpreter of a wheel: ``cp313``, free-threaded ``cp313t``, ``cp39-abi3``, ``py3``."""
    python, abi, _ = wheel.platform_tags.split("-")
    if abi == "abi3":
        return f"{python}-abi3"
    return abi if abi == f"{python}t" else python


def _newest_first(listing: IndexListing, project: str) -> list[Release]:
    return sorted(listing.releases(project), key=lambda release: Version(release.version), reverse=True)


def _version(release: Release) -> VersionCoverage:
    wheels = list(release.wheels())
    return VersionCoverage(
        project=release.name,
        version=Version(release.version),
        hashed=_by_platform(wheel for wheel in wheels if wheel.sha256),
        unhashed=_by_platform(wheel for wheel in wheels if not wheel.sha256),
        confidence=release.metadata.confidence if release.metadata else "",
    )


def _by_platform(wheels: Iterable[Wheel]) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for wheel in wheels:
        found.setdefault(platform_of(wheel), set()).add(interpreter_of(wheel))
    return {name: tuple(sorted(found[name], key=_by_number)) for name in sorted(found)}


def _by_number(interpreter: str) -> tuple[int, str]:
    digits = "".join(character for character in interpreter.partition("-")[0] if character.isdigit())
    return int(digits or "0"), interpreter
