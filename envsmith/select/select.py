"""Selection of a backend for a machine, and of the best-fitting lock for an install without a profile."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.version import Version

from envsmith.catalog import Catalog
from envsmith.catalog.builds import TorchWheels, builds, of_pypi
from envsmith.errors import CatalogError, HostError
from envsmith.host.model import Device, Host
from envsmith.lockfile.manifest import Manifest, TargetRecord
from envsmith.model.backend import Backend
from envsmith.model.target import Python, Target, parse_slug
from envsmith.plan.ports import Listings
from envsmith.select.verdicts import NO, BackendVerdict, judge, judge_build, rank

# Python as typed: `3.12`, `3.12.4`, `python3.12`; anything else is looked up as an interpreter.
_VERSION = re.compile(r"(?:python|cp)?(3\.[0-9]{1,2})(?:\.[0-9]+)?(t?)")


class NoFittingLockError(HostError):
    """HST010: no lock fits the machine and interpreter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Verdicts for one machine."""

    host: Host
    python: Python
    verdicts: tuple[BackendVerdict, ...]
    """One per backend, best first."""

    @property
    def choice(self) -> BackendVerdict | None:
        """The best working backend, or None."""
        return self.verdicts[0] if self.verdicts and self.verdicts[0].works else None


def completed(host: Host, catalog: Catalog) -> Host:
    """Return the host with compute capabilities looked up by name or PCI id where the driver reports none."""
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
    """Judge every backend of the catalog, without network."""
    host = completed(host, catalog)
    found = {facts.backend: tuple(_builds(facts.backend, catalog, listings)) for facts in catalog.backends()}
    return Selection(host=host, python=python, verdicts=judge(host, python, found, catalog))


def select_here(catalog: Catalog) -> Selection:
    """Judge every backend for this machine and this Python, without network.

    Raises:
        HostError: HST002 when an override variable is malformed.
    """
    from envsmith.host.current import this_python
    from envsmith.host.detect import detect
    from envsmith.wiring import CatalogOptions, listing_sources

    listings = listing_sources(catalog, CatalogOptions(), is_online=False)
    return select(detect(), this_python(), catalog=catalog, listings=listings)


def best_backend() -> str:
    """Return the best backend for this machine; ``cpu`` if none works."""
    choice = select_here(Catalog.embedded()).choice
    return str(choice.backend) if choice else "cpu"


def _builds(backend: Backend, catalog: Catalog, listings: Listings) -> Iterable[TorchWheels]:
    listing = listings.known("stable", backend)
    return builds(catalog, listing) if listing else of_pypi(catalog, backend)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockVerdict:
    """Verdict on one lock for a machine."""

    profile: str
    target: Target
    verdict: BackendVerdict

    @property
    def title(self) -> str:
        """``cu128 · torch 2.11.0``, after the profile's name unless that is the backend's."""
        name = "" if self.profile == str(self.target.backend) else f"{self.profile} · "
        return name + self.verdict.title

    def is_for(self, host: Host) -> bool:
        """Return whether its platform is the host's system and machine."""
        return (self.target.platform.os, self.target.platform.machine) == (host.os, host.machine)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockChoice:
    """The best-fitting lock for a machine, and the others."""

    host: Host
    python: Python
    best: LockVerdict
    others: tuple[LockVerdict, ...]
    """Best first."""


def choose_lock(
    host: Host, python: Python, manifests: Sequence[Manifest], *, catalog: Catalog, order: Sequence[str] = ()
) -> LockChoice:
    """Return the lock to install when no profile is given.

    Args:
        host: the machine.
        python: the interpreter for the environment.
        manifests: of the locked profiles.
        catalog: kernels, drivers, lifecycles.
        order: profiles preferred among equally good locks, before the order of names.

    Raises:
        NoFittingLockError: HST010 when no lock fits, with the reason for each.
    """
    host = completed(host, catalog)
    position = {name: number for number, name in enumerate(order)}
    verdicts = sorted(
        (item for manifest in manifests for item in _verdicts(host, python, manifest, catalog)),
        key=lambda item: (
            rank(item.verdict, is_advertised=catalog.backend(item.target.backend).is_advertised),
            position.get(item.profile, len(position)),
            item.profile != str(item.target.backend),
            item.profile,
            item.target.slug,
        ),
    )
    if not verdicts or not verdicts[0].verdict.works:
        raise _none_fits(host, python, verdicts)
    return LockChoice(host=host, python=python, best=verdicts[0], others=tuple(verdicts[1:]))


