"""NVIDIA's tools: whatever they do, the answer comes in time and nothing else is harmed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from envsmith.host.model import Device, Driver
from envsmith.host.nvidia import NvidiaTools, is_trusted
from envsmith.host.parsers import DetectedGpus
from envsmith.process.runner import Processes
from tests.host.fake_libraries import CRASHES, HANGS, NVML, library
from tests.host.host_data import DATA

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are POSIX programs")
TITAN = Device(maker="nvidia", name="NVIDIA TITAN V", capability=(7, 0), memory_bytes=12288 << 20)


def smi(folder: Path, script: str) -> str:
    path = folder / "nvidia-smi"
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(0o755)
    return str(path)


def tools(
    *smi_places: str, nvml: str = "/nowhere/nvml.so", cuda: str = "/nowhere/cuda.so", timeout_s: float = 30
) -> NvidiaTools:
    libraries = (f"nvml={nvml}", f"cuda={cuda}")
    return NvidiaTools(
        Processes(), smi_places, libraries=libraries, timeout_s=timeout_s, trusts=lambda path: path.exists()
    )


def test_the_libraries_answer(tmp_path: Path) -> None:
    found = tools(nvml=library(tmp_path, "nvml", NVML)).ask()
    assert found.driver == Driver(maker="nvidia", version="580.65.06", cuda=(13, 0))
    assert [device.capability for device in found.devices] == [(9, 0), (6, 1)]


@pytest.mark.parametrize("source", [CRASHES, HANGS])
def test_a_library_that_crashes_or_hangs_ends_its_own_process_only(tmp_path: Path, source: str) -> None:
    bad = library(tmp_path, "bad", source)
    answers = smi(tmp_path, f'cat "{DATA}/smi_query.txt"')
    asked = tools(answers, nvml=bad, timeout_s=2 if source is HANGS else 30)
    assert asked.ask_libraries() == DetectedGpus()
    assert asked.ask_smi().devices[0] == TITAN


def test_nvidia_smi_is_asked_for_devices_and_for_the_cuda_it_serves(tmp_path: Path) -> None:
    script = f'case "$1" in --query*) cat "{DATA}/smi_query.txt";; *) cat "{DATA}/smi_head.570.txt";; esac'
    found = tools(smi(tmp_path, script)).ask()
    assert found.driver == Driver(maker="nvidia", version="570.86.15", cuda=(12, 8))
    assert found.devices[0] == TITAN


def test_an_old_nvidia_smi_is_asked_again_without_the_column_it_does_not_know(tmp_path: Path) -> None:
    script = (
        'case "$1" in *compute_cap*) echo "Field \\"compute_cap\\" is not a valid field to query."; exit 2;; '
        f'--query*) cat "{DATA}/smi_query.470.txt";; esac'
    )
    found = tools(smi(tmp_path, script)).ask()
    assert found.devices == (Device(maker="nvidia", name="Tesla K80", memory_bytes=11441 << 20),)


def test_an_nvidia_smi_in_trouble_says_nothing(tmp_path: Path) -> None:
    assert tools(smi(tmp_path, f'cat "{DATA}/smi_failed.txt"; exit 9')).ask() == DetectedGpus()
    assert tools(smi(tmp_path, "kill -9 $$")).ask() == DetectedGpus()
    assert tools().ask() == DetectedGpus()


def test_the_child_gets_nothing_of_our_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_PRELOAD_OF_A_TEST", "1")
    kept = tmp_path / "environment"
    tools(smi(tmp_path, f'/usr/bin/env > "{kept}"')).ask()
    assert "LD_PRELOAD_OF_A_TEST" not in kept.read_text("utf-8")


def test_a_program_others_can_change_is_not_trusted(tmp_path: Path) -> None:
    assert is_trusted(Path("/bin/sh").resolve())
    assert not is_trusted(tmp_path / "missing")
    assert not is_trusted(tmp_path)
    place = Path(smi(tmp_path, ""))
    place.chmod(0o777)
    assert not is_trusted(place)
    place.chmod(0o644)
    assert not is_trusted(place)
    place.chmod(0o755)
    assert is_trusted(place) is (os.getuid() == 0)


def test_what_is_not_trusted_is_not_run(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    place = smi(tmp_path, f'touch "{ran}"')
    Path(place).chmod(0o777)
    assert (
        NvidiaTools(Processes(), [place], libraries=("nvml=/nowhere", "cuda=/nowhere")).ask()
        == DetectedGpus()
    )
    assert not ran.exists()
