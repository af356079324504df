"""Probe of `torch.compile`: compare a compiled function with the uncompiled one. Run by ``run_probe.py``."""

from __future__ import annotations

import os
import tempfile
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def probe(name: str, words: list[str], facts: dict[str, Any], step: Callable[[str], None]) -> None:
    """Compile a small function for the GPU if torch finds one, else for the CPU; start with empty caches."""
    del name, words
    with tempfile.TemporaryDirectory(prefix="envsmith-", ignore_cleanup_errors=True) as folder:
        os.environ.update(
            TORCHINDUCTOR_CACHE_DIR=folder,
            TORCHINDUCTOR_COMPILE_THREADS="1",
            TRITON_CACHE_DIR=f"{folder}/triton",
        )
        step("importing torch")
        import torch

        facts["version"] = str(torch.__version__)
        device = next((kind for kind in ("cuda", "xpu") if _is_available(torch, kind)), "cpu")
        facts["device"] = device

        def function(values: Any) -> Any:
            return torch.relu(values * 3 - 4) + values

        values = torch.arange(-500.0, 500.0, device=device)
        step(f"compiling for {device}")
        begun = time.perf_counter()
        found = torch.compile(function)(values)
        facts["compile_s"] = time.perf_counter() - begun
        facts["product"] = bool(torch.equal(found, function(values)))


def _is_available(torch: Any, kind: str) -> bool:
    module = getattr(torch, kind, None)
    return bool(module is not None and module.is_available())
