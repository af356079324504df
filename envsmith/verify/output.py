"""``envsmith verify --models``: check what a profile declares, and show it.

What ``envsmith verify --probe`` shows of trials.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envsmith.console import printer
from envsmith.verify.probe_rules import COMPILE, GPU, TORCH, ProbeResult

if TYPE_CHECKING:
    from envsmith.verify.model_findings import CheckedModel


def check_models(name: str, prefix: Path, folder: Path) -> tuple[CheckedModel, ...]:
    """Check the models of a profile in an environment.

    Args:
        name: of the profile.
        prefix: the environment's root.
        folder: of the lock folders.

    Raises:
        ProfileError: when there is no such profile, or it is malformed.
        LockError: when its manifest is malformed.
    """
    from envsmith.config.profiles import ProfileStore
    from envsmith.environment.interpreter import ModelProbe, hash_model
    from envsmith.files import atomic
    from envsmith.lockfile.manifest import FILENAME, Manifest
    from envsmith.lockfile.store import read_manifest
    from envsmith.process.runner import Processes
    from envsmith.verify.model_findings import check

    profile = ProfileStore.of_project(Path()).resolve(name)
    found = read_manifest(atomic.read_files(folder / name), str(folder / name / FILENAME))
    manifest = found or Manifest(profile=name, cutoff_utc="")
    processes = Processes()
    try:
        return check(profile, manifest, prefix, ModelProbe(processes=processes), hash_model)
    finally:
        processes.close()


def has_errors(found: Iterable[CheckedModel]) -> bool:
    """Say whether a model has a finding of severity error."""
    return any(finding.severity == "error" for item in found for finding in item.findings)


def show_models(found: tuple[CheckedModel, ...]) -> None:
    """Print each model: what was done with it and how long that took, then what is wrong."""
    from envsmith.console import printer

    if not found:
        printer.say("the profile declares no models")
    for item in found:
        printer.labelled("model", " · ".join((item.model.path, item.model.format, *_facts(item))))
    if findings := [finding for item in found for finding in item.findings]:
        printer.say("")
        printer.findings(findings)


def _facts(item: CheckedModel) -> Iterable[str]:
    told = item.told
    if told.tensors is not None:
        of = f" of {', '.join(told.dtypes)}" if told.dtypes else ""
        yield f"{told.tensors} tensors{of}"
    times = (("loads in", told.load_s), ("first run", told.first_run_s), ("then", told.run_s))
    for word, seconds in times:
        if seconds is not None:
            yield f"{word} {seconds:.3f} s"
    if told.difference is not None:
        yield f"within {told.difference:.2g} of its reference"


def show_probes(trials: Iterable[ProbeResult]) -> None:
    """Print a line for each: what did the work, how long it took, and how much memory it held."""
    rows = [(item.name, item.version or "-", _cost(item), _text(item)) for item in trials]
    if rows:
        printer.say("")
        printer.table(("probed", "version", "took", "what ran"), rows, indent=0)


def _text(item: ProbeResult) -> str:
    if item.error:
        return f"failed at {item.step}" if item.step else "failed"
    if any(item.facts.get(key) is False for key in ("product", "convolution", "png", "on_gpu")):
        return "wrong result"
    return " · ".join(part for part in _PARTS.get(item.name, _devices)(item.facts) if part)


def _cost(item: ProbeResult) -> str:
    memory = f", {printer.size(item.peak_bytes)}" if item.peak_bytes else ""
    return f"{item.seconds:.1f} s{memory}"


def _torch(facts: Mapping[str, Any]) -> Iterator[str]:
    yield "product and convolution right on the CPU"
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
        yield f"{name or device['device']}: kernel and convolution right{_speed(device)}"


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
    yield "filter and PNG right"
    cuda = "built with CUDA" if facts.get("cuda", "").startswith("YES") else "built without CUDA"
    yield f"{cuda}, {facts.get('cuda_devices', 0)} CUDA devices"
    yield f"FFmpeg {facts.get('ffmpeg', '').partition(' ')[0].lower()}"
    yield f"windows {facts.get('gui', '').lower()}"


def _devices(facts: Mapping[str, Any]) -> Iterator[str]:
    yield f"right on {facts.get('ran')}"
    named = [item["device"] for item in facts.get("devices", ())]
    yield f"sees {', '.join(named)}" if named else ""


_PARTS = {
    TORCH: _torch,
    GPU: _gpu,
    COMPILE: _compiled,
    "onnxruntime": _session,
    "rembg": _session,
    "opencv": _opencv,
}
