"""Values of a report on a machine, an environment and its lock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from envsmith.environment.installed_state import InstalledState
from envsmith.environment.model import Environment
from envsmith.host.linux import GpuAccess
from envsmith.host.model import Host
from envsmith.host.system_probes import SystemLibraries, VisualCpp
from envsmith.model.finding import Decision, Finding
from envsmith.report.redaction import Redaction

SHOWN_VARIABLES = (
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
"""Variables shown with their values."""
HIDDEN_VARIABLES = (
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
"""Variables shown as set, without values."""
TORCH_FAMILY = (
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
    """The lock of the environment, or the only lock of the project."""

    profile: str
    target: str = ""
    """The environment's target; empty if it is not locked."""
    backend: str = ""
    plan: str = ""
    catalog: str = ""
    family: Mapping[str, str] = field(default_factory=dict)
    """Project of the torch family → locked version."""
    cutoff_utc: str = ""
    targets: tuple[str, ...] = ()
    drift: tuple[str, ...] = ()
    """Reasons why the lock is stale; empty if it is fresh."""
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
            "state": "stale" if self.drift else "fresh",
            "stale": list(self.drift),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A machine, an environment, its lock, and their findings."""

    envsmith: str
    """Version, and the date of its catalog."""
    host: Host
    gpu_access: GpuAccess
    visual_cpp: VisualCpp | None = None
    libraries: SystemLibraries = field(default_factory=SystemLibraries)
    variables: Mapping[str, str] = field(default_factory=dict)
    environment: Environment | None = None
    installed_state: InstalledState = field(default_factory=InstalledState)
    lock: LockState | None = None
    findings: tuple[Finding, ...] = ()
    checks: int = 0
    skipped: tuple[tuple[str, str], ...] = ()

    def to_json(self, redaction: Redaction) -> dict[str, object]:
        """Return the redacted report as plain values."""
        found = self.environment
        values = {
            "envsmith": self.envsmith,
            "machine": {
                **self.host.to_json(),
                "name": str(self.host),
                "container": self.gpu_access.container,
                "device_files": list(self.gpu_access.device_files),
                "refused": list(self.gpu_access.unusable_files),
                "nvidia_module": self.gpu_access.kernel_module,
                "nvidia_libraries": self.gpu_access.library_version,
                "visual_cpp": self.visual_cpp and _dotted(self.visual_cpp.version),
                "ffmpeg": list(self.libraries.ffmpeg),
                "libgl": self.libraries.has_libgl,
                "toolkits": list(self.libraries.toolkits),
            },
            "variables": self.shown_variables(),
            "python": found and _python(found),
            "torch": found and found.torch and _torch(found),
            "family": self.family(),
            "packages": self.packages(),
            "origins": {name: item.kind for name, item in sorted(self.installed_state.origins.items())},
            "lock": self.lock and self.lock.to_json(),
            "decisions": [item.to_json() for item in self.lock.decisions] if self.lock else [],
            "findings": [item.to_json() for item in self.findings],
            "not_made": [{"check": name, "reason": reason} for name, reason in self.skipped],
        }
        return {key: redaction.value(value) for key, value in values.items()}

    def shown_variables(self) -> dict[str, str]:
        """Return the relevant variables; ``(set)`` for those with private values."""
        upper = {name.upper(): value for name, value in sorted(self.variables.items())}
        shown = {name: upper[name] for name in SHOWN_VARIABLES if name in upper}
        return shown | {name: "(set)" for name in HIDDEN_VARIABLES if upper.get(name)}

    def family(self) -> dict[str, str]:
        """Return the installed torch family: project → version, with its build where that differs."""
        found = {}
        for item in self.environment.distributions if self.environment else ():
            if item.name in TORCH_FAMILY:
                own = self.installed_state.builds.get(item.name, item.version)
                found[item.name] = item.version + (f" (files of {own})" if own != item.version else "")
        return dict(sorted(found.items()))

    def packages(self) -> list[str]:
        """Return the installed packages as ``name==version``, sorted."""
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
