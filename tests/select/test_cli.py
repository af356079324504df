"""`envsmith select`, as people run it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from envsmith.host.model import Device, Driver, Host
from envsmith.model.target import Platform, Python
from envsmith.select.cli import _show
from envsmith.select.select import Selection
from tests.commands import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(root=tmp_path / "project", env={"COLUMNS": "200"})


def test_three_lines_answer_for_any_machine(project: Project) -> None:
    words = ("--gpu", "RTX 5080", "--driver", "572.16", "--python", "3.12", "--platform", "windows")
    ran = project.run("select", *words)
    assert ran.status == 0, ran.said
    assert ran.out.splitlines() == [
        "host      NVIDIA GeForce RTX 5080 (sm_120) · driver 572.16 · Windows amd64 · Python 3.12",
        "choice    cu128 · torch 2.11.0: kernels for sm_120, driver 572.16; its last torch",
        (
            "others    perhaps cu129: unknown whether it runs on sm_120; "
            "not cu132, cu130: needs driver ≥ 580; cpu · torch 2.15.0, from PyPI"
        ),
    ]
    assert ran.err == ""


def test_explain_tells_of_every_backend(project: Project) -> None:
    ran = project.run("select", "--gpu", "GTX 1080", "--python", "3.12", "--platform", "linux", "--explain")
    assert ran.status == 0
    rows = {line.split()[0]: line for line in ran.out.splitlines()[5:]}
    assert len(rows) >= 29
    assert "no kernels for sm_61; built for sm_75 sm_80" in rows["cu132"]
    assert rows["cu126"].split()[1:3] == ["2.14.0", "works"]
    assert rows["rocm7.2"].endswith("no AMD GPU")


def test_programs_get_one_document(project: Project) -> None:
    ran = project.run("select", "--gpu", "none", "--platform", "macos", "--python", "3.13", "--json")
    found = json.loads(ran.out)
    assert (found["command"], found["status"], ran.status) == ("select", "ok", 0)
    assert found["data"]["host"]["machine"] == "arm64"
    assert found["data"]["choice"]["backend"] == "cpu"
    assert found["data"]["choice"]["torch"] == "2.15.0"
    assert {item["status"] for item in found["data"]["verdicts"]} == {"works", "no"}


def test_no_is_an_answer(project: Project) -> None:
    words = ("select", "--platform", "macosx_14_0_x86_64", "--python", "3.14")
    ran = project.run(*words)
    assert ran.status == 1
    assert "choice    no known build works here" in ran.out
    assert "not cpu: no known wheel for cp314" in ran.out
    found = json.loads(project.run(*words, "--json").out)
    assert (found["status"], found["data"]["choice"]) == ("no", None)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--gpu", "RTX 5081"), "CAT021"),
        (("--driver", "x"), "HST001"),
        (("--platform", "beos"), "PRF011"),
        (("--python", "2.7"), "PRF012"),
        (("--gpu", "none", "--gpu", "RTX 4090"), "USE001"),
        (("--platform", "musllinux_1_2_x86_64"), "not for musl"),
    ],
)
def test_what_cannot_be_answered_is_an_error(project: Project, words: tuple[str, ...], said: str) -> None:
    ran = project.run("select", *words)
    assert ran.status == 2
    assert said in ran.err


def test_a_gpu_that_no_table_knows_is_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    strange = Device(maker="nvidia", name="NVIDIA Strange 1")
    host = Host.of_platform(
        Platform.parse("linux"), (Driver(maker="nvidia", version="580.65.06"),), (strange,)
    )
    _show(Selection(host=host, python=Python.parse("3.12"), verdicts=()), explain=False)
    said = capfd.readouterr()
    assert "hint: NVIDIA Strange 1 is not in the table of GPUs" in said.err
    assert "ENVSMITH_OVERRIDE_COMPUTE_CAPABILITY" in said.err


def test_this_machine_is_judged_when_nothing_is_said(project: Project) -> None:
    ran = project.run("select")
    assert ran.status == 0, ran.said
    assert [line.split()[0] for line in ran.out.splitlines()] == ["host", "choice", "others"]
