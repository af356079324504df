"""Probes of the real libraries: torch 2.13.0+cpu, and ONNX Runtime and OpenCV from PyPI."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from envsmith.model.backend import Backend
from envsmith.process.runner import Processes
from envsmith.uv.command import find_uv
from envsmith.verify import probe_rules
from envsmith.verify.probe_rules import ProbeResult
from envsmith.verify.probe_runner import ProbeRunner
from tests.install.test_real_torch import VERSION, pytestmark, wheelhouse

__all__ = ["pytestmark", "wheelhouse"]


@pytest.fixture(scope="module")
def prefix(wheelhouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that holds them; not made by envsmith."""
    place = tmp_path_factory.mktemp("real") / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    command: list[str | Path] = [find_uv(), "pip", "install", "--quiet", "--python", place, "--find-links"]
    command += [
        wheelhouse,
        f"torch=={VERSION}+cpu",
        "numpy==2.4.6",
        "onnxruntime==1.32.0",
        "opencv-python-headless==5.0.0.93",
    ]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        pytest.skip(f"cannot be installed: {done.stderr[-300:]}")
    return place


def tried(prefix: Path, name: str, backend: str = "cpu") -> tuple[ProbeResult, list[str]]:
    asked = Backend.parse(backend)
    tool = ProbeRunner(processes=Processes(), env={}, timeout_s=300.0)
    found = tool.run(prefix, name, probe_rules.probe_arguments(name, asked))
    return found, [item.code for item in probe_rules.judge(found, asked, is_gpu_required=True)]


def test_torch_computes_on_the_cpu_and_tells_with_what(prefix: Path) -> None:
    found, codes = tried(prefix, "torch")
    assert found.error == ""
    assert (found.version, found.facts["product"], found.facts["convolution"]) == (
        f"{VERSION}+cpu",
        True,
        True,
    )
    assert (found.facts["blas"], found.facts["onednn"]) == ("mkl", True)
    assert found.peak_bytes > 100_000_000
    assert set(codes) <= {"ENV096"}


def test_a_gpu_asked_of_a_cpu_build_is_an_error(prefix: Path) -> None:
    found, codes = tried(prefix, "gpu", "cu130")
    assert found.facts["why"] == f"torch {VERSION}+cpu is built for the CPU"
    assert codes == ["ENV093", "ENV095"]


def test_onnx_runtime_runs_our_model_and_says_where(prefix: Path) -> None:
    found, codes = tried(prefix, "onnxruntime")
    assert (found.error, found.facts["product"], found.facts["ran"]) == ("", True, "CPUExecutionProvider")
    assert codes == []
    assert tried(prefix, "onnxruntime", "cu130")[1] == ["ENV095"]


def test_opencv_filters_and_says_what_it_was_built_with(prefix: Path) -> None:
    found, codes = tried(prefix, "opencv")
    assert (found.error, found.facts["product"], found.facts["png"]) == ("", True, True)
    assert (found.facts["cuda"], found.facts["cuda_devices"]) == ("NO", 0)
    assert codes == []
