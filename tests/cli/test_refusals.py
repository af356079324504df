"""Refusals as a newcomer meets them: what is asked does not exist, and the answer names what does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from envsmith.cli.main import main

EMBEDDED = ("--catalog", "embedded", "--as-of", "2026-11-20")


def profile(folder: Path, name: str = "app", **values: object) -> None:
    values = {
        "backend": "cu130",
        "python": ["3.12"],
        "platforms": ["linux"],
        "requirements": ["torch"],
    } | values
    (folder / "profiles").mkdir(exist_ok=True)
    text = "".join(f"{key.replace('_', '-')} = {json.dumps(value)}\n" for key, value in values.items())
    (folder / "profiles" / f"{name}.toml").write_text(text, "utf-8")


def refusal(capfd: pytest.CaptureFixture[str], *words: str, status: int = 1) -> list[str]:
    capfd.readouterr()
    assert main(["-q", "lock", *words, *EMBEDDED]) == status
    shown = capfd.readouterr()
    assert shown.out == ""
    assert not Path("lockfiles").exists()
    return shown.err.splitlines()


def test_a_gpu_without_kernels(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    profile(project, gpu=["GTX 1080"])
    lines = refusal(capfd, "app")
    assert lines[0].startswith("error RES033: torch 2.")
    assert lines[0].endswith("+cu130 has no kernels for GeForce GTX 1080 (sm_61)")
    assert lines[1].endswith("profiles/app.toml:5: gpu[0]")
    assert lines[2] == "  built for sm_75 sm_80 sm_86 sm_90 sm_100 sm_120"
    assert lines[3].startswith("  has them  cu126 up to torch 2.")
    assert lines[-1] == "hint: envsmith lock app --backend cu126"


def test_a_gpu_without_kernels_in_pypis_own_build(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    profile(project, backend="cu132", index="pypi", gpu=["GTX 1080"])
    lines = refusal(capfd, "app")
    assert lines[0].startswith("error RES033: torch 2.15.0 from PyPI (cu132) has no kernels")
    assert lines[-1] == "hint: envsmith lock app --backend cu126"


def test_a_gpu_on_the_cpu_backend(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    profile(project, backend="cpu", gpu=["RTX 4090"])
    lines = refusal(capfd, "app")
    assert "  built for the CPU only" in lines
    assert lines[-1].startswith("hint: envsmith lock app --backend cu1")


def test_a_python_that_torch_left_behind(project: Path, capfd: pytest.CaptureFixture[str]) -> None:  # noqa: ARG001 - the folder
    lines = refusal(capfd, "cu132", "--python", "3.10")
    assert lines[0] == "error RES021: no torch<2.16,>=2.15 for cp310 on manylinux_2_28_x86_64 with cu132"
    assert "  on PyPI   torch 2.15.0 is the cu132 build, for Python >=3.11" in lines
    assert any(
        line.startswith("  exists    cu130 · torch 2.") and "newest for cp310" in line for line in lines
    )
    assert lines[-1] == "hint: drop 3.10 from `python`"


def test_a_version_beyond_the_end_of_a_backend(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    profile(project, backend="cu128", on_retired="stable", requirements=["torch>=2.12"])
    lines = refusal(capfd, "app")
    assert "  exists    cu128 · torch 2.11.0: cp310 cp311 cp312 cp313 cp313t cp314 cp314t" in lines
    assert lines[-1] == "hint: use torch==2.11.0, or envsmith lock app --backend cu130"


def test_several_targets_say_each_thing_once(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    profile(project, python=["3.9"], platforms=["linux", "windows"])
    lines = refusal(capfd, "app")
    assert lines[0] == "error RES001: 2 targets cannot be planned"
    assert len(lines) == len(set(lines))
    assert sum(line.strip().startswith("hint:") for line in lines) == 1


def test_a_typing_error_in_a_command(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["lok"]) == 2
    assert (
        capfd.readouterr().err.splitlines()[0] == "error USE001: unknown command `lok`; did you mean `lock`?"
    )
    assert main(["zzz"]) == 2
    assert "commands: init, adopt, add, remove, sync, lock, catalog" in capfd.readouterr().err


@pytest.mark.parametrize("words", [[], ["catalog"]])
def test_nothing_asked_gives_help_and_no_error(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    shown = capfd.readouterr().err
    assert shown.startswith("Usage: envsmith")
    assert "USE001" not in shown


def test_a_malformed_profile_does_not_hide_the_others(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    profile(project, "broken", backend="cu12.8")
    assert main(["profiles"]) == 2
    shown = capfd.readouterr()
    assert "\ncu130" in shown.out
    assert "broken" not in shown.out
    assert shown.err.startswith("error PRF010: invalid backend `cu12.8`\n")
    assert main(["profiles", "--json"]) == 2
    document = json.loads(capfd.readouterr().out)
    assert document["status"] == "failed"
    assert [error["code"] for error in document["errors"]] == ["PRF010"]
    assert "cu130" in [item["name"] for item in document["data"]]
