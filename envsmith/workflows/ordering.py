"""What an install is told and given, and the lock it reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from envsmith.errors import LockError
from envsmith.model.backend import Backend
from envsmith.model.generation import Generation
from envsmith.model.manifest import Manifest
from envsmith.model.pins import Pins
from envsmith.model.supply import Supply
from envsmith.model.target import Platform, Python
from envsmith.ports import Disks, EnvironmentProbe, Files, Installer, Progress
from envsmith.workflows.keeping import Environments
from envsmith.workflows.recording import sha256_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """What is tried in a new environment before it is current."""

    imports: tuple[str, ...] | None = None
    """None: torch, where the lock has it."""
    env: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 300.0
    """For each import."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
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
    guard: bool = True
    checks: Checks = field(default_factory=Checks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Furnishing:
    """What those see who put further files into a new environment before it is current."""

    prefix: Path
    """Root of the new environment."""
    generation: Generation
    pins: Pins
    backend: Backend


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallTools:
    """What an install needs of the world."""

    environments: Environments
    installer: Installer
    probe: EnvironmentProbe
    files: Files
    disks: Disks
    progress: Progress
    now_utc: Callable[[], str]
    furnish: tuple[Callable[[Furnishing], None], ...] = ()
    gather: Callable[[Locked, Manifest, Mapping[str, bytes]], Supply] | None = None
    """Brings the files together beforehand, where they do not come from where the lock says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """One lock, read."""

    profile: str
    slug: str
    sha256: str
    pins: Pins
    supply: Supply
    backend: Backend
    family: Mapping[str, str]
    wheels: Mapping[str, str]
    """Torch-family project → file name of its wheel."""


def read_lock(order: Order, manifest: Manifest, found: Mapping[str, bytes], slug: str) -> Locked:
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
    return Locked(
        profile=order.profile,
        slug=slug,
        sha256=sha256_of(found[name]),
        pins=pins,
        supply=Supply(
            text=text,
            is_pylock=is_pylock,
            sources=tuple(name for name in sources if pins.version(name)),
            wheelhouse=order.wheelhouse,
        ),
        backend=backend,
        family={name: pin.split(" ")[0] for name, pin in entry.family.items()},
        wheels={name: pin.split(" ")[1] for name, pin in entry.family.items()},
    )
