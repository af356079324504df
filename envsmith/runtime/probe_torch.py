"""Probe of torch on the CPU: compare results with plain Python's. Run by ``run_probe.py``."""

from __future__ import annotations

import os
import re
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

SIDE = 48


def probe(name: str, words: list[str], facts: dict[str, Any], step: Callable[[str], None]) -> None:
    """Import torch, multiply and convolve on the CPU, and read its settings."""
    del name, words
    step("importing torch")
    begun = time.perf_counter()
    import torch

    facts["import_s"] = time.perf_counter() - begun
    facts["version"] = str(torch.__version__)
    for family in ("cuda", "hip", "xpu"):
        facts[family] = str(getattr(torch.version, family, None) or "")
    step("a product of matrices on the CPU")
    facts["product"] = is_product_right(torch)
    step("a convolution on the CPU")
    facts["convolution"] = is_convolution_right(torch)
    step("reading torch's settings")
    _read_settings(torch, facts)


def whole_numbers(side: int, seed: int) -> list[list[float]]:
    """Return a matrix of small whole numbers, whose products are exact on any hardware."""
    return [[float((row * 7 + column * 3 + seed) % 11 - 5) for column in range(side)] for row in range(side)]


def is_product_right(torch: Any, device: str = "cpu") -> bool:
    """Say whether a product on a device equals plain Python's."""
    one, other = whole_numbers(SIDE, 1), whole_numbers(SIDE, 4)
    columns = list(zip(*other))  # noqa: B905 - 3.10's
    right = [[sum(a * b for a, b in zip(row, column)) for column in columns] for row in one]  # noqa: B905
    found = torch.tensor(one, device=device) @ torch.tensor(other, device=device)
    return bool(found.cpu().tolist() == right)


def is_convolution_right(torch: Any, device: str = "cpu") -> bool:
    """Say whether a 3 × 3 convolution (oneDNN, cuDNN) equals plain Python's."""
    image = whole_numbers(12, 2)
    right = [
        [sum(image[row + i][column + j] for i in range(3) for j in range(3)) for column in range(10)]
        for row in range(10)
    ]
    held = torch.tensor([[image]], device=device)
    found = torch.nn.functional.conv2d(held, torch.ones((1, 1, 3, 3), device=device)).cpu()[0, 0]
    return bool((found - torch.tensor(right)).abs().max().item() < 0.01)


def _read_settings(torch: Any, facts: dict[str, Any]) -> None:
    facts["threads"] = int(torch.get_num_threads())
    affinity = getattr(os, "sched_getaffinity", None)
    facts["cpus"] = len(affinity(0)) if affinity else os.cpu_count() or 0
    facts["machine"] = "x86" if re.search(r"x86|amd64", _machine(), re.IGNORECASE) else _machine()
    shown = torch.__config__.show()
    match = re.search(r"BLAS_INFO=(\w+)", shown)
    facts["blas"] = match[1] if match else ""
    facts["onednn"] = bool(torch.backends.mkldnn.is_available())
    capability = getattr(getattr(torch.backends, "cpu", None), "get_cpu_capability", None)
    facts["cpu_capability"] = str(capability()) if capability else ""


def _machine() -> str:
    import platform

    return platform.machine() or sys.platform
