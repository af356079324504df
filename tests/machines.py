"""Two machines as a summary sees them: a container on Linux without a GPU, and a Windows machine with an RTX 5080.

The first is like the one on which `tests/data/host` was recorded. The second has the packages, the driver and the PATH
of cases B and E, a registry of `tests/data/host/recorded.toml`, and a user, servers and secrets that we made up.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import cast

from packaging.version import Version

from envsmith.activate.model import Activation, EnvironmentPaths, RemovedVariable
from envsmith.activate.scripts import plan_session
from envsmith.catalog import Catalog
from envsmith.catalog.builds import TorchWheels
from envsmith.doctor.doctor_facts import DoctorFacts, InstalledTorch
from envsmith.environment.installed_state import InstalledState
from envsmith.environment.model import Distribution, Environment, InstallOrigin, Interpreter, TorchBuild
from envsmith.host.linux import GpuAccess
from envsmith.host.model import Device, Driver, Host
from envsmith.host.system_probes import Connectivity, DiskSpace, SystemLibraries, VisualCpp, path_scopes
from envsmith.lockfile.manifest import FamilyPin, Manifest, TargetRecord
from envsmith.model.backend import Backend
from envsmith.model.finding import Finding
from envsmith.model.target import Python
from envsmith.select.verdicts import BackendVerdict, judge_build
from tests.host.recorded import registry
from tests.values import HEX

CATALOG = Catalog.embedded()
DAY = "2026-11-21"
UNDER = "_"
"""Parts the tokens made up here, lest somebody's scanner takes them for real ones."""
PRIVATE = (
    "marta",
    "Example",
    "DESKTOP-7QK3F2A",
    "fitting-room-2026",
    "s3cretProxyPass",
    "corp-proxy",
    "intranet",
    f"ghp{UNDER}16C7e42F292c6912E7710c838347Ae178B4a",
    f"hf{UNDER}QwErTyUiOpAsDfGhJkLzXcVbNm",
    "hunter2hunter2",
    "packages.example",
)
"""What nobody else may read of the second machine."""
PROJECT = r"C:\Users\marta.example\source\fitting-room-2026"
WINDOWS_VARIABLES = {
    "USERNAME": "marta.example",
    "USERPROFILE": r"C:\Users\marta.example",
    "COMPUTERNAME": "DESKTOP-7QK3F2A",
    "SystemRoot": r"C:\Windows",
    "PATH": r"C:\Windows\system32;C:\Windows;C:\Users\marta.example\bin",
    "CUDA_PATH": r"C:\Program Files\NVIDIA GPU Computing Toolkit\CUDA\v12.4",
    "CUDA_VISIBLE_DEVICES": "0",
    "HTTPS_PROXY": "http://marta:s3cretProxyPass@corp-proxy.intranet.example:3128",
    "PIP_INDEX_URL": "https://__token__:hunter2hunter2@packages.example/simple",
    "GITHUB_TOKEN": f"ghp{UNDER}16C7e42F292c6912E7710c838347Ae178B4a",
    "HF_TOKEN": f"hf{UNDER}QwErTyUiOpAsDfGhJkLzXcVbNm",
}
LINUX_VARIABLES = {"HOME": "/home/ubuntu", "PATH": "/usr/local/bin:/usr/bin:/bin", "HOSTNAME": "3d7e0ba526d4"}


def packages(text: str) -> tuple[Distribution, ...]:
    pairs = (line.split("==") for line in text.split())
    return tuple(
        Distribution(
            name=name, version=version, folder=f"{name}.dist-info", has_record=True, files=9, size_bytes=99
        )
        for name, version in sorted(pairs)
    )


def interpreter(version: str, os: str, base: str) -> Interpreter:
    return Interpreter(
        executable=f"{base}/python",
        base=base,
        version=version,
        implementation="cpython",
        is_free_threaded=False,
        bits=64,
        os=os,
        machine="amd64" if os == "windows" else "x86_64",
        libc="glibc" if os == "linux" else "",
        release=(2, 36) if os == "linux" else (0, 0),
    )


def judged(torch: str, on: Host, tag: str) -> InstalledTorch:
    minor = int(tag.removeprefix("cp3"))

    def verdict(text: str, backend: str) -> BackendVerdict:
        build = TorchWheels(
            backend=Backend.parse(backend),
            torch=Version(text),
            platforms=(str(on.platform),),
            pythons=frozenset({tag}),
        )
        return judge_build(on, Python(major=3, minor=minor), build, CATALOG)

    public, _, label = torch.partition("+")
    best = verdict("2.11.0", "cu128")
    return InstalledTorch(version=torch, verdict=verdict(public, label), best=best if best.works else None)


