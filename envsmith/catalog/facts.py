"""Facts: what one row of each table says, as parsed values."""

from __future__ import annotations

from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName
from packaging.version import Version

from envsmith.model.backend import Backend, Capability, architecture, runs
from envsmith.model.target import Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What every row says of itself."""

    source: str
    """Where it was read, in words."""
    retrieved: str
    """When it was read, ``2026-11-20``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendFacts(Fact):
    """The lifecycle of a backend."""

    backend: Backend
    first_torch: Version | None = None
    """None where no stable build is known."""
    last_torch: Version | None = None
    """None while stable builds go on."""
    stable_end: str | None = None
    """Day the first stable torch without it came out."""
    nightly_end: str | None = None
    """Day its nightly builds ended; None while they go on."""
    successor: Backend | None = None
    is_advertised: bool = True
    """False for what is published but left out of PyTorch's own instructions."""
    note: str = ""

    @property
    def is_retired(self) -> bool:
        """True where no further stable torch is built for it."""
        return self.last_torch is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchRelease(Fact):
    """A stable torch and what was released for it."""

    torch: Version
    date: str
    torchvision: tuple[Version, ...]
    torchaudio: Version | None = None
    torchcodec: SpecifierSet | None = None
    """The versions that go with it; None where none does."""
    triton: SpecifierSet | None = None
    """What the CUDA build of Linux x86_64 requires; None where it requires none."""
    requires_python: SpecifierSet

    def versions(self, project: str) -> tuple[Version, ...]:
        """Return the versions of torch, torchvision or torchaudio it consists of, newest first."""
        audio = (self.torchaudio,) if self.torchaudio else ()
        found = {"torch": (self.torch,), "torchvision": self.torchvision, "torchaudio": audio}
        return tuple(sorted(found.get(project, ()), reverse=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernels(Fact):
    """The compute capabilities a torch wheel was compiled for; none at all for a CPU build."""

    capabilities: tuple[Capability, ...]
    is_complete: bool = True
    """False where only GPUs it was validated on are named: it may run on others."""

    def supports(self, capability: Capability) -> bool:
        """Say whether a GPU can run these kernels."""
        return any(runs(built, capability) for built in self.capabilities)

    def __str__(self) -> str:
        return " ".join(architecture(capability) for capability in self.capabilities)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheels:
    """Which wheels of a project are meant: those of an operating system, or of one machine of it."""

    os: str
    machine: str | None = None
    """As wheel tags spell it; None: any."""

    def include(self, platform: Platform) -> bool:
        """Say whether the wheels for a platform are meant."""
        return self.os == platform.os and self.machine in (None, platform.machine)


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelRow(Fact):
    """One row of the kernels table: the same kernels for several backends and platforms."""

    backends: tuple[Backend, ...]
    platforms: tuple[Wheels, ...]
    torch: SpecifierSet
    capabilities: tuple[Capability, ...]
    is_complete: bool = True
    """False where only GPUs it was validated on are named."""
    note: str = ""

    def describes(self, torch: Version, backend: Backend, platform: Platform) -> bool:
        """Say whether the row is about this wheel of torch.

        A nightly is judged by the release it leads to.
        """
        return (
            backend in self.backends
            and any(wheels.include(platform) for wheels in self.platforms)
            and self.torch.contains(torch.base_version, prereleases=True)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu(Fact):
    """A GPU as people name it."""

    name: str
    capability: Capability
    pci: tuple[str, ...] = ()
    """PCI ids (``8086:56a0``) by which it is known where no driver names it; sorted."""

    @property
    def architecture(self) -> str:
        """``sm_120``, ``gfx1100``, ``bmg``."""
        return architecture(self.capability)

    @property
    def title(self) -> str:
        """``GeForce RTX 5080 (sm_120)``; the architecture alone where no name was given."""
        return self.name if self.name == self.architecture else f"{self.name} ({self.architecture})"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverFloor(Fact):
    """The oldest driver that runs a CUDA major version, or that knows a generation of GPUs."""

    cuda_major: int | None = None
    capability_from: tuple[int, int] | None = None
    """The floor holds for this compute capability and above."""
    cuda: tuple[int, int] | None = None
    """Of a generation, the oldest CUDA version that builds for it."""
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
    """A bond between projects that no metadata declares."""

    when: Requirement
    """Holds for these versions of this project."""
    family: str | None = None
    """Holds for backends of this family only: ``cuda``."""
    cuda_major: int | None = None
    """Holds for backends of this CUDA major version only."""
    os: str | None = None
    """Holds on this one of ``linux``, ``macos``, ``windows`` only."""
    needs: tuple[Requirement, ...] = ()
    """Constraints: they limit what is there, they ask for nothing."""
    same_cuda: tuple[NormalizedName, ...] = ()
    """Projects whose builds must have the same CUDA version, in so many parts as `same_cuda_parts` says."""
    same_cuda_parts: int = 2
    shim: str = ""
    """The shim with which `shim_serves` needs no bond."""
    shim_serves: Requirement | None = None
    reason: str

    def holds_for(self, backend: Backend, platform: Platform) -> bool:
        """Say whether the bond holds for a backend and a platform."""
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
    """Which backend the wheels of a project on PyPI are built for."""

    project: NormalizedName
    versions: SpecifierSet
    platforms: tuple[Wheels, ...]
    backend: Backend
    note: str = ""

    def describes(self, project: NormalizedName, version: Version, platform: Platform) -> bool:
        """Say whether the row is about this project's wheel of this version for this platform."""
        return (
            project == self.project
            and self.versions.contains(version.public, prereleases=True)
            and any(wheels.include(platform) for wheels in self.platforms)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PypiWheels(Fact):
    """For which platforms and Pythons PyPI has a wheel of torch."""

    torch: SpecifierSet
    platforms: tuple[str, ...]
    """Wheel platform tags."""
    pythons: tuple[str, ...]
    """Interpreter tags: ``cp312``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyProject(Fact):
    """A project of the torch family, and where a plan takes it from."""

    name: NormalizedName
    origin: str
    """``slice`` or ``pypi``."""
    backends: tuple[str, ...]
    """Families of backends it exists for."""
    has_label: bool
    """True where its wheels carry the backend's local version label."""
    slice_torch: SpecifierSet | None = None
    """Taken from the slice all the same for these versions of torch on `slice_machine`."""
    slice_machine: str | None = None
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
