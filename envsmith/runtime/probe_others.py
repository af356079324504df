"""Probes of JAX, TensorFlow and MediaPipe: compute, and note the device. Run by ``run_probe.py``."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MATRIX = ((1.0, 2.0), (3.0, 4.0))
SQUARE = [[7.0, 10.0], [15.0, 22.0]]


def probe(name: str, words: list[str], facts: dict[str, Any], step: Callable[[str], None]) -> None:
    """Import a library, compute a known result, and note the device.

    Raises:
        ValueError: when there is no probe for the library.
    """
    del words
    known = {"jax": _jax, "tensorflow": _tensorflow, "mediapipe": _mediapipe}
    if name not in known:
        raise ValueError(f"unknown: {name}")
    step(f"importing {name}")
    begun = time.perf_counter()
    module = __import__(name)
    facts["import_s"] = time.perf_counter() - begun
    facts["version"] = str(getattr(module, "__version__", ""))
    known[name](module, facts, step)


def _jax(jax: Any, facts: dict[str, Any], step: Callable[[str], None]) -> None:
    step("JAX's devices")
    facts["devices"] = [
        {"device": f"{item.platform}:{item.id}", "name": str(item.device_kind)} for item in jax.devices()
    ]
    facts["ran"] = str(jax.default_backend())
    step("a product of matrices in JAX")
    one = jax.numpy.array(MATRIX)
    facts["product"] = jax.jit(jax.numpy.matmul)(one, one).tolist() == SQUARE


def _tensorflow(tensorflow: Any, facts: dict[str, Any], step: Callable[[str], None]) -> None:
    step("TensorFlow's devices")
    found = tensorflow.config.list_physical_devices()
    facts["devices"] = [{"device": str(item.device_type), "name": str(item.name)} for item in found]
    facts["cuda"] = bool(tensorflow.test.is_built_with_cuda())
    step("a product of matrices in TensorFlow")
    result = tensorflow.matmul(tensorflow.constant(MATRIX), tensorflow.constant(MATRIX))
    facts["product"] = result.numpy().tolist() == SQUARE
    facts["ran"] = "gpu" if "GPU" in str(result.device) else "cpu"


def _mediapipe(mediapipe: Any, facts: dict[str, Any], step: Callable[[str], None]) -> None:
    step("an image of MediaPipe's")
    import numpy as np

    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=pixels)
    facts["product"] = bool((image.numpy_view() == pixels).all())
    facts["ran"] = "cpu"  # its wheels use a GPU only in tasks with a GPU delegate
    facts["solutions"] = hasattr(mediapipe, "solutions")
