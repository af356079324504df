"""Probe of torch on every GPU: compare results with plain Python's. Run by ``run_probe.py``."""

from __future__ import annotations

import runpy
import time
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_PINNED_BYTES = 64 << 20


def probe(name: str, words: list[str], facts: dict[str, Any], step: Callable[[str], None]) -> None:
    """Find the GPUs; on each, run a kernel, a convolution and a copy from pinned memory."""
    del name, words
    step("importing torch")
    import torch

    facts["version"] = str(torch.__version__)
    for family in ("cuda", "hip", "xpu"):
        facts[family] = str(getattr(torch.version, family, None) or "")
    step("looking for GPUs")
    kind = _kind(torch, facts)
    facts["kind"] = kind
    facts["devices"] = devices = []
    if kind == "":
        return
    module = getattr(torch, kind)
    facts["kernels"] = list(module.get_arch_list()) if hasattr(module, "get_arch_list") else []
    if kind == "cuda" and torch.backends.cudnn.is_available():
        facts["cudnn"] = str(torch.backends.cudnn.version())
    cpu_probe = runpy.run_path(str(Path(__file__).with_name("probe_torch.py")))
    count = module.device_count()
    for number in range(count):
        device: dict[str, Any] = {}
        devices.append(device)
        _probe_device(torch, module, f"{kind}:{number}", cpu_probe, device, step)


def _kind(torch: Any, facts: dict[str, Any]) -> str:
    """Return torch's name for the kind of GPU it finds; empty, with the reason in the facts, if it finds none."""
    for kind in ("cuda", "xpu", "mps"):
        module = getattr(torch, kind, None)
        if module is not None and hasattr(module, "is_available") and module.is_available():
            return kind
    if not any(facts[family] for family in ("cuda", "hip", "xpu")):
        facts["why"] = f"torch {facts['version']} is built for the CPU"
        return ""
    try:
        (torch.xpu if facts["xpu"] else torch.cuda).init()
    except Exception as error:  # noqa: BLE001 - any error is the reason
        facts["why"] = f"{type(error).__name__}: {error}".strip().splitlines()[0]
    else:
        facts["why"] = "torch finds none and gives no reason"
    return ""


def _probe_device(
    torch: Any,
    module: Any,
    device: str,
    cpu_probe: dict[str, Any],
    facts: dict[str, Any],
    step: Callable[[str], None],
) -> None:
    facts["device"] = device
    number = int(device.partition(":")[2])
    if hasattr(module, "get_device_properties"):
        properties = module.get_device_properties(number)
        facts["name"] = str(properties.name)
        facts["memory_bytes"] = int(properties.total_memory)
        facts["architecture"] = _architecture(module, number, properties)
    try:
        step(f"a kernel on {device}")
        begun = time.perf_counter()
        facts["product"] = cpu_probe["is_product_right"](torch, device)
        facts["first_kernel_s"] = time.perf_counter() - begun
        step(f"a convolution on {device}")
        facts["convolution"] = cpu_probe["is_convolution_right"](torch, device)
        if hasattr(module, "get_device_properties"):
            step(f"a copy from pinned memory to {device}")
            _copy(torch, module, device, facts)
            facts["peak_bytes"] = int(module.max_memory_allocated(number))
    except RuntimeError as error:
        facts["error"] = str(error).strip()[:1000]


def _architecture(module: Any, number: int, properties: Any) -> str:
    """Return ``sm_90`` or ``gfx942``, as in the names of kernels; empty for Intel's GPUs, which have no such name."""
    if name := getattr(properties, "gcnArchName", ""):
        return str(name).partition(":")[0]
    found = module.get_device_capability(number)
    return f"sm_{found[0]}{found[1]}" if isinstance(found, tuple) else ""


def _copy(torch: Any, module: Any, device: str, facts: dict[str, Any]) -> None:
    pinned = torch.arange(_PINNED_BYTES // 4, dtype=torch.int32).pin_memory()
    module.synchronize()
    begun = time.perf_counter()
    there = pinned.to(device, non_blocking=True)
    module.synchronize()
    facts["pinned_s"] = time.perf_counter() - begun
    facts["pinned_bytes"] = _PINNED_BYTES
    facts["pinned"] = bool(torch.equal(there.cpu(), pinned))
