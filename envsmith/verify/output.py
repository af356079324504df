"""Output of ``envsmith verify --models`` and ``--probe``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from envsmith.console import printer
from envsmith.verify.probe_rules import COMPILE, GPU, TORCH, ProbeResult

if TYPE_CHECKING:
    from envsmith.verify.model_findings import CheckedModel


def has_errors(found: Iterable[CheckedModel]) -> bool:
    """Return whether a model has an error."""
    return any(finding.severity == "error" for item in found for finding in item.findings)


def show_models(found: tuple[CheckedModel, ...]) -> None:
    """Print each model with its facts and times, then the findings."""
    if not found:
        printer.say("no models declared in the profile")
    for item in found:
        printer.labelled("model", " · ".join((item.model.path, item.model.format, *_facts(item))))
    if findings := [finding for item in found for finding in item.findings]:
        printer.say("")
        printer.findings(findings)


def _facts(item: CheckedModel) -> Iterable[str]:
    result = item.result
    if result.tensors is not None:
        of = f" of {', '.join(result.dtypes)}" if result.dtypes else ""
        yield f"{result.tensors} tensors{of}"
    times = (("loaded in", result.load_s), ("first run", result.first_run_s), ("next run", result.run_s))
    for word, seconds in times:
        if seconds is not None:
            yield f"{word} {seconds:.3f} s"
    if result.difference is not None:
        yield f"within {result.difference:.2g} of its reference"


def show_probes(results: Iterable[ProbeResult]) -> None:
    """Print one line per probe: device, time and memory."""
    rows = [(item.name, item.version or "-", _time_and_memory(item), _summary(item)) for item in results]
    if rows:
        printer.say("")
        printer.table(("probe", "version", "time", "result"), rows, indent=0)


def _summary(item: ProbeResult) -> str:
    if item.error:
        return f"failed at {item.step}" if item.step else "failed"
    if any(item.facts.get(key) is False for key in ("product", "convolution", "png", "on_gpu")):
        return "wrong result"
    return " · ".join(part for part in _PARTS.get(item.name, _devices)(item.facts) if part)


def _time_and_memory(item: ProbeResult) -> str:
    memory = f", {printer.size(item.peak_bytes)}" if item.peak_bytes else ""
    return f"{item.seconds:.1f} s{memory}"


def _torch(facts: Mapping[str, Any]) -> Iterator[str]:
    yield "product and convolution correct on the CPU"
    yield " ".join(word for word in (facts.get("blas", ""), facts.get("cpu_capability", "")) if word)
    yield "oneDNN" if facts.get("onednn") else "no oneDNN"
    yield f"{facts.get('threads')} threads of {facts.get('cpus')} processors"
    yield f"import {facts.get('import_s', 0):.1f} s"


def _gpu(facts: Mapping[str, Any]) -> Iterator[str]:
    if not facts.get("kind"):
        yield f"none: {facts.get('why', '')}"
    for device in facts.get("devices", ()):
        name = " ".join(device[key] for key in ("name", "architecture") if device.get(key))
        if device.get("error"):
            yield f"{name or device['device']} failed"
            continue
        yield f"{name or device['device']}: kernel and convolution correct{_speed(device)}"


def _speed(device: Mapping[str, Any]) -> str:
    seconds = device.get("pinned_s", 0)
    return f", {device['pinned_bytes'] / seconds / 1e9:.1f} GB/s from pinned memory" if seconds else ""


def _compiled(facts: Mapping[str, Any]) -> Iterator[str]:
    yield f"compiled for {facts.get('device')} in {facts.get('compile_s', 0):.1f} s, same result"


def _session(facts: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"{facts.get('ran') or 'an unnamed provider'} ran the model"
        if "product" in facts
        else (f"session with {facts.get('ran')}")
    )
    yield f"offers {', '.join(name.removesuffix('ExecutionProvider') for name in facts.get('offered', ()))}"


def _opencv(facts: Mapping[str, Any]) -> Iterator[str]:
    yield "filter and PNG correct"
    cuda = "built with CUDA" if facts.get("cuda", "").startswith("YES") else "built without CUDA"
    yield f"{cuda}, {facts.get('cuda_devices', 0)} CUDA devices"
    yield f"FFmpeg {facts.get('ffmpeg', '').partition(' ')[0].lower()}"
    yield f"windows {facts.get('gui', '').lower()}"


def _devices(facts: Mapping[str, Any]) -> Iterator[str]:
    yield f"correct on {facts.get('ran')}"
    named = [item["device"] for item in facts.get("devices", ())]
    yield f"detects {', '.join(named)}" if named else ""


_PARTS = {
    TORCH: _torch,
    GPU: _gpu,
    COMPILE: _compiled,
    "onnxruntime": _session,
    "rembg": _session,
    "opencv": _opencv,
}
