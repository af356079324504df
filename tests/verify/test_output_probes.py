from __future__ import annotations

from typing import Any

import pytest

from envsmith.verify import output
from envsmith.verify.probe_rules import ProbeResult


def shown(capsys: pytest.CaptureFixture[str], *trials: ProbeResult) -> list[str]:
    output.show_probes(trials)
    return capsys.readouterr().out.splitlines()


def test_nothing_tried_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys) == []


@pytest.mark.parametrize(
    ("name", "facts", "told"),
    [
        (
            "torch",
            {
                "blas": "mkl",
                "cpu_capability": "AVX2",
                "onednn": True,
                "threads": 2,
                "cpus": 4,
                "import_s": 1.25,
            },
            "product and convolution correct on the CPU · mkl AVX2 · oneDNN · 2 threads of 4 processors · import 1.2 s",
        ),
        ("gpu", {"kind": "", "why": "no driver"}, "none: no driver"),
        (
            "gpu",
            {
                "kind": "cuda",
                "devices": [
                    {
                        "device": "cuda:0",
                        "name": "L4",
                        "architecture": "sm_89",
                        "pinned_s": 0.5,
                        "pinned_bytes": 10**9,
                    },
                    {"device": "cuda:1", "error": "no kernel image"},
                ],
            },
            "L4 sm_89: kernel and convolution correct, 2.0 GB/s from pinned memory · cuda:1 failed",
        ),
        ("compile", {"device": "cpu", "compile_s": 20.0}, "compiled for cpu in 20.0 s, same result"),
        (
            "onnxruntime",
            {"ran": "CPUExecutionProvider", "product": True, "offered": ["CPUExecutionProvider"]},
            "CPUExecutionProvider ran the model · offers CPU",
        ),
        (
            "rembg",
            {"ran": "CPUExecutionProvider", "offered": []},
            "session with CPUExecutionProvider · offers",
        ),
        (
            "opencv",
            {"cuda": "NO", "cuda_devices": 0, "ffmpeg": "YES", "gui": "NONE"},
            "filter and PNG correct · built without CUDA, 0 CUDA devices · FFmpeg yes · windows none",
        ),
        ("jax", {"ran": "gpu", "devices": [{"device": "gpu:0"}]}, "correct on gpu · detects gpu:0"),
        ("mediapipe", {"ran": "cpu"}, "correct on cpu"),
        ("jax", {"product": False}, "wrong result"),
    ],
)
def test_a_line_tells_what_did_the_work(
    capsys: pytest.CaptureFixture[str], name: str, facts: dict[str, Any], told: str
) -> None:
    line = shown(
        capsys, ProbeResult(name=name, facts={"version": "1.0", **facts}, seconds=1.0, peak_bytes=5_000_000)
    )[-1]
    assert line.startswith(f"{name} ")
    assert line.endswith(f"  1.0 s, 5.0 MB  {told}")


def test_a_failure_tells_where(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        "failed at importing torch"
        in shown(capsys, ProbeResult(name="torch", error="died", step="importing torch"))[-1]
    )
    assert "failed" in shown(capsys, ProbeResult(name="torch", error="died"))[-1]
