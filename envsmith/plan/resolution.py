"""Resolution: the resolver's answer, not yet judged."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

from packaging.pylock import Package, Pylock, PylockValidationError
from packaging.utils import canonicalize_name

from envsmith.errors import ToolError

_PIN = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==\S+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """Packages with their files, and who asked for each."""

    packages: tuple[Package, ...]
    """Sorted by name."""
    requirers: Mapping[str, tuple[str, ...]]
    """project → the projects that require it; a direct requirement alone gives an empty tuple."""
    indexes: Mapping[str, str]
    """project → address of the index it was found in, as the resolver tells it."""

    @classmethod
    def parse(cls, pylock: str, annotated: str) -> Resolution:
        """Read a pylock text and the same resolution as annotated requirements.

        Args:
            pylock: PEP 751 text.
            annotated: requirements text whose ``# via`` comments follow each pin.

        Raises:
            ToolError: TOL020 when either text has another form.
        """
        try:
            packages = Pylock.from_dict(tomllib.loads(pylock)).packages
        except (tomllib.TOMLDecodeError, PylockValidationError, RecursionError) as error:
            raise ToolError(
                "TOL020",
                f"the resolver's answer is no pylock: {error}",
                hint="uv 0.13.8 or later within 0.13 is what envsmith reads",
            ) from error
        requirers, indexes = parse_annotations(annotated)
        return cls(
            packages=tuple(sorted(packages, key=lambda package: package.name)),
            requirers=requirers,
            indexes=indexes,
        )


def parse_annotations(annotated: str) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """Read who requires what (``# via``), and from which index it is (``# from``); names of files are left out.

    Source: the annotated output of ``uv pip compile`` 0.13.8 (seen 2026-11-21): one comment line per pin,
    ``# via torch``, or a bare ``# via`` followed by ``#   torch`` lines; files appear as ``-r PATH``.
    """
    found: dict[str, list[str]] = {}
    indexes: dict[str, str] = {}
    name, current = "", []
    for line in annotated.splitlines():
        text = line.strip()
        if match := _PIN.match(text):
            name = canonicalize_name(match["name"])
            current = found.setdefault(name, [])
        elif text.startswith("# from "):
            indexes[name] = text.removeprefix("# from ")
        elif text.startswith("#"):
            asker = text.removeprefix("#").strip().removeprefix("via").strip()
            if asker and " " not in asker:
                current.append(canonicalize_name(asker.split("[")[0]))
    return {name: tuple(sorted(set(askers))) for name, askers in found.items()}, indexes
