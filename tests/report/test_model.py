from __future__ import annotations

from envsmith.environment.installed_state import InstalledState
from envsmith.host.linux import GpuAccess
from envsmith.host.model import Host
from envsmith.report.model import LockState, Summary
from envsmith.report.redaction import Redaction
from tests.environment.test_lock_comparison import distribution, environment

HOST = Host(os="linux", machine="x86_64", release=(2, 36), libc="glibc")


def test_a_bare_machine() -> None:
    values = Summary(envsmith="0.1.0", host=HOST, gpu_access=GpuAccess()).to_json(Redaction())
    assert (values["python"], values["torch"], values["lock"]) == (None, None, None)
    assert (values["packages"], values["family"], values["variables"]) == ([], {}, {})


def test_variables_that_matter_and_those_that_are_only_named() -> None:
    variables = {
        "cuda_visible_devices": "",
        "PIP_INDEX_URL": "https://u:p@a/b",
        "HOME": "/home/me",
        "UV_INDEX": "",
    }
    summary = Summary(envsmith="0.1.0", host=HOST, gpu_access=GpuAccess(), variables=variables)
    assert summary.shown_variables() == {"CUDA_VISIBLE_DEVICES": "", "PIP_INDEX_URL": "(set)"}


def test_the_family_with_what_its_own_files_say() -> None:
    found = environment(
        distribution("torch", "2.13.0"), distribution("numpy", "2.1"), distribution("triton", "3.4")
    )
    summary = Summary(
        envsmith="0.1.0",
        host=HOST,
        gpu_access=GpuAccess(),
        environment=found,
        installed_state=InstalledState(builds={"torch": "2.13.0+cu130", "triton": "3.4"}),
    )
    assert summary.family() == {"torch": "2.13.0 (files of 2.13.0+cu130)", "triton": "3.4"}
    assert summary.packages() == ["torch==2.13.0", "numpy==2.1", "triton==3.4"]


def test_the_state_of_a_lock() -> None:
    assert LockState(profile="cpu").to_json()["state"] == "fresh"
    assert LockState(profile="cpu", drift=("torch",)).to_json()["state"] == "stale"
