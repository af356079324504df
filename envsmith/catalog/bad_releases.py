"""Releases that are known to fail on a system."""

from __future__ import annotations

from dataclasses import dataclass

from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from envsmith.catalog.facts import Fact
from envsmith.catalog.tables import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRelease(Fact):
    """Versions of a project that fail."""

    project: NormalizedName
    versions: SpecifierSet
    os: str = ""
    """Empty: on every system."""
    visual_cpp: tuple[int, ...] = ()
    """On Windows: from which version of Microsoft's C++ library on it does not fail; empty: always."""
    problem: str
    cure: str

    def describes(self, project: str, version: Version, os: str) -> bool:
        """Say whether a project's version is meant on a system."""
        is_one = project == self.project and self.os in ("", os)
        return is_one and self.versions.contains(version.public, prereleases=True)


def read(row: Row) -> BadRelease:
    """Read a row of bad_releases.toml."""
    return BadRelease(
        project=row.read("project", lambda text: canonicalize_name(text, validate=True)),
        versions=row.read("versions", SpecifierSet),
        os=row.text("os", ""),
        visual_cpp=row.read("visual-cpp", _numbers) if row.has("visual-cpp") else (),
        problem=row.text("problem"),
        cure=row.text("cure"),
        **row.origin(),
    )


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))
