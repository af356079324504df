"""Install requests, and the parsed lock of a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from envsmith.config.build_settings import ANY_SOURCE
from envsmith.environment.generation import Generation
from envsmith.environment.model import Environment
from envsmith.errors import LockError
from envsmith.install.smoke_tests import SmokeTests
from envsmith.lockfile.manifest import FILENAME, Manifest, TargetRecord
from envsmith.lockfile.pins import InstallSource, Pin, Pins, hashed_part
from envsmith.lockfile.provided import ProvidedPackage
from envsmith.lockfile.store import read_manifest, sha256_of
from envsmith.lockfile.whole import NO_RULES, LockRules, LockTexts, check, check_profile_name
from envsmith.model.shim import ShimPackage, is_shims
from envsmith.model.target import Platform, Python
from envsmith.plan.ports import Files
from envsmith.shims.environment import with_shims


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallRequest:
    """A profile to install, and how."""

    profile: str
    folder: Path
    """Its lock folder."""
    given_python: str = ""
    """Interpreter with the given packages, from the profile."""
    python: str = ""
    """Version, name or path, as uv reads it; empty: chosen by the locks."""
    this_platform: Platform
    this_python: Python
    wheelhouse: str = ""
    deep: bool = False
    """Compare the hash of every file."""
    compile_bytecode: bool = False
    rebuild: bool = False
    """Build a generation even if an equal one exists."""
    guard: bool = True
    """Write constraints with the pins of the torch family."""
    smoke_tests: SmokeTests = field(default_factory=SmokeTests)
    shims: ShimPackage | None = None
    """Shims of the profile."""
    rules: LockRules = NO_RULES
    is_profile_known: bool = True
    """False if only the lock is present: then the shims of the profile are unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedInstall:
    """The parsed lock of one target."""

    profile: str
    slug: str
    sha256: str
    pins: Pins
    source: InstallSource
    entry: TargetRecord
    given: tuple[ProvidedPackage, ...] = ()
    """Packages of the base interpreter; not among the pins."""

    @property
    def imported(self) -> Pins:
        """The pins, and the given packages."""
        brought = (Pin(name=item.name, version=item.version, sha256=()) for item in self.given)
        return replace(self.pins, packages=(*self.pins.packages, *brought))


def has_requested_shims(generation: Generation, request: InstallRequest) -> bool:
    """Return whether a generation contains exactly the requested shims."""
    requested = {request.shims.folder} if request.shims else set[str]()
    return not request.is_profile_known or requested == set(filter(is_shims, generation.folders))


def expected_pins(request: InstallRequest, locked: LockedInstall, environment: Environment) -> Pins:
    """Return the pins of the lock and the shims of its profile.

    If only the lock is present, the installed shims are expected.
    """
    pins = with_shims(locked.pins, request.shims)
    if request.is_profile_known:
        return pins
    installed = (
        Pin(name=item.name, version=item.version, sha256=())
        for item in environment.distributions
        if is_shims(item.folder)
    )
    return replace(pins, packages=(*pins.packages, *installed))


def read_lock_folder(request: InstallRequest, files: Files) -> tuple[Mapping[str, bytes], Manifest]:
    """Return the files of a lock folder, and its manifest.

    Raises:
        LockError: LCK002 when the manifest is malformed, LCK005 when the profile is not locked, LCK060 when
            the manifest is another profile's.
    """
    found = files.read_files(request.folder)
    manifest = read_manifest(found, str(request.folder / FILENAME))
    if manifest is None or not manifest.targets:
        raise LockError(
            "LCK005",
            f"{request.profile} is not locked",
            where=str(request.folder),
            hint=f"envsmith lock {request.profile}",
        )
    check_profile_name(manifest, request.profile, str(request.folder / FILENAME))
    return found, manifest


def read_lock(
    request: InstallRequest, manifest: Manifest, files: Mapping[str, bytes], slug: str
) -> LockedInstall:
    """Check and parse the lock of one target: the pylock if it is the recorded one and usable, else the requirements.

    Raises:
        LockError: LCK005 when the requirements file is missing; as `whole.check`.
    """
    entry = manifest.targets[slug]
    texts = LockTexts.of(slug, entry, files, request.folder)
    pins, pylock = check(slug, manifest, texts, request.rules, profile=request.profile)
    builds = entry.builds
    digests = [f"{name} {build.digest(slug)}\n".encode() for name, build in sorted(builds.items())]
    text = pins.for_sync(texts.requirements, by_name=bool(request.wheelhouse), without=builds)
    source, options = InstallSource(text=text, is_pylock=False), pins.options()
    if (
        pylock and texts.pylock and not request.wheelhouse
    ):  # a pylock has URLs, a wheelhouse is used by file names
        text = hashed_part(texts.pylock, without=builds)
        pins, source = pylock, InstallSource(text=text, is_pylock=True)
    return LockedInstall(
        profile=request.profile,
        slug=slug,
        sha256=sha256_of(b"".join([files[f"requirements.{slug}.txt"], texts.unhashed.encode(), *digests])),
        pins=pins,
        source=replace(
            source,
            sources=_sources(entry, pins),
            wheelhouse=request.wheelhouse,
            profile=request.profile,
            indexes=entry.package_indexes,
            options=options,
            apart=tuple(pin for pin in pins.packages if pin.is_apart),
        ),
        entry=entry,
        given=manifest.given,
    )


def _sources(entry: TargetRecord, pins: Pins) -> tuple[str, ...]:
    """Return the names of the packages that uv builds from source; ANY_SOURCE if they are not known."""
    if ANY_SOURCE not in entry.allow_sdist:
        return tuple(name for name in entry.allow_sdist if pins.version(name) and name not in entry.builds)
    if not any(pin.filename for pin in pins.packages):  # without the pylock
        return (ANY_SOURCE,)
    return tuple(
        pin.name
        for pin in pins.packages
        if pin.is_source and not pin.is_apart and pin.name not in entry.builds
    )