def _verdicts(host: Host, python: Python, manifest: Manifest, catalog: Catalog) -> Iterator[LockVerdict]:
    for slug, entry in manifest.targets.items():
        for_python, platform = parse_slug(slug)
        target = Target(python=for_python, platform=platform, backend=entry.backend)
        build = _build_of(entry, target)
        verdict = judge_build(host, python, build, catalog) if build else _without_torch(entry.backend)
        yield LockVerdict(profile=manifest.profile, target=target, verdict=verdict)


def _without_torch(backend: Backend) -> BackendVerdict:
    return BackendVerdict(
        backend=backend, status=NO, reason="it contains no torch, so hardware was not checked"
    )


def _build_of(entry: TargetRecord, target: Target) -> TorchWheels | None:
    """Return the torch of a lock, or None."""
    pin = entry.family.get("torch")
    if pin is None:
        return None
    return TorchWheels(
        backend=target.backend,
        torch=Version(Version(pin.version).public),
        platforms=(str(target.platform),),
        pythons=frozenset({target.python.tag}),
        index="pypi" if "torch" in entry.from_pypi else "pytorch",
    )


def _none_fits(host: Host, python: Python, verdicts: Sequence[LockVerdict]) -> NoFittingLockError:
    """Return the error with the reason per profile, that of its nearest lock."""
    nearest: dict[str, LockVerdict] = {}
    for item in verdicts:
        known = nearest.get(item.profile)
        if known is None or _nearness(item, host, python) > _nearness(known, host, python):
            nearest[item.profile] = item
    return NoFittingLockError(
        "HST010",
        f"no lock fits {host} with Python {python}",
        details=tuple((name, f"{item.target.slug}: {item.verdict.reason}") for name, item in nearest.items()),
        hint="name a profile, or lock a backend that `envsmith select` shows as working here",
    )


def _nearness(item: LockVerdict, host: Host, python: Python) -> tuple[bool, bool]:
    return item.is_for(host), item.target.python == python


def choose(folder: Path, python: str) -> LockChoice:
    """Return the best-fitting lock for this machine and interpreter.

    Args:
        folder: parent of the lock folders.
        python: from the command line; empty for the running interpreter, or else the Pythons of the locks.

    Raises:
        NoFittingLockError: HST010 when no lock fits.
        HostError: HST002 when an override variable is malformed.
        LockError: LCK002 when a manifest is malformed.
    """
    from envsmith.host.current import this_python
    from envsmith.host.detect import detect

    manifests = list(_manifests(folder))
    chosen = _python(python) if python else None
    # A missing interpreter is refused by the install itself, with the locked Pythons in the message.
    pythons = [chosen] if chosen else [this_python(), *_locked_for(manifests)]
    return _first_fit(detect(), pythons, manifests)


def _first_fit(host: Host, pythons: Sequence[Python], manifests: Sequence[Manifest]) -> LockChoice:
    """Return the best lock for the first Python with a fitting one."""
    from envsmith.config.profiles import ProfileStore

    catalog = Catalog.embedded()
    order = ProfileStore.of_project(Path()).settings.default_profiles
    refusals: list[NoFittingLockError] = []
    for python in pythons:
        try:
            return choose_lock(host, python, manifests, catalog=catalog, order=order)
        except NoFittingLockError as refusal:
            refusals.append(refusal)
    raise refusals[0]


def _manifests(folder: Path) -> Iterator[Manifest]:
    from envsmith.files import atomic
    from envsmith.files.text import folders_with
    from envsmith.lockfile.manifest import FILENAME
    from envsmith.lockfile.store import read_manifest

    for name in folders_with(folder, FILENAME):
        if manifest := read_manifest(atomic.read_files(folder / name), str(folder / name / FILENAME)):
            yield manifest


def _locked_for(manifests: Sequence[Manifest]) -> list[Python]:
    """Return the Pythons of all locks, newest first."""
    return sorted({parse_slug(slug)[0] for manifest in manifests for slug in manifest.targets}, reverse=True)


def _python(text: str) -> Python | None:
    """Return the version of an interpreter, by running it if its name does not tell; None if it is missing."""
    if match := _VERSION.fullmatch(text):
        return Python.parse(match[1] + match[2])
    from envsmith.environment.interpreter import Probe
    from envsmith.process.runner import Processes
    from envsmith.uv.command import find_uv
    from envsmith.uv.installer import UvInstaller

    processes = Processes()
    path = UvInstaller(processes=processes, executable=find_uv()).find_python(text)
    return Probe(processes=processes).interpreter(path).python if path else None
