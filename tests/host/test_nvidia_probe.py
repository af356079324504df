"""The probe of NVIDIA's libraries, run as the program it is, against stand-ins for them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from envsmith.host import nvidia_probe
from tests.host.fake_libraries import CUDA, LACKS, NVML, REFUSES, library

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="the stand-ins are compiled as POSIX libraries"
)


def probe(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-S", str(nvidia_probe.__file__), *words],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )


def test_the_management_library_is_asked_first(tmp_path: Path) -> None:
    done = probe(f"nvml={library(tmp_path, 'nvml', NVML)}", f"cuda={library(tmp_path, 'cuda', CUDA)}")
    assert json.loads(done.stdout) == {
        "driver": "580.65.06",
        "cuda": 13000,
        "devices": [
            {"name": "NVIDIA H200", "capability": [9, 0], "memory": 8 << 30},
            {"name": "NVIDIA GeForce GTX 1080", "capability": [6, 1], "memory": 8 << 30},
        ],
    }
    assert done.returncode == 0


@pytest.mark.parametrize("nvml", [None, REFUSES, LACKS])
def test_then_the_drivers_own(tmp_path: Path, nvml: str | None) -> None:
    place = library(tmp_path, "nvml", nvml) if nvml else str(tmp_path / "missing.so")
    done = probe(f"nvml={place}", f"cuda={library(tmp_path, 'cuda', CUDA)}")
    assert json.loads(done.stdout) == {
        "driver": "",
        "cuda": 12060,
        "devices": [{"name": "Orin", "capability": [8, 7], "memory": 1024}],
    }


def test_where_neither_answers_nothing_is_said(tmp_path: Path) -> None:
    refuses = library(tmp_path, "refuses", REFUSES)
    broken = tmp_path / "broken.so"
    broken.write_bytes(b"no library")
    for nvml, cuda in ((refuses, refuses), (str(broken), str(tmp_path / "missing.so"))):
        done = probe(f"nvml={nvml}", f"cuda={cuda}")
        assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
