"""There is no GPU here: torch is a fake that computes with lists and sees the GPUs it is told of."""

from __future__ import annotations

from tests.runtime.fake_torch import CUDA, H200, fake_torch
from tests.runtime.probes import Bare


def test_every_gpu_runs_kernels_and_gets_a_copy(bare: Bare) -> None:
    fake_torch(bare.site, **{**CUDA, "gpus": [H200, {**H200, "name": "NVIDIA L4", "capability": [8, 9]}]})
    facts = bare.trial("gpu")["facts"]
    assert (facts["kind"], facts["cuda"], facts["cudnn"]) == ("cuda", "13.0", "91000")
    assert facts["kernels"] == ["sm_80", "sm_90", "compute_120"]
    assert [item["architecture"] for item in facts["devices"]] == ["sm_90", "sm_89"]
    for item in facts["devices"]:
        assert (item["product"], item["convolution"], item["pinned"]) == (True, True, True)
        assert item["peak_bytes"] == 1 << 20


def test_a_gpu_of_amd_is_named_as_its_kernels_are(bare: Bare) -> None:
    gpu = {**H200, "name": "AMD Instinct MI300X", "gcn": "gfx942:sramecc+:xnack-"}
    fake_torch(bare.site, **{**CUDA, "cuda": None, "hip": "7.1", "gpus": [gpu]})
    assert bare.trial("gpu")["facts"]["devices"][0]["architecture"] == "gfx942"


def test_what_a_gpu_computes_wrong_is_told(bare: Bare) -> None:
    fake_torch(bare.site, **CUDA, wrong=1.0, loses_copies=True)
    (device,) = bare.trial("gpu")["facts"]["devices"]
    assert (device["product"], device["convolution"], device["pinned"]) == (False, False, False)


def test_a_kernel_that_cannot_run_keeps_no_other_gpu_from_being_tried(bare: Bare) -> None:
    fails = "CUDA error: no kernel image is available for execution on the device"
    fake_torch(bare.site, **{**CUDA, "gpus": [H200, H200]}, fails=fails)
    found = bare.trial("gpu")
    assert found["error"] == ""
    assert [item["error"] for item in found["facts"]["devices"]] == [fails, fails]


def test_why_there_is_none_is_told(bare: Bare) -> None:
    fake_torch(bare.site)
    facts = bare.trial("gpu")["facts"]
    assert (facts["kind"], facts["why"]) == ("", "torch 2.13.0+cpu is built for the CPU")
    fake_torch(bare.site, **{**CUDA, "gpus": []}, no_gpu="Found no NVIDIA driver on your system.")
    assert bare.trial("gpu")["facts"]["why"] == "RuntimeError: Found no NVIDIA driver on your system."
    fake_torch(bare.site, **{**CUDA, "gpus": []})
    assert bare.trial("gpu")["facts"]["why"] == "torch finds none and gives no reason"
