"""Values of the rows of the tables."""

from __future__ import annotations

from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName
from packaging.version import Version

from envsmith.model.backend import Backend, Capability, architecture, runs_on
from envsmith.model.target import Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Provenance, which every row has."""

    source: str
    """Where the fact was read."""
    retrieved: str
    """When it was read, ``2026-11-20``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendFacts(Fact):
    """The lifecycle of a backend."""

    backend: Backend
    first_torch: Version | None = None
    """None if no stable build is known."""
    last_torch: Version | None = None
    """None while stable builds continue."""
    stable_end: str | None = None
    """Release date of the first stable torch without it."""
    nightly_end: str | None = None
    """Date of its last nightly builds; None while they continue."""
    successor: Backend | None = None
    is_advertised: bool = True
    """False if it is published, but missing in PyTorch's own instructions."""
    note: str = ""

    @property
    def is_retired(self) -> bool:
        """Whether no further stable torch is built for it."""
        return self.last_torch is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchRelease(Fact):
    """A stable torch and the releases of the projects that go with it."""

    torch: Version
    date: str
    torchvision: tuple[Version, ...]
    torchaudio: Version | None = None
    torchcodec: SpecifierSet | None = None
    """The versions that go with it; None if there are none."""
    triton: SpecifierSet | None = None
    """Requirement of the CUDA build for Linux x86_64; None if it has none."""
    requires_python: SpecifierSet

    def versions(self, project: str) -> tuple[Version, ...]:
        """Return its versions of torch, torchvision or torchaudio, newest first."""
        audio = (self.torchaudio,) if self.torchaudio else ()
        found = {"torch": (self.torch,), "torchvision": self.torchvision, "torchaudio": audio}
        return tuple(sorted(found.get(project, ()), reverse=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernels(Fact):
    """The compute capabilities a torch wheel was compiled for; empty for a CPU build."""

    capabilities: tuple[Capability, ...]
    is_complete: bool = True
    """False if they are only the GPUs it was validated on: others may work."""

    def supports(self, capability: Capability) -> bool:
        """Say whether a GPU can run these kernels."""
        return any(runs_on(built, capability) for built in self.capabilities)

    def __str__(self) -> str:
        return " ".join(architecture(capability) for capability in self.capabilities)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheels:
    """Pattern for wheels: an operating system, and optionally a machine."""

    os: str
    machine: str | None = None
    """As wheel tags spell it; None: any."""

    def include(self, platform: Platform) -> bool:
        """Say whether the wheels for a platform match."""
        return self.os == platform.os and self.machine in (None, platform.machine)


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelRow(Fact):
    """One row of the kernels table: the same kernels for several backends and platforms."""

    backends: tuple[Backend, ...]
    platforms: tuple[Wheels, ...]
    torch: SpecifierSet
    capabilities: tuple[Capability, ...]
    is_complete: bool = True
    """False if they are only the GPUs it was validated on."""
    note: str = ""

    def describes(self, torch: Version, backend: Backend, platform: Platform) -> bool:
        """Say whether the row covers a wheel of torch; a nightly counts as its next release."""
        return (
            backend in self.backends
            and any(wheels.include(platform) for wheels in self.platforms)
            and self.torch.contains(torch.base_version, prereleases=True)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu(Fact):
    """A GPU with its marketing name."""

    name: str
    capability: Capability
    pci: tuple[str, ...] = ()
    """PCI ids (``8086:56a0``), sorted; they identify it without a driver."""

    @property
    def architecture(self) -> str:
        """``sm_120``, ``gfx1100``, ``bmg``."""
        return architecture(self.capability)

    @property
    def title(self) -> str:
        """``GeForce RTX 5080 (sm_120)``; only the architecture if it has no name."""
        return self.name if self.name == self.architecture else f"{self.name} ({self.architecture})"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverFloor(Fact):
    """The oldest driver that runs a CUDA major version, or supports a generation of GPUs."""

    cuda_major: int | None = None
    capability_from: tuple[int, int] | None = None
    """The floor holds for this compute capability and above."""
    cuda: tuple[int, int] | None = None
    """The oldest CUDA version that builds for the generation."""
    linux: str
    windows: str

    def holds_for(self, capability: Capability | None) -> bool:
        """Say whether the floor holds for a GPU of this compute capability."""
        return (
            isinstance(capability, tuple)
            and self.capability_from is not None
            and capability >= self.capability_from
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing(Fact):
    """A compatibility constraint between projects that no metadata declares."""

    when: Requirement
    """Holds for these versions of this project."""
    family: str | None = None
    """Holds for backends of this family only: ``cuda``."""
    cuda_major: int | None = None
    """Holds for backends of this CUDA major version only."""
    os: str | None = None
    """Holds on this one of ``linux``, ``macos``, ``windows`` only."""
    needs: tuple[Requirement, ...] = ()
    """Constraints, not requirements."""
    same_cuda: tuple[NormalizedName, ...] = ()
    """Projects whose builds must have the same CUDA version, compared in `same_cuda_parts` parts."""
    same_cuda_parts: int = 2
    shim: str = ""
    """Shim with which versions in `shim_serves` are exempt."""
    shim_serves: Requirement | None = None
    reason: str

    def holds_for(self, backend: Backend, platform: Platform) -> bool:
        """Say whether the constraint holds for a backend and a platform."""
        return (
            self.family in (None, backend.family)
            and self.os in (None, platform.os)
            and (
                self.cuda_major is None
                or (backend.family == "cuda" and backend.version[0] == self.cuda_major)
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PypiBuild(Fact):
    """Backend of a project's wheels on PyPI."""

    project: NormalizedName
    versions: SpecifierSet
    platforms: tuple[Wheels, ...]
    backend: Backend
    note: str = ""

    def describes(self, project: NormalizedName, version: Version, platform: Platform) -> bool:
        """Say whether the row covers a project's wheel of a version for a platform."""
        return (
            project == self.project
            and self.versions.contains(version.public, prereleases=True)
            and any(wheels.include(platform) for wheels in self.platforms)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PypiWheels(Fact):
    """Platforms and Pythons of torch's wheels on PyPI."""

    torch: SpecifierSet
    platforms: tuple[str, ...]
    """Wheel platform tags."""
    pythons: tuple[str, ...]
    """Interpreter tags: ``cp312``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyProject(Fact):
    """A project of the torch family, and the source a plan takes it from."""

    name: NormalizedName
    origin: str
    """``slice`` or ``pypi``."""
    backends: tuple[str, ...]
    """Kinds of backends it exists for: ``cuda``."""
    has_label: bool
    """Whether its wheels have the backend's local version label."""
    slice_torch: SpecifierSet | None = None
    """Exception to `origin`: taken from the slice for these versions of torch on `slice_machine`."""
    slice_machine: str | None = None
    pypi: tuple[Version, ...] = ()
    """Versions on PyPI, oldest first, of a project that no release of torch names one by one."""
    cpu_serves_all: bool = False
    """Whether its CPU build works beside every build of torch."""
    note: str = ""

    def is_in_slice(self, torch: Version, platform: Platform) -> bool:
        """Say whether a plan for this torch and platform takes the project from the slice."""
        if self.origin == "slice":
            return True
        return (
            self.slice_torch is not None
            and self.slice_machine == platform.machine
            and self.slice_torch.contains(torch.base_version, prereleases=True)
        )
