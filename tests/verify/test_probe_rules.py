from __future__ import annotations

from typing import Any

import pytest

from envsmith.catalog import Catalog
from envsmith.model.backend import Backend
from envsmith.verify import probe_rules
from envsmith.verify.probe_rules import NAMES, ProbeResult
from tests.environment.test_lock_comparison import distribution, environment

CPU, CUDA, ROCM = Backend.parse("cpu"), Backend.parse("cu130"), Backend.parse("rocm7.1")
TORCH: dict[str, Any] = {
    "version": "2.13.0+cu130",
    "cuda": "13.0",
    "hip": "",
    "xpu": "",
    "product": True,
    "convolution": True,
    "threads": 4,
    "cpus": 8,
    "machine": "x86",
    "cpu_capability": "AVX2",
    "onednn": True,
}
H200 = {"device": "cuda:0", "name": "NVIDIA H200", "architecture": "sm_90", "product": True, "pinned": True}


def judged(
    name: str, backend: Backend, facts: dict[str, Any], *, wanted: bool = False, **more: Any
) -> list[str]:
    trial = ProbeResult(name=name, facts=facts, **more)
    found = probe_rules.judge(trial, backend, is_gpu_required=wanted)
    return [f"{item.severity} {item.code} {item.message}" for item in found]


def gpu(kernels: list[str], backend: Backend = CUDA, **device: Any) -> list[str]:
    facts = {**TORCH, "kind": "cuda", "kernels": kernels, "devices": [{**H200, **device}]}
    return judged("gpu", backend, facts)


def test_all_is_what_is_installed_but_for_what_takes_long() -> None:
    catalog = Catalog.embedded()
    here = environment(
        distribution("torch", "2"), distribution("onnxruntime-gpu", "1"), distribution("opencv-python", "4")
    )
    assert probe_rules.select_probes(("all",), here, CPU, catalog) == ("torch", "onnxruntime", "opencv")
    assert probe_rules.select_probes(("all",), here, CUDA, catalog) == (
        "torch",
        "gpu",
        "onnxruntime",
        "opencv",
    )
    assert probe_rules.select_probes(("all", "compile"), here, CPU, catalog)[-1] == "compile"
    assert probe_rules.select_probes(("jax", "torch"), here, CPU, catalog) == ("jax", "torch")
    assert [name for name in NAMES if probe_rules.is_installed(name, here, catalog)] == [
        "torch",
        "gpu",
        "compile",
        "onnxruntime",
        "opencv",
    ]
    tensorflow = environment(distribution("tensorflow-cpu", "2"))
    assert probe_rules.is_installed("tensorflow", tensorflow, catalog)
    assert probe_rules.not_installed("jax").code == "ENV090"


def test_providers_follow_the_backend() -> None:
    assert probe_rules.probe_arguments("onnxruntime", CUDA) == (
        "CUDAExecutionProvider",
        "CPUExecutionProvider",
    )
    assert probe_rules.probe_arguments("onnxruntime", CPU) == ("CPUExecutionProvider",)
    assert probe_rules.probe_arguments("rembg", ROCM)[0] == "MIGraphXExecutionProvider"
    assert probe_rules.probe_arguments("torch", CUDA) == ()


def test_what_goes_well_finds_nothing() -> None:
    assert judged("torch", CUDA, TORCH) == []
    assert gpu(["sm_80", "sm_90"]) == []
    assert (
        judged("onnxruntime", CUDA, {"offered": ["CUDAExecutionProvider"], "ran": "CUDAExecutionProvider"})
        == []
    )
    assert judged("opencv", CPU, {"cuda": "NO", "product": True}) == []
    assert judged("mediapipe", CUDA, {"ran": "cpu", "product": True}) == []


def test_a_failure_tells_what_was_being_done() -> None:
    told = judged(
        "torch", CPU, {}, error="the interpreter crashed: signal 11 (SIGSEGV)", step="importing torch"
    )
    assert told == [
        "error ENV091 torch failed at importing torch: the interpreter crashed: signal 11 (SIGSEGV)"
    ]


def test_a_wrong_result_is_an_error() -> None:
    told = judged("torch", CUDA, {**TORCH, "convolution": False})
    assert told == ["error ENV092 torch 2.13.0+cu130 computed a wrong convolution"]
    told = gpu(["sm_90"], pinned=False)
    assert told == ["error ENV092 NVIDIA H200 computed a wrong copy from pinned memory"]


