"""Probe of ONNX Runtime, alone or inside rembg: run a model, note its provider. Run by ``run_probe.py``.

The model is encoded here, so that no file is needed: ``y = x + c`` with an input ``x`` of two by three numbers and a
constant ``c``.

Source: ONNX, onnx.proto3 (field numbers of ModelProto, GraphProto, NodeProto, TensorProto, ValueInfoProto); encoding of
Protocol Buffers: a field is its number times eight plus its wire type (0 varint, 2 bytes preceded by their length),
both as varints (read 2026-11-21).
"""

from __future__ import annotations

import json
import os
import struct
import tempfile
import time
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

ROWS, COLUMNS = 2, 3
CONSTANT = (1.0, -2.0, 3.0, -4.0, 5.0, -6.0)
_FLOAT = 1
_OPSET, _IR = 13, 7
_CPU = "CPUExecutionProvider"


def probe(name: str, words: list[str], facts: dict[str, Any], step: Callable[[str], None]) -> None:
    """Run the model with the wanted providers, and note the one that ran it.

    Args:
        name: ``onnxruntime`` or ``rembg``.
        words: providers, most wanted first.
        facts: facts found; filled in.
        step: called at the start of each step.
    """
    step("importing onnxruntime")
    begun = time.perf_counter()
    import onnxruntime

    facts["import_s"] = time.perf_counter() - begun
    facts["version"] = str(onnxruntime.__version__)
    facts["offered"] = list(onnxruntime.get_available_providers())
    facts["wanted"] = [word for word in words if word in facts["offered"]]
    with tempfile.TemporaryDirectory(prefix="envsmith-", ignore_cleanup_errors=True) as folder:
        if name == "rembg":
            _run_rembg(folder, facts, step)
        else:
            _run_session(onnxruntime, folder, facts, step)


def model() -> bytes:
    """Return the model ``y = x + c``, encoded."""
    node = _bytes(1, b"x") + _bytes(1, b"c") + _bytes(2, b"y") + _bytes(4, b"Add")
    values = struct.pack(f"<{len(CONSTANT)}f", *CONSTANT)
    constant = (
        _number(1, ROWS) + _number(1, COLUMNS) + _number(2, _FLOAT) + _bytes(8, b"c") + _bytes(9, values)
    )
    graph = (
        _bytes(1, node)
        + _bytes(2, b"sum")
        + _bytes(5, constant)
        + _bytes(11, _value_info(b"x"))
        + _bytes(12, _value_info(b"y"))
    )
    return _number(1, _IR) + _bytes(7, graph) + _bytes(8, _number(2, _OPSET))


def _value_info(name: bytes) -> bytes:
    shape = b"".join(_bytes(1, _number(1, count)) for count in (ROWS, COLUMNS))
    return _bytes(1, name) + _bytes(2, _bytes(1, _number(1, _FLOAT) + _bytes(2, shape)))


def _number(field: int, value: int) -> bytes:
    return _seven_bits(field << 3) + _seven_bits(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _seven_bits(field << 3 | 2) + _seven_bits(len(value)) + value


def _seven_bits(value: int) -> bytes:
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def _run_session(onnxruntime: Any, folder: str, facts: dict[str, Any], step: Callable[[str], None]) -> None:
    step("a session")
    ran = _run(onnxruntime, folder, facts)
    is_fallen_back = facts["wanted"][:1] not in ([], [_CPU]) and ran == _CPU
    if is_fallen_back and hasattr(onnxruntime, "preload_dlls"):
        step("a session with the CUDA libraries of torch or nvidia packages")
        onnxruntime.preload_dlls()
        ran = _run(onnxruntime, folder, facts)
        facts["preloaded"] = ran != _CPU
    facts["ran"] = ran


def _run(onnxruntime: Any, folder: str, facts: dict[str, Any]) -> str:
    """Run the model and return the provider from its profile."""
    import numpy as np

    options = onnxruntime.SessionOptions()
    options.enable_profiling = True
    options.profile_file_prefix = str(Path(folder) / "profile")
    session = onnxruntime.InferenceSession(model(), options, providers=facts["wanted"] or [_CPU])
    facts["session"] = list(session.get_providers())
    begun = time.perf_counter()
    (found,) = session.run(None, {"x": np.ones((ROWS, COLUMNS), np.float32)})
    facts["run_s"] = time.perf_counter() - begun
    facts["product"] = found.ravel().tolist() == [1 + value for value in CONSTANT]
    return _provider(Path(session.end_profiling()))


def _provider(profile: Path) -> str:
    """Return the provider of the Add kernel; empty if the profile has none."""
    for event in json.loads(profile.read_text("utf-8")):
        args = event.get("args", {})
        if args.get("op_name") == "Add" and args.get("provider"):
            return str(args["provider"])
    return ""


def _run_rembg(folder: str, facts: dict[str, Any], step: Callable[[str], None]) -> None:
    """Open rembg's session for a custom model, which downloads nothing."""
    step("importing rembg")
    begun = time.perf_counter()
    import rembg

    facts["import_s"] = time.perf_counter() - begun
    facts["version"] = str(getattr(rembg, "__version__", ""))
    os.environ["U2NET_HOME"] = folder  # rembg looks for custom models there
    path = Path(folder) / "sum.onnx"
    path.write_bytes(model())
    step("rembg's session")
    session = rembg.new_session("u2net_custom", model_path=str(path))
    facts["session"] = list(session.inner_session.get_providers())
    facts["ran"] = facts["session"][0]