def linux() -> DoctorFacts:
    """Return what is known of a container without a GPU, with the real torch 2.13.0+cpu."""
    on = Host(os="linux", machine="x86_64", release=(2, 36), libc="glibc")
    found = Environment(
        prefix="/srv/app/.venv",
        site="lib/python3.11/site-packages",
        interpreter=interpreter("3.11.7", "linux", "/opt/python/3.11.7"),
        distributions=packages(
            "filelock==3.29.0 fsspec==2026.4.0 jinja2==3.1.6 markupsafe==3.0.3 mpmath==1.3.0 networkx==3.6.1"
            " setuptools==82.0.1 sympy==1.14.0 torch==2.13.0+cpu typing-extensions==4.15.0"
        ),
        torch=TorchBuild(version="2.13.0+cpu"),
    )
    entry = TargetRecord(
        plan="c616cd24445a5e211fa2150146f5edcfabc7048582bd520c137d11642c49b038",
        inputs={"backend": "cpu"},
        catalog="embedded 2026-11-20",
        family={"torch": FamilyPin(version="2.13.0+cpu", filename="torch.whl", sha256=HEX)},
        packages=10,
        files={},
        decisions=(
            {
                "subject": "torchvision",
                "kind": "dropped",
                "message": "torchvision dropped: no import in 41 files, no package requires it",
            },
        ),
    )
    targets = {"cp311-manylinux_2_28_x86_64": entry}
    manifest = Manifest(profile="cpu", cutoff_utc="2026-11-20T09:00:00Z", targets=targets)
    return _facts(on, found, LINUX_VARIABLES, manifest=manifest, gpu_access=GpuAccess(container="docker"))


def windows(**more: object) -> DoctorFacts:
    """Return what is known of a machine with an RTX 5080 on which nearly everything is wrong."""
    on = Host(
        os="windows",
        machine="amd64",
        drivers=(Driver(maker="nvidia", version="572.16", cuda=(12, 8)),),
        devices=(
            Device(
                maker="nvidia",
                name="NVIDIA GeForce RTX 5080",
                capability=(12, 0),
                memory_bytes=16303 * 1024**2,
            ),
        ),
    )
    prefix = rf"{PROJECT}\.venv"
    found = Environment(
        prefix=prefix,
        site=r"Lib\site-packages",
        interpreter=interpreter(
            "3.12.4", "windows", r"C:\Users\marta.example\AppData\Local\Programs\Python\Python312"
        ),
        distributions=packages(
            "chromadb==1.1.1 mediapipe==0.10.21 numpy==1.26.4 onnxruntime==1.23.1 onnxruntime-gpu==1.23.0"
            " opencv-contrib-python==4.11.0.86 opencv-python==4.11.0.86 opencv-python-headless==4.11.0.86"
            " rembg==2.0.67 torch==2.9.0+cu128 torchaudio==2.9.0+cu126 torchvision==0.24.0+cu128"
        ),
        torch=TorchBuild(version="2.9.0+cu128", cuda="12.8"),
    )
    origin = InstallOrigin(kind="vcs", url="https://marta:hunter2hunter2@packages.example/rembg.git")
    entry = TargetRecord(
        plan="7c1e2a24445a5e211fa2150146f5edcfabc7048582bd520c137d11642c49b038",
        inputs={"backend": "cu128"},
        catalog="embedded 2026-11-20",
        family={
            "torch": FamilyPin(version="2.8.0+cu128", filename="torch.whl", sha256=HEX),
            "torchaudio": FamilyPin(version="2.8.0+cu128", filename="torchaudio.whl", sha256=HEX),
        },
        packages=58,
        files={},
    )
    targets = {"cp312-manylinux_2_28_x86_64": entry, "cp312-win_amd64": entry}
    manifest = Manifest(profile="cu128", cutoff_utc="2026-11-20T09:00:00Z", targets=targets)
    stale = Finding(
        code="LCK020",
        severity="error",
        subject="cu128",
        message=rf"requirement torch>=2.9 ({PROJECT}\requirements.txt:3)",
    )
    return _facts(
        on,
        found,
        WINDOWS_VARIABLES,
        manifest=manifest,
        installed_state=InstalledState(origins={"rembg": origin}),
        drift=(stale,),
        visual_cpp=VisualCpp(registered=(14, 36, 32532)),
        libraries=SystemLibraries(toolkits=("12.4",)),
        path_entries=_scopes("paths of case B"),
        connectivity=Connectivity(
            url="https://packages.example/whl/",
            proxies=(("HTTPS_PROXY", "http://corp-proxy.intranet.example:3128"),),
            error="the proxy could not be used",
            date=DAY,
        ),
        **more,
    )


def _scopes(name: str) -> dict[str, tuple[RemovedVariable, ...]]:
    wanted = Activation.of("app", Backend.parse("cu128"), env={})
    place = EnvironmentPaths(prefix=r"D:\e", bin=r"D:\e\Scripts", is_windows=True)
    return {
        scope: plan_session(wanted, place, {"PATH": value}, has_file=lambda _: False).removed
        for scope, value in path_scopes(WINDOWS_VARIABLES, registry(name)).items()
    }


def _facts(on: Host, found: Environment, variables: Mapping[str, str], **more: object) -> DoctorFacts:
    torch = found.torch.version if found.torch else ""
    known: dict[str, object] = {
        "catalog": CATALOG,
        "host": on,
        "environment": found,
        "installed_state": InstalledState(),
        "torch": judged(torch, on, found.interpreter.python.tag),
        "locked_backend": Backend.parse(torch.partition("+")[2]),
        "drift": (),
        "path_entries": {},
        "removed_entries": (),
        "unused_packages": {},
        "gpu_access": GpuAccess(),
        "visual_cpp": None,
        "longest_path": None,
        "disk_space": DiskSpace(folder="/home/ubuntu/.cache/uv", free_bytes=10**11),
        "connectivity": Connectivity(url="https://download.pytorch.org/whl/", clock_ahead_s=0.4, date=DAY),
        "libraries": SystemLibraries(),
        "variables": variables,
    }
    return cast("DoctorFacts", SimpleNamespace(**(known | more)))
