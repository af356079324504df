"""Summary: what those who help need to know of a machine and an environment, nothing private in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from envsmith.environment.installed_state import InstalledState
from envsmith.environment.model import Environment
from envsmith.host.model import Host
from envsmith.host.system import GpuAccess, SystemLibraries, VisualCpp
from envsmith.model.finding import Decision, Finding
from envsmith.report.redaction import Redaction

TOLD = (
    "CUDA_HOME",
    "CUDA_PATH",
    "CUDA_VISIBLE_DEVICES",
    "CONDA_PREFIX",
    "ENVSMITH_OVERRIDE_COMPUTE_CAPABILITY",
    "ENVSMITH_OVERRIDE_CUDA_DRIVER",
    "HIP_VISIBLE_DEVICES",
    "HSA_OVERRIDE_GFX_VERSION",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "NVIDIA_DRIVER_CAPABILITIES",
    "NVIDIA_VISIBLE_DEVICES",
    "OMP_NUM_THREADS",
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTORCH_CUDA_ALLOC_CONF",
    "ROCR_VISIBLE_DEVICES",
    "TORCH_CUDA_ARCH_LIST",
    "VIRTUAL_ENV",
)
"""Variables whose values are told."""
NAMED = (
    "ALL_PROXY",
    "ENVSMITH_PYTORCH_INDEX",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_INDEX_URL",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "UV_DEFAULT_INDEX",
    "UV_EXTRA_INDEX_URL",
    "UV_INDEX",
    "UV_INDEX_URL",
)
"""Variables of which no more is told than that they are set."""
FAMILY = (
    "torch",
    "torchvision",
    "torchaudio",
    "torchcodec",
    "triton",
    "pytorch-triton",
    "pytorch-triton-rocm",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockState:
    """The lock of the environment, or the only one of the project."""

    profile: str
    target: str = ""
    """Empty where none of its targets is the environment's."""
    backend: str = ""
    plan: str = ""
    catalog: str = ""
    family: Mapping[str, str] = field(default_factory=dict)
    """Project of the torch family → the version locked for this target."""
    cutoff_utc: str = ""
    targets: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    """Why it is not what is asked for today; empty where it is."""
    decisions: tuple[Decision, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return it as plain values."""
        return {
            "profile": self.profile,
            "target": self.target,
            "backend": self.backend,
            "plan": self.plan,
            "catalog": self.catalog,
            "family": dict(self.family),
            "cutoff_utc": self.cutoff_utc,
            "targets": list(self.targets),
            "state": "stale" if self.stale else "fresh",
            "stale": list(self.stale),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A machine, an environment, its lock, and what is wrong with them."""

    envsmith: str
    """Version, and what its catalog is of."""
    host: Host
    given: GpuAccess
    visual_cpp: VisualCpp | None = None
    toolbox: SystemLibraries = field(default_factory=SystemLibraries)
    variables: Mapping[str, str] = field(default_factory=dict)
    environment: Environment | None = None
    condition: InstalledState = field(default_factory=InstalledState)
    lock: LockState | None = None
    findings: tuple[Finding, ...] = ()
    checks: int = 0
    unmade: tuple[tuple[str, str], ...] = ()

    def to_json(self, redaction: Redaction) -> dict[str, object]:
        """Return it as plain values, without what is private."""
        found = self.environment
        values = {
            "envsmith": self.envsmith,
            "machine": {
                **self.host.to_json(),
                "name": str(self.host),
                "container": self.given.container,
                "device_files": list(self.given.device_files),
                "refused": list(self.given.unusable_files),
                "nvidia_module": self.given.kernel_module,
                "nvidia_libraries": self.given.library_version,
                "visual_cpp": self.visual_cpp and _dotted(self.visual_cpp.version),
                "ffmpeg": list(self.toolbox.ffmpeg),
                "libgl": self.toolbox.has_libgl,
                "toolkits": list(self.toolbox.toolkits),
            },
            "variables": self.told(),
            "python": found and _python(found),
            "torch": found and found.torch and _torch(found),
            "family": self.family(),
            "packages": self.packages(),
            "origins": {name: item.kind for name, item in sorted(self.condition.origins.items())},
            "lock": self.lock and self.lock.to_json(),
            "decisions": [item.to_json() for item in self.lock.decisions] if self.lock else [],
            "findings": [item.to_json() for item in self.findings],
            "not_made": [{"check": name, "reason": reason} for name, reason in self.unmade],
        }
        return {key: redaction.value(value) for key, value in values.items()}

    def told(self) -> dict[str, str]:
        """Return the variables that matter, of some no more than that they are set."""
        upper = {name.upper(): value for name, value in sorted(self.variables.items())}
        told = {name: upper[name] for name in TOLD if name in upper}
        return told | {name: "(set)" for name in NAMED if upper.get(name)}

    def family(self) -> dict[str, str]:
        """Return the installed torch family: project → version, with what its own files say where that differs."""
        found = {}
        for item in self.environment.distributions if self.environment else ():
            if item.name in FAMILY:
                own = self.condition.builds.get(item.name, item.version)
                found[item.name] = item.version + (f" (its files say {own})" if own != item.version else "")
        return dict(sorted(found.items()))

    def packages(self) -> list[str]:
        """Return what is installed, ``name==version``; sorted."""
        items = self.environment.distributions if self.environment else ()
        return [f"{item.name}=={item.version}" for item in items]


def _python(found: Environment) -> dict[str, object]:
    made = found.interpreter
    return {
        "version": made.version,
        "implementation": made.implementation,
        "free_threaded": made.is_free_threaded,
        "bits": made.bits,
        "prefix": found.prefix,
        "base": made.base,
    }


def _torch(found: Environment) -> dict[str, str]:
    torch = found.torch
    return (
        {}
        if torch is None
        else {"version": torch.version, "cuda": torch.cuda, "hip": torch.hip, "xpu": torch.xpu}
    )


def _dotted(version: tuple[int, ...] | None) -> str:
    return ".".join(map(str, version or ()))
