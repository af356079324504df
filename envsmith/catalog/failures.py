"""Known failures: messages of programs in a broken environment with cause and fix, and bad releases."""

from __future__ import annotations

import re
from dataclasses import dataclass

from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from envsmith.catalog.facts import Fact
from envsmith.catalog.table_reader import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure(Fact):
    """A known message of a failing program."""

    name: str
    pattern: re.Pattern[str]
    cause: str
    fix: str
    asks: tuple[str, ...]
    """Facts that are needed to help: keys of `envsmith report --format json`."""

    def line(self, text: str) -> str:
        """Return the line of a text that matches the pattern; empty if none does."""
        found = self.pattern.search(text)
        if found is None:
            return ""
        begin = text.rfind("\n", 0, found.start()) + 1
        end = text.find("\n", found.end())
        return " ".join(text[begin : end if end >= 0 else len(text)].split())


def read_failure(row: Row) -> Failure:
    """Read a row of failures.toml."""
    return Failure(
        name=row.text("name"),
        pattern=row.read("pattern", _pattern),
        cause=row.text("cause"),
        fix=row.text("fix"),
        asks=row.each("asks", str),
        **row.origin(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRelease(Fact):
    """Versions of a project that are known to fail."""

    project: NormalizedName
    versions: SpecifierSet
    os: str = ""
    """Empty means every system."""
    visual_cpp: tuple[int, ...] = ()
    """On Windows, the version of Microsoft's C++ library from which on it works; empty if no version helps."""
    longest_path: str = ""
    """On Windows, where this is the problem, the longest path in the wheel: ``torch-{version}.dist-info/LICENSE``."""
    problem: str
    fix: str

    def describes(self, project: str, version: Version, os: str) -> bool:
        """Say whether the row covers a project's version on a system."""
        is_here = project == self.project and self.os in ("", os)
        return is_here and self.versions.contains(version.public, prereleases=True)


def read_bad_release(row: Row) -> BadRelease:
    """Read a row of bad_releases.toml."""
    return BadRelease(
        project=row.read("project", lambda text: canonicalize_name(text, validate=True)),
        versions=row.read("versions", SpecifierSet),
        os=row.text("os", ""),
        visual_cpp=row.read("visual-cpp", _numbers) if row.has("visual-cpp") else (),
        longest_path=row.text("longest-path", ""),
        problem=row.text("problem"),
        fix=row.text("fix"),
        **row.origin(),
    )


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise ValueError(str(error)) from error


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))
