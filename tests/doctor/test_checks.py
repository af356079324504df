"""Every check of the doctor on a machine where what it looks for is so, and on one where it is not.

What machines and packages say is that of tests/data/host/recorded.toml and of wheels; each rule's own tests have more.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest
from packaging.version import Version

from envsmith.activate.model import Activation, EnvironmentPaths, RemovedVariable
from envsmith.activate.scripts import plan_session
from envsmith.catalog import Catalog
from envsmith.catalog.builds import TorchWheels
from envsmith.doctor.checks import CHECKS, diagnose
from envsmith.doctor.doctor_facts import DoctorFacts, InstalledTorch
from envsmith.environment.installed_state import IncompleteDistribution, InstalledState, Shadow
from envsmith.errors import InstallError
from envsmith.host.linux import GpuAccess
from envsmith.host.model import Device, Driver, Host
from envsmith.host.system_probes import Connectivity, DiskSpace, VisualCpp, path_scopes
from envsmith.model.backend import Backend
from envsmith.model.finding import Finding
from envsmith.model.target import Python
from envsmith.select.verdicts import BackendVerdict, judge_build
from tests.environment.test_lock_comparison import distribution, environment
from tests.host.recorded import RECORDED, registry

CATALOG = Catalog.embedded()
CU128 = Backend.parse("cu128")
PYTHON = Python(major=3, minor=12)
URL = "https://download.pytorch.org/whl/"
NOW = "2026-11-21"
MODULE = RECORDED["module"][0]
STUB = RECORDED["stub"][0]["path"]


def host(capability: tuple[int, int] | None = (8, 9), driver: str = "580.95.05", os: str = "linux") -> Host:
    devices = (Device(maker="nvidia", name="NVIDIA A40", capability=capability),) if capability else ()
    drivers = (Driver(maker="nvidia", version=driver),) if driver else ()
    machine, libc = ("x86_64", "glibc") if os == "linux" else ("amd64", "")
    release = (2, 36) if os == "linux" else (0, 0)
    return Host(os=os, machine=machine, release=release, libc=libc, devices=devices, drivers=drivers)


def wsl() -> Host:
    return Host(os="linux", machine="x86_64", release=(2, 36), libc="glibc", is_wsl=True)


def judged(torch: str, on: Host) -> InstalledTorch:
    public, _, label = torch.partition("+")

    def verdict(version: str, backend: str) -> BackendVerdict:
        tags = frozenset({"cp312"})
        build = TorchWheels(
            backend=Backend.parse(backend),
            torch=Version(version),
            platforms=(str(on.platform),),
            pythons=tags,
        )
        return judge_build(on, PYTHON, build, CATALOG)

    best = verdict("2.11.0", "cu128")
    return InstalledTorch(version=torch, verdict=verdict(public, label), best=best if best.works else None)


def scopes(name: str) -> dict[str, tuple[RemovedVariable, ...]]:
    """Return what no session should have in the PATHs that Windows's registry has under a recorded name."""
    variables = {"SystemRoot": r"C:\Windows", "USERPROFILE": r"C:\Users\me", "PATH": r"C:\Windows"}
    wanted = Activation.of("app", CU128, env={})
    place = EnvironmentPaths(prefix=r"D:\e", bin=r"D:\e\Scripts", is_windows=True)
    return {
        scope: plan_session(wanted, place, {"PATH": value}, has_file=lambda _: False).removed
        for scope, value in path_scopes(variables, registry(name)).items()
    }


def facts(**known: object) -> DoctorFacts:
    """Return the facts of a machine and environment in order, but for what is told."""
    on = known.get("host", host())
    assert isinstance(on, Host)
    torch = str(known.pop("version", "2.13.0+cu130"))
    found = environment(distribution("torch", torch))
    well = {
        "catalog": CATALOG,
        "host": on,
        "environment": found,
        "installed_state": InstalledState(),
        "torch": judged(torch, on),
        "locked_backend": CU128,
        "drift": (),
        "path_entries": scopes("user path in order"),
        "removed_entries": (),
        "unused_packages": {},
        "gpu_access": GpuAccess(device_files=("nvidia0", "nvidiactl", "nvidia-uvm")),
        "visual_cpp": None,
        "longest_path": None,
        "project": "C:\\a",
        "disk_space": DiskSpace(folder="/cache", free_bytes=10**11),
        "connectivity": Connectivity(url=URL, clock_ahead_s=1.0, date=NOW),
    }
    return cast("DoctorFacts", SimpleNamespace(**(well | known)))


def both(first: str, second: str) -> dict[str, object]:
    found = environment(
        distribution("torch", "2.13.0+cu130"), distribution(first, "1.0"), distribution(second, "2.0")
    )
    return {"environment": found}


