"""Select: which backends and torch versions work on a machine, and which lock of a project fits it.

The lock that ``envsmith install`` takes where nobody names a profile: the machine decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.version import Version

from envsmith.catalog import Catalog
from envsmith.catalog.builds import TorchWheels, builds, of_pypi
from envsmith.errors import CatalogError, HostError
from envsmith.host.model import Device, Host
from envsmith.lockfile.manifest import Manifest, TargetRecord
from envsmith.model.backend import Backend
from envsmith.model.target import Python, Target, parse_slug
from envsmith.plan.ports import Listings
from envsmith.select import rules
from envsmith.select.rules import NO, BackendVerdict

if TYPE_CHECKING:
    from envsmith.host.model import Host
    from envsmith.lockfile.manifest import Manifest

_VERSION = re.compile(r"(?:python|cp)?(3\.[0-9]{1,2})(?:\.[0-9]+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The answers for one machine."""

    host: Host
    python: Python
    verdicts: tuple[BackendVerdict, ...]
    """One per backend, best first."""

    @property
    def choice(self) -> BackendVerdict | None:
        """The best that works; None where nothing does."""
        return self.verdicts[0] if self.verdicts and self.verdicts[0].works else None


def completed(host: Host, catalog: Catalog) -> Host:
    """Return the host with the compute capability of devices that only their name or PCI id tells of."""
    return replace(host, devices=tuple(_completed(device, catalog) for device in host.devices))


def _completed(device: Device, catalog: Catalog) -> Device:
    if device.capability:
        return device
    known = catalog.gpu_by_pci(device.pci) if device.pci else None
    if known is None and device.name:
        try:
            known = catalog.gpu(device.name)
        except CatalogError:
            return device
    return replace(device, capability=known.capability) if known else device


def select(host: Host, python: Python, *, catalog: Catalog, listings: Listings) -> Selection:
    """Judge every backend the catalog knows, without asking any server."""
    host = completed(host, catalog)
    found = {facts.backend: tuple(_builds(facts.backend, catalog, listings)) for facts in catalog.backends()}
    return Selection(host=host, python=python, verdicts=rules.judge(host, python, found, catalog))


def _builds(backend: Backend, catalog: Catalog, listings: Listings) -> Iterable[TorchWheels]:
    listing = listings.known("stable", backend)
    return builds(catalog, listing) if listing else of_pypi(catalog, backend)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockVerdict:
    """Whether one lock fits a machine."""

    profile: str
    target: Target
    verdict: BackendVerdict

    @property
    def title(self) -> str:
        """``cu128 · torch 2.11.0``; the profile first where its name is not the backend's."""
        name = "" if self.profile == str(self.target.backend) else f"{self.profile} · "
        return name + self.verdict.title

    def is_for(self, host: Host) -> bool:
        """Say whether it is for the host's system and machine at all."""
        return (self.target.platform.os, self.target.platform.machine) == (host.os, host.machine)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockChoice:
    """The lock that fits a machine best, and the others."""

    host: Host
    python: Python
    best: LockVerdict
    others: tuple[LockVerdict, ...]
    """Best first."""


def choose_lock(
    host: Host, python: Python, manifests: Sequence[Manifest], *, catalog: Catalog, order: Sequence[str] = ()
) -> LockChoice:
    """Return the lock to install where nobody names a profile.

    Args:
        host: the machine.
        python: the interpreter the environment is for.
        manifests: of the profiles to choose from.
        catalog: kernels, drivers, lifetimes.
        order: names of profiles; of locks that fit equally well the one named first is taken, then by name.

    Raises:
        HostError: HST010 when no lock fits; each with its reason.
    """
    host = completed(host, catalog)
    place = {name: number for number, name in enumerate(order)}
    judged = sorted(
        (item for manifest in manifests for item in _judged(host, python, manifest, catalog)),
        key=lambda item: (
            rules.rank(item.verdict, is_advertised=catalog.backend(item.target.backend).is_advertised),
            place.get(item.profile, len(place)),
            item.profile != str(item.target.backend),
            item.profile,
            item.target.slug,
        ),
    )
    if not judged or not judged[0].verdict.works:
        raise _none_fits(host, python, judged)
    return LockChoice(host=host, python=python, best=judged[0], others=tuple(judged[1:]))


def _judged(host: Host, python: Python, manifest: Manifest, catalog: Catalog) -> Iterator[LockVerdict]:
    for slug, entry in manifest.targets.items():
        for_python, platform = parse_slug(slug)
        backend = Backend.parse(str(entry.inputs.get("backend", "cpu")))
        target = Target(python=for_python, platform=platform, backend=backend)
        build = _build_of(entry, target)
        verdict = rules.judge_build(host, python, build, catalog) if build else _undecided(backend)
        yield LockVerdict(profile=manifest.profile, target=target, verdict=verdict)


def _undecided(backend: Backend) -> BackendVerdict:
    return BackendVerdict(
        backend=backend, status=NO, reason="it holds no torch, so the machine decides nothing: name it"
    )


def _build_of(entry: TargetRecord, target: Target) -> TorchWheels | None:
    """Return the torch a lock holds; None where it holds none."""
    pin = entry.family.get("torch")
    if pin is None:
        return None
    is_pypi = any(str(item).startswith("torch==") for item in entry.inputs.get("from-pypi", ()))
    return TorchWheels(
        backend=target.backend,
        torch=Version(Version(pin.version).public),
        platforms=(str(target.platform),),
        pythons=frozenset({target.python.tag}),
        index="pypi" if is_pypi else "pytorch",
    )


def _none_fits(host: Host, python: Python, judged: Sequence[LockVerdict]) -> HostError:
    """Say of each profile why not, by the lock that came nearest."""
    nearest: dict[str, LockVerdict] = {}
    for item in judged:
        known = nearest.get(item.profile)
        if known is None or _nearness(item, host, python) > _nearness(known, host, python):
            nearest[item.profile] = item
    return HostError(
        "HST010",
        f"no lock fits {host} with Python {python}",
        details=tuple((name, f"{item.target.slug}: {item.verdict.reason}") for name, item in nearest.items()),
        hint="`envsmith select` says what would work here; `envsmith lock` makes a lock for it",
    )


def _nearness(item: LockVerdict, host: Host, python: Python) -> tuple[bool, bool]:
    return item.is_for(host), item.target.python == python


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
    from envsmith.config.profiles import ProfileStore

    # MERGED

    catalog = Catalog.embedded()
    order = ProfileStore.of_project(Path()).settings.default_profiles
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
    from envsmith.uv.command import find_uv
    from envsmith.uv.installer import UvInstaller

    processes = Processes()
    path = UvInstaller(processes=processes, executable=find_uv()).find_python(text)
    return Probe(processes=processes).interpreter(path).python if path else None
