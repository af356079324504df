"""What an install is told and given, and the lock it reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from envsmith.activate.model import Activation
from envsmith.config.profile import SmokeTest
from envsmith.environment.model import Environment, Generation
from envsmith.errors import LockError
from envsmith.install.ports import DiskInfo, EnvironmentProbe, EnvironmentStore, Installer
from envsmith.lockfile.manifest import FILENAME, Manifest
from envsmith.lockfile.pins import InstallSource, Pin, Pins
from envsmith.lockfile.store import read_manifest, sha256_of
from envsmith.model.backend import Backend
from envsmith.model.progress import Progress
from envsmith.model.shim import ShimPackage, is_shims
from envsmith.model.target import Platform, Python
from envsmith.plan.ports import Files
from envsmith.shims.environment import with_shims


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeTests:
    """What is tried in a new environment before it is current."""

    tried: tuple[SmokeTest, ...] = ()
    """Besides importing torch, where the lock has it."""
    env: Mapping[str, str] = field(default_factory=dict)

    def imports(self, pins: Pins) -> tuple[SmokeTest, ...]:
        """Return the imports to try in an environment of these pins."""
        named = tuple(item for item in self.tried if item.kind == "import")
        is_needed = pins.version("torch") and all(item.text != "torch" for item in named)
        return (SmokeTest("import", "torch"), *named) if is_needed else named

    @property
    def words(self) -> tuple[str, ...]:
        """What the profile names, as records of it say, sorted."""
        return tuple(sorted({item.word for item in self.tried}))

    def runs(self) -> tuple[SmokeTest, ...]:
        """Return the commands to try."""
        return tuple(item for item in self.tried if item.kind == "run")


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallRequest:
    """What is to be installed, and how."""

    profile: str
    folder: Path
    """Where its locks lie."""
    python: str = ""
    """As uv reads it; empty where the locks decide."""
    here: Platform
    this_python: Python
    wheelhouse: str = ""
    deep: bool = False
    compiled: bool = False
    """Compile all modules beforehand."""
    anew: bool = False
    """Build it even where such a one is there already."""
    guard: bool = True
    checks: SmokeTests = field(default_factory=SmokeTests)
    shims: ShimPackage | None = None
    """What the profile puts beside the packages of its lock."""
    is_profile_known: bool = True
    """False where only the lock is at hand: then nothing says which shims there should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraFiles:
    """What those see who put further files into a new environment before it is current."""

    prefix: Path
    """Root of the new environment."""
    generation: Generation
    pins: Pins
    backend: Backend
    activation: Activation
    """What the profile says of a session in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallTools:
    """What an install needs of the world."""

    environments: EnvironmentStore
    installer: Installer
    probe: EnvironmentProbe
    files: Files
    disks: DiskInfo
    progress: Progress
    now_utc: Callable[[], str]
    furnish: tuple[Callable[[ExtraFiles], None], ...] = ()
    lay: Callable[[Path, ShimPackage], None] | None = None
    """Puts shims into a new environment, before it is proved; None where none can be asked for."""
    gather: Callable[[LockedInstall, Manifest, Mapping[str, bytes]], InstallSource] | None = None
    """Brings the files together beforehand, where they do not come from where the lock says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedInstall:
    """One lock, read."""

    profile: str
    slug: str
    sha256: str
    pins: Pins
    supply: InstallSource
    backend: Backend
    family: Mapping[str, str]
    env: Mapping[str, str]
    """What the profile sets in a session."""
    wheels: Mapping[str, str]
    """Torch-family project → file name of its wheel."""


def has_shims(one: Generation, order: InstallRequest) -> bool:
    """Say whether a generation has the shims that are asked for, and no others."""
    wanted = {order.shims.folder} if order.shims else set[str]()
    return not order.is_profile_known or wanted == set(filter(is_shims, one.folders))


def expected(order: InstallRequest, locked: LockedInstall, environment: Environment) -> Pins:
    """Return all that is to be in an environment: the lock's packages, and the shims of its profile.

    Where only the lock is at hand, the shims that are there are taken to be right.
    """
    pins = with_shims(locked.pins, order.shims)
    if order.is_profile_known:
        return pins
    there = (
        Pin(name=item.name, version=item.version, sha256=())
        for item in environment.distributions
        if is_shims(item.folder)
    )
    return replace(pins, packages=(*pins.packages, *there))


def locked_files(order: InstallRequest, files: Files) -> tuple[Mapping[str, bytes], Manifest]:
    """Return the files of a profile's lock folder, and the manifest among them.

    Raises:
        LockError: LCK002 when the manifest is malformed, LCK005 where nothing is locked.
    """
    found = files.read_files(order.folder)
    manifest = read_manifest(found, str(order.folder / FILENAME))
    if manifest is None or not manifest.targets:
        raise LockError(
            "LCK005",
            f"{order.profile} has never been locked",
            where=str(order.folder),
            hint=f"envsmith lock {order.profile}",
        )
    return found, manifest


def read_lock(
    order: InstallRequest, manifest: Manifest, found: Mapping[str, bytes], slug: str
) -> LockedInstall:
    """Read one lock: its requirements, and its pylock where that is at hand, untouched, and of use."""
    entry = manifest.targets[slug]
    name, pylock = f"requirements.{slug}.txt", f"pylock.{slug}.toml"
    if name not in found:
        raise LockError(
            "LCK005",
            f"{name} is missing",
            where=str(order.folder),
            hint=f"put the committed file back, or run `envsmith lock {order.profile}`",
        )
    text = found[name].decode("utf-8", "replace")
    pins, is_pylock = Pins.from_requirements(text, str(order.folder / name)), False
    if pylock in found and not order.wheelhouse and sha256_of(found[pylock]) == entry.files.get(pylock):
        text = found[pylock].decode("utf-8")
        pins, is_pylock = Pins.from_pylock(text, str(order.folder / pylock)), True
    sources = entry.inputs.get("allow-sdist", ())
    backend = Backend.parse(str(entry.inputs.get("backend", "cpu")))
    return LockedInstall(
        profile=order.profile,
        slug=slug,
        sha256=sha256_of(found[name]),
        pins=pins,
        supply=InstallSource(
            text=text,
            is_pylock=is_pylock,
            sources=tuple(name for name in sources if pins.version(name)),
            wheelhouse=order.wheelhouse,
            profile=order.profile,
        ),
        backend=backend,
        env=dict(str(item).partition("=")[::2] for item in entry.inputs.get("env", ())),
        family={name: pin.version for name, pin in entry.family.items()},
        wheels={name: pin.filename for name, pin in entry.family.items()},
    )
