"""Version ranges in Poetry's syntax, converted to PEP 440 specifiers and PEP 508 markers.

Source: Poetry's documentation, "Dependency specification", from memory; not compared with the program.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import reduce

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from envsmith.errors import ProfileError

Clause = tuple[str, str]
"""Operator and version."""
_OR = re.compile(r"\s*\|\|?\s*")
_CLAUSE = re.compile(r"(?P<operator>\^|~=|~|===?|=|!=|<>|<=?|>=?)?\s*v?(?P<version>[0-9*][^\s,|<>=~^]*)")
_SEPARATOR = re.compile(r"[\s,]*")
_WILDCARD = re.compile(r"(?P<base>[0-9.!]*[0-9])(?:\.[*xX])+")
_PATCH = 3
"""Parts of a full version."""
_LONGEST = 500


def to_specifier(text: str) -> str:
    """Convert a range to a specifier set: ``^1.2`` to ``>=1.2,<2.0``, ``*`` to an empty text.

    A union whose parts adjoin becomes one range: ``^1.2 || ^2.0`` is ``>=1.2,<3.0``.

    Raises:
        ProfileError: PRF020 when the range is malformed, or a union with gaps.
    """
    ranges = to_ranges(text)
    joined: Sequence[Clause] | None = ranges[0] if len(ranges) == 1 else () if () in ranges else None
    if joined is None and all(map(_is_interval, ranges)):
        joined = reduce(_join, sorted(ranges, key=_begin))  # type: ignore[arg-type]
    if joined is None:
        raise ProfileError(
            "PRF020",
            f"{text!r} is a union of ranges, which a requirement (PEP 508) cannot hold",
            hint="write one range, and leave out versions with !=",
        )
    return ",".join(operator + version for operator, version in joined)


def to_ranges(text: str) -> list[tuple[Clause, ...]]:
    """Return the parts of a union, each a list of PEP 440 clauses; empty for any version.

    Raises:
        ProfileError: PRF020 when the range is malformed.
    """
    if len(text) > _LONGEST:
        raise _malformed(text)
    return [tuple(_clauses(part, text)) for part in _OR.split(text.strip())]


def to_python_marker(text: str) -> str:
    """Convert a range of Pythons to a marker; empty for any Python."""
    ranges = [" and ".join(_python_clause(*clause) for clause in part) for part in to_ranges(text)]
    return "" if "" in ranges else _any(ranges)


def to_platform_marker(text: str) -> str:
    """Convert names of platforms to a marker: ``linux || darwin``, ``!=win32``."""
    parts = []
    for part in _OR.split(text.strip()):
        names = [name.strip() for name in part.split(",") if name.strip()]
        split = [re.fullmatch(r"(==|!=|)\s*([A-Za-z0-9_]+)", name) for name in names]
        if not split or None in split:
            raise ProfileError(
                "PRF020", f"invalid platform {text[:40]!r}", hint="write linux, darwin or win32"
            )
        parts.append(" and ".join(f'sys_platform {item[1] or "=="} "{item[2]}"' for item in split if item))
    return _any(parts)


def all_of(markers: Iterable[str]) -> str:
    """Return a marker for all of some, empty ones left out."""
    found = [marker for marker in markers if marker]
    return found[0] if len(found) == 1 else " and ".join(f"({marker})" for marker in found)


def _any(markers: Sequence[str]) -> str:
    return markers[0] if len(markers) == 1 else " or ".join(f"({marker})" for marker in markers)


def _clauses(part: str, whole: str) -> Iterable[Clause]:
    position = 0
    while position < len(part):
        match = _CLAUSE.match(part, position)
        if match is None:
            raise _malformed(whole)
        yield from _clause(match["operator"] or "", match["version"], whole)
        position = _SEPARATOR.match(part, match.end()).end()  # type: ignore[union-attr]
    if not part:
        raise _malformed(whole)


def _clause(operator: str, version: str, whole: str) -> Iterable[Clause]:
    if version == "*" and operator in ("", "=", "=="):
        return ()
    wildcard = _WILDCARD.fullmatch(version)
    try:
        release = Version(wildcard["base"] if wildcard else version).release
        if operator in ("^", "~") or (wildcard and operator in ("", "=", "==")):
            base = wildcard["base"] if wildcard else version
            fixed = (
                _breaking(release) if operator == "^" else len(release) if wildcard else min(len(release), 2)
            )
            return ((">=", base), ("<", _next(base, release, fixed)))
        operator = {"": "==", "=": "==", "<>": "!="}.get(operator, operator)
        version = f"{wildcard['base']}.*" if wildcard else version
        SpecifierSet(operator + version)
    except (InvalidVersion, InvalidSpecifier) as error:
        raise _malformed(whole) from error
    return ((operator, version),)


def _breaking(release: Sequence[int]) -> int:
    """Return how many parts of a release a caret keeps: up to the first that is not zero."""
    return next(
        (number for number, part in enumerate(release[:_PATCH], 1) if part), min(len(release), _PATCH)
    )


def _next(base: str, release: Sequence[int], fixed: int) -> str:
    """Return the first release after all that share the first parts, written with as many parts."""
    epoch = f"{base.partition('!')[0]}!" if "!" in base else ""
    parts = [*release[: fixed - 1], release[fixed - 1] + 1]
    return epoch + ".".join(map(str, parts + [0] * (len(release) - fixed)))


def _is_interval(clauses: Sequence[Clause]) -> bool:
    return [operator for operator, _ in clauses] in ([">="], [">=", "<"])


def _begin(clauses: Sequence[Clause]) -> Version:
    return Version(clauses[0][1])


def _join(low: Sequence[Clause] | None, high: Sequence[Clause]) -> Sequence[Clause] | None:
    """Return the range that two intervals make together, the lower one first; None if there is a gap."""
    if low is None or len(low) == 1:
        return low
    if Version(low[1][1]) < _begin(high):
        return None
    if len(high) == 1:
        return low[:1]
    return (low[0], max(low[1], high[1], key=lambda clause: Version(clause[1])))


def _python_clause(operator: str, version: str) -> str:
    parts = version.removesuffix(".*").count(".") + 1
    if version.endswith(".*") and parts == 1:  # `!=3.*`
        return f'python_version < "{version[:-2]}"'
    name = "python_full_version" if parts >= _PATCH and not version.endswith(".*") else "python_version"
    return f'{name} {operator} "{version.removesuffix(".*")}"'


def _malformed(text: str) -> ProfileError:
    return ProfileError(
        "PRF020",
        f"invalid version range {text[:40]!r}",
        hint='write it as "^1.2", "~1.2", "1.2.*" or ">=1.2,<2"',
    )
