"""A torch on disk that computes with lists: for machines without a GPU, on which what is done with one is tried.

It is told in a file beside it what it is: its version, its kernels, the GPUs it sees, and what goes wrong with them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

H200 = {"name": "NVIDIA H200", "capability": [9, 0], "memory": 150_000_000_000}
CUDA: dict[str, Any] = {
    "version": "2.13.0+cu130",
    "cuda": "13.0",
    "kernels": ["sm_80", "sm_90", "compute_120"],
    "gpus": [H200],
}
CPU: dict[str, Any] = {"version": "2.13.0+cpu", "cuda": None, "kernels": [], "gpus": []}

_INIT = """
import json, os, pathlib, types

_SAID = json.loads(pathlib.Path(__file__).with_name("said.json").read_text())
__version__ = _SAID["version"]
version = types.SimpleNamespace(cuda=_SAID["cuda"], hip=_SAID.get("hip"), xpu=None)
int32 = "int32"
if _SAID.get("at_import"):
    exec(_SAID["at_import"])


class Tensor:
    def __init__(self, rows, device="cpu"):
        self.rows, self.device = rows, device

    def _checked(self):
        if self.device != "cpu" and _SAID.get("fails"):
            raise RuntimeError(_SAID["fails"])
        return _SAID.get("wrong", 0.0) if self.device != "cpu" else _SAID.get("wrong_on_cpu", 0.0)

    def __matmul__(self, other):
        more = self._checked()
        columns = list(zip(*other.rows))
        rows = [[sum(a * b for a, b in zip(row, column)) + more for column in columns] for row in self.rows]
        return Tensor(rows, self.device)

    def __sub__(self, other):
        pairs = zip(self.rows, other.rows)
        return Tensor([[a - b for a, b in zip(*pair)] for pair in pairs])

    def __getitem__(self, _):
        return self

    def abs(self):
        return Tensor([[abs(value) for value in row] for row in self.rows])

    def max(self):
        return Tensor(max(max(row) for row in self.rows))

    def item(self):
        return self.rows

    def cpu(self):
        return Tensor(self.rows)

    def to(self, device, non_blocking):
        return Tensor(self.rows, device)

    def pin_memory(self):
        return self

    def tolist(self):
        return self.rows


def tensor(rows, device="cpu"):
    return Tensor(rows[0][0] if isinstance(rows[0][0], list) and isinstance(rows[0][0][0], list) else rows, device)


def ones(shape, device="cpu"):
    return Tensor(shape, device)


def arange(count, dtype):
    return Tensor(count)


def equal(one, other):
    return one.rows == other.rows and not _SAID.get("loses_copies")


def get_num_threads():
    return _SAID.get("threads", os.cpu_count())


def _conv2d(image, _):
    more = image._checked()
    side = len(image.rows) - 2
    at = lambda row, column: sum(image.rows[row + i][column + j] for i in range(3) for j in range(3)) + more
    return Tensor([[at(row, column) for column in range(side)] for row in range(side)])


class cuda:
    is_available = staticmethod(lambda: bool(_SAID["gpus"]))
    device_count = staticmethod(lambda: len(_SAID["gpus"]))
    get_arch_list = staticmethod(lambda: _SAID["kernels"])
    synchronize = staticmethod(lambda: None)
    max_memory_allocated = staticmethod(lambda number: 1 << 20)
    get_device_capability = staticmethod(lambda number: tuple(_SAID["gpus"][number]["capability"]))

    @staticmethod
    def get_device_properties(number):
        one = _SAID["gpus"][number]
        return types.SimpleNamespace(
            name=one["name"], total_memory=one["memory"], gcnArchName=one.get("gcn", "")
        )

    @staticmethod
    def init():
        if _SAID.get("no_gpu"):
            raise RuntimeError(_SAID["no_gpu"])


nn = types.SimpleNamespace(functional=types.SimpleNamespace(conv2d=_conv2d))
__config__ = types.SimpleNamespace(show=lambda: "Build settings: BLAS_INFO=mkl, USE_CUDA=1")
backends = types.SimpleNamespace(
    cpu=types.SimpleNamespace(get_cpu_capability=lambda: _SAID.get("cpu_capability", "AVX2")),
    mkldnn=types.SimpleNamespace(is_available=lambda: _SAID.get("onednn", True)),
    cudnn=types.SimpleNamespace(is_available=lambda: True, version=lambda: 91000),
)
"""


def fake_torch(site: Path, **said: Any) -> None:
    """Write it into a ``site-packages``: a CPU build, unless it is told otherwise."""
    package = site / "torch"
    package.mkdir(exist_ok=True)
    (package / "__init__.py").write_text(_INIT, "utf-8")
    values: Mapping[str, Any] = {**CPU, **said}
    (package / "said.json").write_text(json.dumps(values), "utf-8")