@pytest.mark.parametrize(
    ("backend", "said", "told"),
    [
        (CUDA, {"cuda": "13.0"}, ""),
        (CUDA, {"cuda": "12.8"}, "uses cuda 12.8, but the lock is for CUDA 13.0"),
        (CUDA, {"cuda": ""}, "uses only the CPU, but the lock is for CUDA 13.0"),
        (CPU, {"cuda": "13.0"}, "uses cuda 13.0, but the lock is for CPU"),
        (CPU, {"cuda": ""}, ""),
        (ROCM, {"cuda": "", "hip": "7.1.25424"}, ""),
        (ROCM, {"cuda": "", "hip": "6.4.1"}, "uses rocm 6.4.1, but the lock is for ROCm 7.1"),
    ],
)
def test_what_torch_computes_with_is_compared_with_the_lock(
    backend: Backend, said: dict[str, str], told: str
) -> None:
    found = judged("torch", backend, {**TORCH, **said})
    assert len(found) == bool(told)
    assert all(told in text and text.startswith("error ENV093 ") for text in found)


@pytest.mark.parametrize(
    ("kernels", "architecture", "has"),
    [
        (["sm_80", "sm_90"], "sm_90", True),
        (["sm_80"], "sm_86", True),
        (["sm_80", "sm_90"], "sm_120", False),
        (["sm_80", "compute_90"], "sm_120", True),
        (["sm_90", "compute_120"], "sm_80", False),
        (["gfx942", "gfx90a"], "gfx942", True),
        (["gfx90a"], "gfx942", False),
        ([], "sm_120", True),
        (["sm_90"], "", True),
    ],
)
def test_kernels_are_those_a_gpu_can_run(kernels: list[str], architecture: str, *, has: bool) -> None:
    found = gpu(kernels, architecture=architecture)
    assert [text[:12] for text in found] == ([] if has else ["error ENV094"])


def test_a_kernel_that_fails_and_a_gpu_that_is_not_seen() -> None:
    assert gpu(["sm_90"], error="CUDA error: out of memory\nmore")[0] == (
        "error ENV091 torch 2.13.0+cu130 on a GPU failed on NVIDIA H200: CUDA error: out of memory"
    )
    none = {**TORCH, "kind": "", "why": "no driver", "devices": []}
    for wanted, severity in ((True, "error"), (False, "warning")):
        (told,) = judged("gpu", CUDA, none, wanted=wanted)
        assert told == f"{severity} ENV095 torch 2.13.0+cu130 cannot use a GPU: no driver"


def test_slow_computing_is_told() -> None:
    assert judged("torch", CUDA, {**TORCH, "threads": 1}) == ["warning ENV096 torch uses 1 of 8 processors"]
    slow = judged("torch", CUDA, {**TORCH, "cpu_capability": "DEFAULT", "onednn": False})
    assert [text[:11] for text in slow] == ["note ENV096", "note ENV096"]
    arm = {**TORCH, "cpu_capability": "DEFAULT", "onednn": False, "machine": "aarch64"}
    assert judged("torch", CUDA, arm) == []


def test_a_model_that_fell_back_to_the_cpu_tells_why() -> None:
    facts = {"version": "1.26.0", "offered": ["CUDAExecutionProvider"], "ran": "CPUExecutionProvider"}
    said = "begun\n[E] Failed to load libonnxruntime_providers_cuda.so: libcublasLt.so.12\ndone"
    (told,) = judged("onnxruntime", CUDA, facts, wanted=True, said=said)
    assert told.startswith("error ENV095 onnxruntime 1.26.0 offers CUDAExecutionProvider, but CPU")
    assert "libcublasLt.so.12" in told
    (told,) = judged("onnxruntime", CUDA, {**facts, "offered": ["CPUExecutionProvider"]})
    assert told.startswith(
        "warning ENV095 onnxruntime 1.26.0 has no CUDAExecutionProvider: it is a CPU build"
    )
    (told,) = judged("onnxruntime", CUDA, {**facts, "ran": "CUDAExecutionProvider", "preloaded": True})
    assert told.startswith("note ENV095 ")
    assert judged("onnxruntime", CUDA, facts)[0].endswith("no reason given")


def test_libraries_beside_torch_that_leave_a_gpu_alone() -> None:
    assert judged("jax", CUDA, {"ran": "cpu"})[0].startswith("warning ENV095 jax computes on the CPU")
    assert judged("jax", CPU, {"ran": "cpu"}) == []
    assert judged("opencv", CUDA, {"cuda": "NO"})[0].startswith("note ENV095 opencv is built without CUDA")
    assert judged("opencv", CUDA, {"cuda": "YES (ver 12.8)"}) == []
