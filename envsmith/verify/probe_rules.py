"""Trial: how a library did what it is for, tried in its own environment.

What is tried in an environment, and what to think of how it went.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from envsmith.catalog import Catalog
from envsmith.environment.model import Environment
from envsmith.model.backend import Backend, read_capability, runs_on
from envsmith.model.finding import Finding, Severity

ALL = "all"
GPU, TORCH, COMPILE = "gpu", "torch", "compile"
NAMES = (TORCH, GPU, COMPILE, "onnxruntime", "rembg", "opencv", "mediapipe", "jax", "tensorflow")
_FAMILIES = {"opencv", "onnxruntime", "tensorflow"}
_ON_CPU = "CPUExecutionProvider"
# Providers of ONNX Runtime by what torch is built for, the one that serves best first.
_PROVIDERS = {
    "cuda": ("CUDAExecutionProvider",),
    "rocm": ("MIGraphXExecutionProvider", "ROCMExecutionProvider"),
    "xpu": ("OpenVINOExecutionProvider",),
}
_SLOW = ("DEFAULT", "NO AVX")
_WHAT = {
    "product": "result",
    "convolution": "convolution",
    "png": "image that was written and read",
    "on_gpu": "result of the GPU",
    "pinned": "copy from pinned memory",
}
_TITLES = {GPU: (TORCH, "on a GPU"), COMPILE: ("torch.compile of", "")}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """How the trial of one library went, in a process of its own."""

    name: str
    """One of NAMES."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What was found out, as the files of `runtime` that try name it; what was not reached is absent."""
    seconds: float = 0.0
    peak_bytes: int = 0
    """The most memory its process held; 0 where the system does not say."""
    step: str = ""
    """What it was doing last."""
    error: str = ""
    """Empty where it ended as it should."""
    place: str = ""
    """File and line that raised."""
    said: str = ""
    """The end of what was printed besides."""

    @property
    def version(self) -> str:
        """Return the version the library says of itself."""
        return str(self.facts.get("version", ""))

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values; what was printed only where it failed."""
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


def chosen(
    words: Sequence[str], environment: Environment, backend: Backend, catalog: Catalog
) -> tuple[str, ...]:
    """Return the names of what is to be tried: for ``all`` what is installed, but for what takes long.

    Args:
        words: what is asked for, ``all`` among them or not.
        environment: what is installed.
        backend: a GPU is looked for where it has any to do with one.
        catalog: knows which projects bring a library.
    """
    if ALL not in words:
        return tuple(dict.fromkeys(words))
    there = [name for name in NAMES if is_there(name, environment, catalog) and name != COMPILE]
    if backend.family == "cpu":
        there = [name for name in there if name != GPU]
    return tuple(dict.fromkeys((*there, *(word for word in words if word != ALL))))


def is_there(name: str, environment: Environment, catalog: Catalog) -> bool:
    """Say whether a project is installed that brings what a trial tries."""
    project = TORCH if name in (GPU, COMPILE) else name
    members = {project}
    if name in _FAMILIES:
        members |= {
            str(one) for family in catalog.families() if family.name == name for one in family.members
        }
        members |= {
            str(one) for family in catalog.families() if family.folder == name for one in family.members
        }
    return any(item.name in members for item in environment.distributions)


def told(name: str, backend: Backend) -> tuple[str, ...]:
    """Return what a trial is told: the providers wanted."""
    return (*_PROVIDERS.get(backend.family, ()), _ON_CPU) if name in ("onnxruntime", "rembg") else ()


def absent(name: str) -> Finding:
    """Say that something asked for by name is not installed."""
    return _finding("ENV090", name, f"{name} is to be tried, and nothing installed brings it")


def judge(trial: ProbeResult, backend: Backend, *, is_gpu_wanted: bool) -> Iterator[Finding]:
    """Find what is wrong with how a trial went.

    Args:
        trial: how it went.
        backend: what the lock is for.
        is_gpu_wanted: whether it is an error, and no warning, that no GPU computes: it was asked for, or there is one.
    """
    severity: Severity = "error" if is_gpu_wanted else "warning"
    if trial.error:
        doing = f" at {trial.step}" if trial.step else ""
        place = f" ({trial.place})" if trial.place else ""
        yield _finding("ENV091", trial.name, f"{_title(trial)} fails{doing}: {trial.error}{place}")
    yield from _wrong(trial.facts, trial.name, _title(trial))
    if trial.name in (TORCH, GPU):
        yield from _build(trial, backend)
    if trial.name == TORCH:
        yield from _slow(trial.facts)
    elif not trial.error:
        yield from _place(trial, backend, severity)


def _place(trial: ProbeResult, backend: Backend, severity: Severity) -> Iterator[Finding]:
    """Find what did not compute where it was to."""
    if trial.name == GPU:
        yield from _gpu(trial, severity)
    elif trial.name in ("onnxruntime", "rembg"):
        yield from _providers(trial, backend, severity)
    elif backend.family != "cpu":
        yield from _elsewhere(trial, severity)


def _wrong(facts: Mapping[str, Any], subject: str, title: str) -> Iterator[Finding]:
    for key, what in _WHAT.items():
        if facts.get(key) is False:
            yield _finding("ENV092", subject, f"{title} computes wrong: the {what} is not what it must be")


def _title(trial: ProbeResult) -> str:
    name, place = _TITLES.get(trial.name, (trial.name, ""))
    return " ".join(word for word in (name, trial.version, place) if word)


def _build(trial: ProbeResult, backend: Backend) -> Iterator[Finding]:
    """Compare what torch says when it runs with the plan."""
    if "cuda" not in trial.facts:
        return
    said = {"cuda": trial.facts["cuda"], "rocm": trial.facts["hip"], "xpu": trial.facts["xpu"]}
    others = [f"{family} {value}" for family, value in said.items() if value and family != backend.family]
    own = said.get(backend.family, "")
    is_own = backend.family in ("cpu", "xpu") or f"{own}.".startswith(f"{backend.toolkit_version}.")
    if others or not is_own:
        runs_with = " and ".join(others) or (f"{backend.family} {own}" if own else "the CPU alone")
        yield _finding(
            "ENV093", trial.name, f"{_title(trial)} computes with {runs_with}; the lock says {backend.title}"
        )


def _slow(facts: Mapping[str, Any]) -> Iterator[Finding]:
    threads, cpus = facts.get("threads", 0), facts.get("cpus", 0)
    if 0 < threads < cpus // 2:  # as many as there are cores, where each has two
        hint = "look for OMP_NUM_THREADS and MKL_NUM_THREADS, and for torch.set_num_threads"
        yield _finding(
            "ENV096",
            TORCH,
            f"torch computes with {threads} of {cpus} processors",
            hint=hint,
            severity="warning",
        )
    if facts.get("machine") == "x86" and facts.get("cpu_capability") in _SLOW:
        text = (
            "torch's own kernels find no AVX2 on this processor: they are several times slower than elsewhere"
        )
        yield _finding("ENV096", TORCH, text, severity="note")
    if facts.get("machine") == "x86" and facts.get("onednn") is False:
        yield _finding("ENV096", TORCH, "this torch has no oneDNN: convolutions are slow", severity="note")


def _gpu(trial: ProbeResult, severity: Severity) -> Iterator[Finding]:
    if not trial.facts.get("kind"):
        text = f"{_title(trial)} computes on none: {trial.facts.get('why', '')}"
        yield _finding("ENV095", GPU, text, hint="envsmith doctor devices driver build", severity=severity)
    for device in trial.facts.get("devices", ()):
        name = device.get("name", device["device"])
        if not _has_kernels(trial.facts.get("kernels", ()), device.get("architecture", "")):
            text = f"torch {trial.version} has no kernels for {name} ({device['architecture']}): "
            built = f"built for {' '.join(trial.facts['kernels'])}"
            yield _finding("ENV094", GPU, text + built, hint="envsmith select --explain")
        if error := device.get("error"):
            yield _finding("ENV091", GPU, f"{_title(trial)} fails on {name}: {error.splitlines()[0]}")
        yield from _wrong(device, GPU, name)


def _has_kernels(kernels: Iterable[str], wanted: str) -> bool:
    """Say whether one of the kernels of a build runs on a GPU; yes where nothing is known of either.

    ``compute_90`` is code that the driver translates for any GPU from there on.
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


