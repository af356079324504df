"""These libraries are played by fakes that compute what they are told."""

from __future__ import annotations

from tests.runtime.probes import Bare

JAX = """
import types

__version__ = "0.10.2"
_GPU = types.SimpleNamespace(platform="gpu", id=0, device_kind="NVIDIA H200")
devices = lambda: [_GPU]
default_backend = lambda: "gpu"
_ANSWER = types.SimpleNamespace(tolist=lambda: [[7.0, 10.0], [15.0, 22.0]])
numpy = types.SimpleNamespace(array=lambda rows: rows, matmul=None)
jit = lambda function: lambda one, other: _ANSWER
"""
TENSORFLOW = """
import types

__version__ = "2.21.0"
_CPU = types.SimpleNamespace(device_type="CPU", name="/physical_device:CPU:0")
config = types.SimpleNamespace(list_physical_devices=lambda: [_CPU])
test = types.SimpleNamespace(is_built_with_cuda=lambda: True)
constant = lambda rows: rows
_ROWS = types.SimpleNamespace(tolist=lambda: [[0.0]])
matmul = lambda one, other: types.SimpleNamespace(numpy=lambda: _ROWS, device="/device:CPU:0")
"""


def test_jax_tells_its_devices(bare: Bare) -> None:
    (bare.site / "jax.py").write_text(JAX, "utf-8")
    facts = bare.trial("jax")["facts"]
    assert facts["devices"] == [{"device": "gpu:0", "name": "NVIDIA H200"}]
    assert (facts["ran"], facts["product"]) == ("gpu", True)


def test_tensorflow_tells_its_devices_and_where_it_computed(bare: Bare) -> None:
    (bare.site / "tensorflow.py").write_text(TENSORFLOW, "utf-8")
    facts = bare.trial("tensorflow")["facts"]
    assert facts["devices"] == [{"device": "CPU", "name": "/physical_device:CPU:0"}]
    assert (facts["ran"], facts["product"], facts["cuda"]) == ("cpu", False, True)


def test_a_mediapipe_that_cannot_be_used_is_an_error(bare: Bare) -> None:
    (bare.site / "mediapipe.py").write_text("__version__ = '1.2.2'\n", "utf-8")
    found = bare.trial("mediapipe")
    assert found["error"].startswith("ModuleNotFoundError")
    assert found["facts"]["version"] == "1.2.2"
