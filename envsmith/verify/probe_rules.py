"""Probes of libraries: selection, results and findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from envsmith.catalog import Catalog
from envsmith.environment.model import Environment
from envsmith.model.backend import Backend, read_capability, runs_on
from envsmith.model.finding import Finding, Severity

ALL = "all"
GPU, TORCH, COMPILE = "gpu", "torch", "compile"
NAMES = (TORCH, GPU, COMPILE, "onnxruntime", "rembg", "opencv", "mediapipe", "jax", "tensorflow")
# Libraries provided by several projects.
_GROUPS = {"opencv", "onnxruntime", "tensorflow"}
_ON_CPU = "CPUExecutionProvider"
# Providers of ONNX Runtime by backend family, the best first.
_PROVIDERS = {
    "cuda": ("CUDAExecutionProvider",),
    "rocm": ("MIGraphXExecutionProvider", "ROCMExecutionProvider"),
    "xpu": ("OpenVINOExecutionProvider",),
}
# Capabilities of torch's CPU kernels without AVX2.
_SLOW_KERNELS = ("DEFAULT", "NO AVX")
_COMPUTED = {
    "product": "result",
    "convolution": "convolution",
    "png": "image written and read",
    "on_gpu": "result on the GPU",
    "pinned": "copy from pinned memory",
}
_TITLES = {GPU: (TORCH, "on a GPU"), COMPILE: ("torch.compile of", "")}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """The result of one probe, run in its own process."""

    name: str
    """One of NAMES."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Facts reported by the probe script; incomplete after a crash."""
    seconds: float = 0.0
    peak_bytes: int = 0
    """Peak memory of its process; 0 if unknown."""
    step: str = ""
    """The last step."""
    error: str = ""
    """Empty after success."""
    place: str = ""
    """File and line of the exception."""
    said: str = ""
    """The end of its other output."""

    @property
    def version(self) -> str:
        """The library's own version."""
        return str(self.facts.get("version", ""))

    def to_json(self) -> dict[str, Any]:
        """Return the result as plain values; its output only after a failure."""
        return {
            "name": self.name,
            "facts": dict(self.facts),
            "seconds": round(self.seconds, 3),
            "peak_bytes": self.peak_bytes,
            "step": self.step,
            "error": self.error,
            "place": self.place,
            **({"said": self.said} if self.error else {}),
        }


def select_probes(
    words: Sequence[str], environment: Environment, backend: Backend, catalog: Catalog
) -> tuple[str, ...]:
    """Return the names of the probes to run; ``all`` means those of installed libraries except slow ones.

    Args:
        words: the requested names, possibly ``all``.
        environment: the environment.
        backend: excludes the GPU probe if it is for the CPU.
        catalog: lists the projects that provide a library.
    """
    if ALL not in words:
        return tuple(dict.fromkeys(words))
    installed = [name for name in NAMES if is_installed(name, environment, catalog) and name != COMPILE]
    if backend.family == "cpu":
        installed = [name for name in installed if name != GPU]
    return tuple(dict.fromkeys((*installed, *(word for word in words if word != ALL))))


def is_installed(name: str, environment: Environment, catalog: Catalog) -> bool:
    """Return whether a project that provides the probed library is installed."""
    project = TORCH if name in (GPU, COMPILE) else name
    members = {project}
    if name in _GROUPS:
        members |= {
            str(one) for family in catalog.families() if family.name == name for one in family.members
        }
        members |= {
            str(one) for family in catalog.families() if family.folder == name for one in family.members
        }
    return any(item.name in members for item in environment.distributions)


def probe_arguments(name: str, backend: Backend) -> tuple[str, ...]:
    """Return the arguments of a probe: the preferred providers."""
    return (*_PROVIDERS.get(backend.family, ()), _ON_CPU) if name in ("onnxruntime", "rembg") else ()


def not_installed(name: str) -> Finding:
    """Return the finding of a requested probe whose library is not installed."""
    return _finding("ENV090", name, f"cannot probe {name}: no installed package provides it")


def judge(result: ProbeResult, backend: Backend, *, is_gpu_required: bool) -> Iterator[Finding]:
    """Yield the findings of a probe.

    Args:
        result: the probe's result.
        backend: the backend of the lock.
        is_gpu_required: whether computing without a GPU is an error, since a GPU was requested or exists, or a warning.
    """
    severity: Severity = "error" if is_gpu_required else "warning"
    if result.error:
        step = f" at {result.step}" if result.step else ""
        place = f" ({result.place})" if result.place else ""
        yield _finding("ENV091", result.name, f"{_title(result)} failed{step}: {result.error}{place}")
    yield from _wrong_results(result.facts, result.name, _title(result))
    if result.name in (TORCH, GPU):
        yield from _wrong_toolkit(result, backend)
    if result.name == TORCH:
        yield from _slow_cpu(result.facts)
    elif not result.error:
        yield from _wrong_device(result, backend, severity)


def _wrong_device(result: ProbeResult, backend: Backend, severity: Severity) -> Iterator[Finding]:
    """Find computations on the wrong device."""
    if result.name == GPU:
        yield from _gpu_findings(result, severity)
    elif result.name in ("onnxruntime", "rembg"):
        yield from _provider_findings(result, backend, severity)
    elif backend.family != "cpu":
        yield from _other_libraries(result, severity)


def _wrong_results(facts: Mapping[str, Any], subject: str, title: str) -> Iterator[Finding]:
    for key, value_name in _COMPUTED.items():
        if facts.get(key) is False:
            yield _finding("ENV092", subject, f"{title} computed a wrong {value_name}")


