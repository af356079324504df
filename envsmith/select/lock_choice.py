"""The lock that ``envsmith install`` takes where nobody names a profile: the machine decides."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from envsmith.errors import HostError
from envsmith.model.target import Python

if TYPE_CHECKING:
    from envsmith.host.model import Host
    from envsmith.lockfile.manifest import Manifest
    from envsmith.select.select import LockChoice

_VERSION = re.compile(r"(?:python|cp)?(3\.[0-9]{1,2})(?:\.[0-9]+)?")


def choose(folder: Path, python: str) -> LockChoice:
    """Return the lock that fits this machine and interpreter best.

    Args:
        folder: where the lock folders lie.
        python: as the command line names it; empty for the interpreter that runs, or else one that is locked for.

    Raises:
        HostError: HST010 when no lock fits, HST002 when an overriding variable is malformed.
        LockError: LCK002 when a manifest is malformed.
    """
    from envsmith.host.current import this_python
    from envsmith.host.detect import detect

    manifests = list(_manifests(folder))
    asked = _python(python) if python else None
    # An interpreter that is not there is refused by the install itself, which knows what is locked.
    pythons = [asked] if asked else [this_python(), *_locked_for(manifests)]
    return _first_fit(detect(), pythons, manifests)


def _first_fit(host: Host, pythons: Sequence[Python], manifests: Sequence[Manifest]) -> LockChoice:
    """Return the best lock for the first Python that any lock fits with."""
    from envsmith.catalog import Catalog
    from envsmith.config.profiles import Profiles
    from envsmith.select.select import choose_lock

    catalog = Catalog.embedded()
    order = Profiles.of_project(Path()).settings.default_profiles
    refusals: list[HostError] = []
    for python in pythons:
        try:
            return choose_lock(host, python, manifests, catalog=catalog, order=order)
        except HostError as refusal:
            refusals.append(refusal)
    raise refusals[0]


def _manifests(folder: Path) -> Iterator[Manifest]:
    from envsmith.files import atomic
    from envsmith.lockfile.store import read_manifest

    for place in sorted(folder.glob("*/manifest.toml")):
        if manifest := read_manifest(atomic.read_files(place.parent), str(place)):
            yield manifest


def _locked_for(manifests: Sequence[Manifest]) -> list[Python]:
    """Return the Pythons of all locks, the newest first."""
    from envsmith.model.target import parse_slug

    return sorted({parse_slug(slug)[0] for manifest in manifests for slug in manifest.targets}, reverse=True)


def _python(text: str) -> Python | None:
    """Return the version of an interpreter, asked where its name does not tell; None where there is none."""
    if match := _VERSION.fullmatch(text):
        return Python.parse(match[1])
    from envsmith.environment.interpreter import Probe
    from envsmith.process.runner import Processes
    from envsmith.uv.installer import UvInstaller
    from envsmith.uv.resolver import find_uv

    processes = Processes()
    path = UvInstaller(processes=processes, executable=find_uv()).find_python(text)
    return Probe(processes=processes).interpreter(path).python if path else None
