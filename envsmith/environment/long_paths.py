"""Paths of installed files against the limit of Windows, 260 characters with the NUL at the end.

Programs are bound by it unless their manifest and the registry's LongPathsEnabled both allow more.

Source: Maximum Path Length Limitation, Microsoft Learn (read 2026-11-30).
"""

from __future__ import annotations

import ntpath
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath

from packaging.version import Version

from envsmith.catalog import BadRelease
from envsmith.environment.distributions import Wheels
from envsmith.environment.prefix import record_lines
from envsmith.errors import InstallError
from envsmith.files.own_folder import site_folders
from envsmith.lockfile.pins import Pin

MOST_CHARACTERS = 259
ENABLE = r"Set-ItemProperty HKLM:\SYSTEM\CurrentControlSet\Control\FileSystem LongPathsEnabled 1 -Type DWord"
"""Command for PowerShell as administrator."""
SITE = "Lib\\site-packages\\"
_SCHEMES = {"<scripts>": "Scripts", "<data>": "."}
# The shortest store: with a folder of one letter on the system's drive.
_SHORT_STORE = "C:\\e"


def check_lengths(
    prefix: PurePath, pins: Iterable[Pin], wheels: Wheels, known: tuple[BadRelease, ...], *, has_store: bool
) -> None:
    """Check that no path in an environment to be built is too long; what nobody knows is not checked.

    Args:
        prefix: the folder of the environment.
        pins: of the lock.
        wheels: lists of files in the locked wheels, as far as they are known.
        known: releases with a known longest path.
        has_store: whether the environments are already in a folder outside the project.

    Raises:
        InstallError: ENV036 when one is.
    """
    paths = [(path, pin.name) for pin in pins for path in _paths(pin, wheels, known)]
    path, name = max(paths, key=lambda item: len(item[0]), default=("", ""))
    excess = len(f"{prefix}\\{path}") - MOST_CHARACTERS
    if not path or excess <= 0:
        return
    root = prefix.parents[1]
    gain = len(str(root)) - len(ntpath.join(_SHORT_STORE, f"{root.parent.name}-{'0' * 12}"))
    store = (
        f", or keep environments elsewhere (`--store {_SHORT_STORE}`)"
        if not has_store and gain >= excess
        else ""
    )
    raise InstallError(
        "ENV036",
        f"the path of a file of {name} would have {MOST_CHARACTERS + excess} characters, and Windows allows "
        f"{MOST_CHARACTERS}; nothing was installed",
        where=str(prefix),
        details=(("file", path), ("length", f"{len(str(prefix)) + 1} + {len(path)}")),
        hint=f"use a project folder whose path is {excess} characters shorter{store}, or enable long paths, in "
        f"PowerShell as administrator: {ENABLE}",
    )


def _paths(pin: Pin, wheels: Wheels, known: tuple[BadRelease, ...]) -> Iterator[str]:
    """Yield paths of a package below the prefix: all if its wheel was read, else the longest if the catalog has it."""
    if contents := wheels.get(pin.name):
        for member in contents.members:
            first, _, rest = member.partition("/")
            if not first.startswith("<"):
                yield f"{SITE}{member}".replace("/", "\\")
            elif first in _SCHEMES:
                yield ntpath.join(_SCHEMES[first], rest.replace("/", "\\")).removeprefix(".\\")
        return
    for row in known if pin.version else ():
        if row.longest_path and row.describes(pin.name, Version(pin.version), "windows"):
            yield f"{SITE}{row.longest_path.format(version=pin.version)}".replace("/", "\\")


def longest_installed(prefix: Path) -> str:
    """Return the longest path of the recorded files of an environment; empty without any."""
    found = (
        ntpath.normpath(f"{site}\\{row[0]}")
        for site in site_folders(prefix)
        for record in site.glob("*.dist-info/RECORD")
        for row in record_lines(record)
    )
    return max(found, key=len, default="")