def _title(result: ProbeResult) -> str:
    name, place = _TITLES.get(result.name, (result.name, ""))
    return " ".join(word for word in (name, result.version, place) if word)


def _wrong_toolkit(result: ProbeResult, backend: Backend) -> Iterator[Finding]:
    """Compare torch's own toolkit version with the lock."""
    if "cuda" not in result.facts:
        return
    toolkits = {"cuda": result.facts["cuda"], "rocm": result.facts["hip"], "xpu": result.facts["xpu"]}
    others = [f"{family} {value}" for family, value in toolkits.items() if value and family != backend.family]
    own = toolkits.get(backend.family, "")
    is_own = backend.family in ("cpu", "xpu") or f"{own}.".startswith(f"{backend.toolkit_version}.")
    if others or not is_own:
        runs_with = " and ".join(others) or (f"{backend.family} {own}" if own else "only the CPU")
        yield _finding(
            "ENV093", result.name, f"{_title(result)} uses {runs_with}, but the lock is for {backend.title}"
        )


def _slow_cpu(facts: Mapping[str, Any]) -> Iterator[Finding]:
    threads, cpus = facts.get("threads", 0), facts.get("cpus", 0)
    if 0 < threads < cpus // 2:  # more than half: one per core with two threads each
        hint = "check OMP_NUM_THREADS, MKL_NUM_THREADS and torch.set_num_threads"
        yield _finding(
            "ENV096",
            TORCH,
            f"torch uses {threads} of {cpus} processors",
            hint=hint,
            severity="warning",
        )
    if facts.get("machine") == "x86" and facts.get("cpu_capability") in _SLOW_KERNELS:
        text = "this processor has no AVX2: torch's kernels are several times slower"
        yield _finding("ENV096", TORCH, text, severity="note")
    if facts.get("machine") == "x86" and facts.get("onednn") is False:
        yield _finding("ENV096", TORCH, "this torch has no oneDNN: convolutions are slow", severity="note")


def _gpu_findings(result: ProbeResult, severity: Severity) -> Iterator[Finding]:
    if not result.facts.get("kind"):
        text = f"{_title(replace(result, name=TORCH))} cannot use a GPU: {result.facts.get('why', '')}"
        yield _finding("ENV095", GPU, text, hint="envsmith doctor devices driver build", severity=severity)
    for device in result.facts.get("devices", ()):
        name = device.get("name", device["device"])
        if not _has_kernels(result.facts.get("kernels", ()), device.get("architecture", "")):
            text = f"torch {result.version} has no kernels for {name} ({device['architecture']}): "
            built = f"built for {' '.join(result.facts['kernels'])}"
            yield _finding("ENV094", GPU, text + built, hint="envsmith select --explain")
        if error := device.get("error"):
            yield _finding("ENV091", GPU, f"{_title(result)} failed on {name}: {error.splitlines()[0]}")
        yield from _wrong_results(device, GPU, name)


def _has_kernels(kernels: Iterable[str], wanted: str) -> bool:
    """Return whether a build has kernels for a GPU; True if either is unknown.

    ``compute_90`` is code that the driver translates for this and later GPUs.
    """
    found, capability = list(kernels), read_capability(wanted)
    if not found or capability is None:
        return True
    machine = (read_capability(item) for item in found if not item.startswith("compute_"))
    later = (
        read_capability(item.replace("compute_", "sm_")) for item in found if item.startswith("compute_")
    )
    return any(item and runs_on(item, capability) for item in machine) or any(
        isinstance(item, tuple) and isinstance(capability, tuple) and item <= capability for item in later
    )


def _provider_findings(result: ProbeResult, backend: Backend, severity: Severity) -> Iterator[Finding]:
    wanted = _PROVIDERS.get(backend.family, ())
    ran = result.facts.get("ran", "")
    offered = [name for name in result.facts.get("offered", ()) if name in wanted]
    if wanted and not offered:
        text = f"{_title(result)} has no {wanted[0]}: it is a CPU build and ran on the CPU"
        yield _finding("ENV095", result.name, text, hint="envsmith doctor onnxruntime", severity=severity)
    elif offered and ran == _ON_CPU:
        text = f"{_title(result)} offers {offered[0]}, but {ran} ran the model: {_reason(result.said)}"
        yield _finding("ENV095", result.name, text, severity=severity)
    elif result.facts.get("preloaded"):
        text = f"{_title(result)} finds CUDA's libraries only after `import torch` or `onnxruntime.preload_dlls()`"
        yield _finding("ENV095", result.name, text, severity="note")


def _reason(output: str) -> str:
    """Return the last error line of ONNX Runtime's output."""
    lines = [line for line in output.splitlines() if "rror" in line or "ailed" in line]
    return lines[-1].strip()[:400] if lines else "no reason given"


def _other_libraries(result: ProbeResult, severity: Severity) -> Iterator[Finding]:
    """Find other libraries that do not use the GPU."""
    if result.name in ("jax", "tensorflow") and result.facts.get("ran") == "cpu":
        yield _finding(
            "ENV095",
            result.name,
            f"{_title(result)} computes on the CPU: it detects no GPU",
            severity=severity,
        )
    if result.name == "opencv" and not result.facts.get("cuda", "").startswith("YES"):
        text = f"{_title(result)} is built without CUDA, as all builds on PyPI are: its cuda module finds no device"
        yield _finding("ENV095", result.name, text, severity="note")


def _finding(
    code: str, subject: str, message: str, *, hint: str = "", severity: Severity = "error"
) -> Finding:
    return Finding(code=code, severity=severity, subject=subject, message=message, hint=hint)
