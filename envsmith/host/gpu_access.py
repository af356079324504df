"""Looks at what a Linux was given of its machine's GPUs: device files, libraries, variables, below a root."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from envsmith.host import parsers
from envsmith.host.linux import text_of
from envsmith.host.system import Given

VARIABLES = (
    "CUDA_VISIBLE_DEVICES",
    "HIP_VISIBLE_DEVICES",
    "ROCR_VISIBLE_DEVICES",
    "NVIDIA_VISIBLE_DEVICES",
    "NVIDIA_DRIVER_CAPABILITIES",
)
STUBS = "usr/lib/wsl/lib"
_NODES = ("nvidia[0-9]*", "nvidiactl", "nvidia-uvm", "dxg", "kfd", "dri/renderD*")
_LIBRARIES = (
    "usr/lib/x86_64-linux-gnu",
    "usr/lib/aarch64-linux-gnu",
    "usr/lib64",
    "usr/lib",
    "usr/local/nvidia/lib64",
    "run/opengl-driver/lib",
)
_FILES = {".dockerenv": "docker", "run/.containerenv": "podman"}
_GROUPS = ("docker", "kubepods", "containerd", "libpod", "lxc")


def is_usable(path: Path) -> bool:
    """Say whether this user may read and write a file."""
    return os.access(path, os.R_OK | os.W_OK)


def given(root: Path, variables: Mapping[str, str], may_use: Callable[[Path], bool] = is_usable) -> Given:
    """Describe it.

    Args:
        root: of the file system.
        variables: of the process.
        may_use: says whether this user may use a device file.

    Source: Linux's and NVIDIA's own names of the files; of containers: moby/moby and containers/podman, which write
    them (read 2026-11-21).
    """
    nodes = tuple(_nodes(root / "dev"))
    return Given(
        container=_container(root, variables),
        is_wsl1=parsers.is_wsl1(text_of(root / "proc/version")),
        nodes=nodes,
        refused=tuple(name for name in nodes if not may_use(root / "dev" / name)),
        stub=next((str(path) for path in [root / STUBS / "libcuda.so.1"] if path.exists()), ""),
        libraries=tuple(dict.fromkeys(_libraries(root))),
        module=parsers.kernel_module(text_of(root / "proc/driver/nvidia/version")),
        has_amd_module=(root / "sys/module/amdgpu").is_dir(),
        variables={name: variables[name] for name in VARIABLES if name in variables},
    )


def _container(root: Path, variables: Mapping[str, str]) -> str:
    for name, what in _FILES.items():
        if (root / name).exists():
            return what
    if "KUBERNETES_SERVICE_HOST" in variables:
        return "kubernetes"
    groups = text_of(root / "proc/1/cgroup")
    return next((name for name in _GROUPS if name in groups), "")


def _nodes(dev: Path) -> Iterator[str]:
    for pattern in _NODES:
        try:
            yield from sorted(str(path.relative_to(dev)) for path in dev.glob(pattern) if not path.is_dir())
        except OSError:
            continue


def _libraries(root: Path) -> Iterator[str]:
    """Yield where the linker finds libcuda, with the file that it stands for."""
    for folder in _LIBRARIES:
        place = root / folder / "libcuda.so.1"
        if place.exists() and STUBS not in str(place.resolve()):
            yield str(place.resolve())
