"""Probe of OpenCV: process an image and read the build information. Run by ``run_probe.py``."""

from __future__ import annotations

import re
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_BUILD_INFORMATION = {
    "cuda": "NVIDIA CUDA",
    "ffmpeg": "FFMPEG",
    "gstreamer": "GStreamer",
    "gui": "GUI",
    "threads": "Parallel framework",
}


def probe(name: str, words: list[str], facts: dict[str, Any], step: Callable[[str], None]) -> None:
    """Flip an image and round-trip it through PNG on the CPU; flip it on a GPU if the build supports one."""
    del name, words
    step("importing cv2")
    begun = time.perf_counter()
    import cv2
    import numpy as np

    facts["import_s"] = time.perf_counter() - begun
    facts["version"] = str(cv2.__version__)
    built = cv2.getBuildInformation()
    for key, title in _BUILD_INFORMATION.items():
        match = re.search(rf"^\s+{title}:[ \t]*(.*)$", built, re.MULTILINE)
        facts[key] = " ".join(match[1].split()) if match else "NO"
    step("an image filtered")
    image = np.arange(64 * 64, dtype=np.uint8).reshape(64, 64)
    flipped = cv2.flip(image, 1)
    facts["product"] = bool((flipped == image[:, ::-1]).all())
    step("an image written as PNG and read")
    is_written, data = cv2.imencode(".png", image)
    facts["png"] = bool(is_written and (cv2.imdecode(data, cv2.IMREAD_UNCHANGED) == image).all())
    step("asking for CUDA devices")
    facts["cuda_devices"] = int(cv2.cuda.getCudaEnabledDeviceCount()) if hasattr(cv2, "cuda") else 0
    if facts["cuda_devices"] > 0:
        step("an image filtered on the GPU")
        there = cv2.cuda_GpuMat()
        there.upload(image)
        facts["on_gpu"] = bool((cv2.cuda.flip(there, 1).download() == flipped).all())