OLD = VisualCpp(registered=(14, 36, 32532))
MISMATCH = GpuAccess(
    kernel_module=MODULE["module"], libraries=(f"/usr/lib64/libcuda.so.{MODULE['libraries']}",)
)
VISION = environment(distribution("torch", "2.13.0+cu130"), distribution("torchvision", "0.28.0+cu128"))
STALE = Finding(code="LCK020", severity="error", subject="app", message="torch")
TAKEN = RemovedVariable(
    variable="LD_LIBRARY_PATH", entry="/usr/local/cuda-11.8/lib64", reason="holds another CUDA"
)
SICK: dict[str, tuple[dict[str, object], str]] = {
    "path": ({"path_entries": scopes("paths of case B"), "host": host(os="windows")}, "HST014"),
    "libraries": ({"removed_entries": (TAKEN,)}, "HST015"),
    "runtime": ({"visual_cpp": OLD, "host": host(os="windows")}, "HST017"),
    "lengths": ({"longest_path": "C:\\" + "x" * 257}, "HST031"),
    "devices": ({"host": host(driver="")}, "HST023"),
    "wsl": ({"host": wsl(), "gpu_access": GpuAccess()}, "HST021"),
    "container": ({"gpu_access": GpuAccess(container="docker")}, "HST025"),
    "module": ({"gpu_access": MISMATCH}, "HST024"),
    "hidden": ({"gpu_access": GpuAccess(variables={"CUDA_VISIBLE_DEVICES": "-1"})}, "HST028"),
    "driver": ({"host": host(driver="570.133.07")}, "HST020"),
    "kernels": ({"host": host((6, 1))}, "ENV073"),
    "build": ({"version": "2.11.0+cpu"}, "ENV071"),
    "retired": ({"version": "2.11.0+cu128"}, "ENV076"),
    "family": ({"environment": VISION}, "ENV060"),
    "families": (both("opencv-python", "opencv-python-headless"), "ENV065"),
    "onnxruntime": (both("onnxruntime", "onnxruntime-gpu"), "ENV069"),
    "unused": ({"environment": VISION, "unused_packages": {"torchvision": "no use in 3 files"}}, "ENV075"),
    "broken": (
        {"installed_state": InstalledState(halves=(IncompleteDistribution(folder="~umpy", why="left"),))},
        "ENV067",
    ),
    "shadows": (
        {"installed_state": InstalledState(shadows=(Shadow(module="a", owner="b", path="/a.py"),))},
        "ENV068",
    ),
    "lock": ({"drift": (STALE,)}, "LCK020"),
    "releases": ({"version": "2.9.0+cpu", "host": host(os="windows")}, "ENV074"),
    "disk": ({"disk_space": DiskSpace(folder="/cache", free_bytes=10**9)}, "HST030"),
    "network": ({"connectivity": Connectivity(url=URL, error="it refused the connection")}, "HST041"),
}


def test_every_check_has_a_sick_machine() -> None:
    assert list(SICK) == [check.name for check in CHECKS]


@pytest.mark.parametrize("name", SICK)
def test_sick_and_well(name: str) -> None:
    (check,) = (item for item in CHECKS if item.name == name)
    known, code = SICK[name]
    done = diagnose(facts(**known), [check])
    assert {item.code for item in done.report.findings} == {code}
    assert not done.skipped
    well = diagnose(facts(), [check])
    assert (well.report.findings, well.completed) == ((), (name,))


def test_windows_and_wsl_in_order() -> None:
    on_windows = facts(
        host=host(os="windows"),
        visual_cpp=VisualCpp(registered=(14, 50, 35719)),
        gpu_access=GpuAccess(),
        locked_backend=None,
    )
    in_wsl = facts(host=wsl(), gpu_access=GpuAccess(device_files=("dxg",), wsl_library=STUB))
    for where in (on_windows, in_wsl):
        done = diagnose(where, [check for check in CHECKS if check.name not in ("build", "driver")])
        assert done.report.findings == ()


def test_without_an_environment_its_checks_find_nothing() -> None:
    where = facts(environment=None, torch=None, installed_state=None, locked_backend=None)
    assert diagnose(where, CHECKS).report.findings == ()


def test_names_are_plain_and_differ() -> None:
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names)
    assert all(name.isalpha() and name.islower() for name in names)
    assert all(check.summary for check in CHECKS)


class Unanswered:
    """DoctorFacts of an environment whose interpreter is gone; the machine is well."""

    def __getattr__(self, name: str) -> object:
        if name in ("environment", "installed_state", "torch", "locked_backend", "unused_packages"):
            raise InstallError("ENV023", "cannot start", where="/srv/app/.venv/bin/python")
        return getattr(facts(), name)


def test_an_environment_without_its_interpreter_is_told_and_the_machine_judged_all_the_same() -> None:
    done = diagnose(cast("DoctorFacts", Unanswered()), CHECKS)
    assert [item.code for item in done.report.findings] == ["ENV078"]
    machine = {
        "path",
        "libraries",
        "runtime",
        "devices",
        "wsl",
        "container",
        "module",
        "hidden",
        "disk",
        "network",
    }
    assert machine <= set(done.completed)
    assert done.reasons()[0][1] == "cannot start"
