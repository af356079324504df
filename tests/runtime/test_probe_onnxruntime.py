"""The providers of GPUs are played by a fake; the real ONNX Runtime is in tests/install/test_real_probes.py."""

from __future__ import annotations

import hashlib
import runpy
from typing import Any

import pytest

from tests.runtime.probes import SCRIPT, Bare

CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
SHA256 = "327009ec1bb52952fea819d5f6bf9b8dc2ec18fe86def119bbfd5136e903b2ed"
RUNTIME = """
import json, sys

__version__ = "1.26.0"
RAN, OFFERED, AFTER = {ran!r}, {offered!r}, {after!r}


def get_available_providers():
    return OFFERED


class SessionOptions:
    pass


class InferenceSession:
    def __init__(self, model, options, providers):
        assert model.count(b"Add") == 1
        self.options, self.providers = options, providers

    def get_providers(self):
        return [RAN]

    def run(self, _, inputs):
        import numpy
        return (numpy.Answer(),)

    def end_profiling(self):
        path = self.options.profile_file_prefix + ".json"
        events = [{{"name": "begin"}}, {{"args": {{"op_name": "Add", "provider": RAN}}}}]
        with open(path, "w") as stream:
            json.dump(events, stream)
        if RAN == "CPUExecutionProvider" and len(OFFERED) > 1:
            print("Failed to create CUDAExecutionProvider: libcublasLt.so.12: cannot open", file=sys.stderr)
        return path


if AFTER:
    def preload_dlls():
        global RAN
        RAN = AFTER
"""
NUMPY = """
float32 = "float32"


def ones(shape, kind):
    return shape


class Answer:
    def ravel(self):
        return self

    def tolist(self):
        return {values!r}
"""
RIGHT = [2.0, -1.0, 4.0, -3.0, 6.0, -5.0]


def fake(
    bare: Bare, ran: str, offered: list[str], after: str = "", values: list[float] | None = None
) -> None:
    (bare.site / "onnxruntime.py").write_text(RUNTIME.format(ran=ran, offered=offered, after=after), "utf-8")
    (bare.site / "numpy.py").write_text(NUMPY.format(values=values or RIGHT), "utf-8")


def test_the_model_is_these_very_bytes_and_small() -> None:
    model = runpy.run_path(str(SCRIPT.with_name("probe_onnxruntime.py")))["model"]()
    assert len(model) == 108
    assert model.startswith(b"\x08\x07")
    assert hashlib.sha256(model).hexdigest() == SHA256


@pytest.mark.parametrize(
    ("ran", "offered", "after", "told"),
    [
        (CPU, [CPU], "", (CPU, [CPU], None)),
        (CUDA, [CUDA, CPU], "", (CUDA, [CUDA, CPU], None)),
        (CPU, [CUDA, CPU], "", (CPU, [CUDA, CPU], None)),
        (CPU, [CUDA, CPU], CUDA, (CUDA, [CUDA, CPU], True)),
        (CPU, [CUDA, CPU], CPU, (CPU, [CUDA, CPU], False)),
    ],
)
def test_which_provider_ran_it_is_read_out_of_the_profile(
    bare: Bare, ran: str, offered: list[str], after: str, told: tuple[Any, ...]
) -> None:
    fake(bare, ran, offered, after)
    facts = bare.trial("onnxruntime", CUDA, CPU)["facts"]
    assert (facts["ran"], facts["wanted"], facts.get("preloaded")) == told
    assert facts["product"] is True


def test_a_wrong_sum_is_told(bare: Bare) -> None:
    fake(bare, CPU, [CPU], values=[0.0] * 6)
    assert bare.trial("onnxruntime", CPU)["facts"]["product"] is False


def test_rembg_gets_a_model_of_ours_and_downloads_none(bare: Bare) -> None:
    fake(bare, CPU, [CUDA, CPU])
    text = (
        "import os, types, pathlib\n__version__ = '2.0'\ndef new_session(name, model_path):\n"
        "    path = pathlib.Path(model_path)\n    assert name == 'u2net_custom' and path.is_file()\n"
        "    assert str(path.parent) == os.environ['U2NET_HOME']\n"
        "    return types.SimpleNamespace(inner_session=types.SimpleNamespace(get_providers=lambda: ['X']))\n"
    )
    (bare.site / "rembg.py").write_text(text, "utf-8")
    facts = bare.trial("rembg")["facts"]
    assert (facts["ran"], facts["session"], facts["version"]) == ("X", ["X"], "2.0")
