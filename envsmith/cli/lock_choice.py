"""The lock that ``envsmith install`` takes where nobody names a profile: the machine decides."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from envsmith.errors import HostError
from envsmith.model.target import Python

if TYPE_CHECKING:
    from envsmith.model.host import Host
    from envsmith.model.manifest import Manifest
    from envsmith.workflows.selecting import LockChoice

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
    from envsmith.adapters.detection import detect
    from envsmith.adapters.host import this_python

    manifests = list(_manifests(folder))
    asked = _python(python) if python else None
    # An interpreter that is not there is refused by the install itself, which knows what is locked.
    pythons = [asked] if asked else [this_python(), *_locked_for(manifests)]
    return _first_fit(detect(), pythons, manifests)


def _first_fit(host: Host, pythons: Sequence[Python], manifests: Sequence[Manifest]) -> LockChoice:
    """Return the best lock for the first Python that any lock fits with."""
    from envsmith.adapters.profiles import Profiles
    from envsmith.catalog import Catalog
    from envsmith.workflows.selecting import choose_lock

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
    from envsmith.adapters import files
    from envsmith.workflows.recording import read_manifest

    for place in sorted(folder.glob("*/manifest.toml")):
        if manifest := read_manifest(files.read_files(place.parent), str(place)):
            yield manifest


def _locked_for(manifests: Sequence[Manifest]) -> list[Python]:
    """Return the Pythons of all locks, the newest first."""
    from envsmith.rules.targeting import parse_slug

    return sorted({parse_slug(slug)[0] for manifest in manifests for slug in manifest.targets}, reverse=True)


def _python(text: str) -> Python | None:
    """Return the version of an interpreter, asked where its name does not tell; None where there is none."""
    if match := _VERSION.fullmatch(text):
        return Python.parse(match[1])
    from envsmith.adapters.interpreter import Probe
    from envsmith.adapters.process import Processes
    from envsmith.adapters.uv import find_uv
    from envsmith.adapters.uv_install import UvInstaller

    processes = Processes()
    path = UvInstaller(processes=processes, executable=find_uv()).find_python(text)
    return Probe(processes=processes).interpreter(path).python if path else None