def _providers(trial: ProbeResult, backend: Backend, severity: Severity) -> Iterator[Finding]:
    wanted = _PROVIDERS.get(backend.family, ())
    ran = trial.facts.get("ran", "")
    offered = [name for name in trial.facts.get("offered", ()) if name in wanted]
    if wanted and not offered:
        text = f"{_title(trial)} has no {wanted[0]}: it is a build for the CPU, and ran there"
        yield _finding("ENV095", trial.name, text, hint="envsmith doctor onnxruntime", severity=severity)
    elif offered and ran == _ON_CPU:
        text = f"{_title(trial)} offers {offered[0]}, and {ran} ran the model: {_reason(trial.said)}"
        yield _finding("ENV095", trial.name, text, severity=severity)
    elif trial.facts.get("preloaded"):
        text = f"{_title(trial)} finds CUDA's libraries only after `import torch` or `onnxruntime.preload_dlls()`"
        yield _finding("ENV095", trial.name, text, severity="note")


def _reason(said: str) -> str:
    """Return the line in which ONNX Runtime says why."""
    lines = [line for line in said.splitlines() if "rror" in line or "ailed" in line]
    return lines[-1].strip()[:400] if lines else "it does not say why"


def _elsewhere(trial: ProbeResult, severity: Severity) -> Iterator[Finding]:
    """Find libraries beside torch that leave the GPU alone."""
    if trial.name in ("jax", "tensorflow") and trial.facts.get("ran") == "cpu":
        yield _finding(
            "ENV095", trial.name, f"{_title(trial)} computes on the CPU: it sees no GPU", severity=severity
        )
    if trial.name == "opencv" and not trial.facts.get("cuda", "").startswith("YES"):
        text = f"{_title(trial)} is built without CUDA, as all builds on PyPI are: its cuda module finds no device"
        yield _finding("ENV095", trial.name, text, severity="note")


def _finding(
    code: str, subject: str, message: str, *, hint: str = "", severity: Severity = "error"
) -> Finding:
    return Finding(code=code, severity=severity, subject=subject, message=message, hint=hint)
