"""File systems as they are inside Windows, in containers and on machines with a driver, laid out below a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.host.linux import gpu_access, is_usable
from tests.host.host_data import tree
from tests.host.recorded import RECORDED
from tests.systems import posix_only


def test_an_ordinary_machine_without_a_gpu(tmp_path: Path) -> None:
    found = gpu_access(tree(tmp_path, proc__1__cgroup="0::/init.scope\n", dev__null=""), {"PATH": "/usr/bin"})
    assert (found.container, found.device_files, found.libraries, found.kernel_module) == ("", (), (), "")
    assert dict(found.variables) == {}


@pytest.mark.parametrize("row", RECORDED["kernel"], ids=lambda row: str(row["wsl"]))
def test_wsl_by_its_kernel(tmp_path: Path, row: dict[str, str | int]) -> None:
    assert gpu_access(tree(tmp_path, proc__version=str(row["text"])), {}).is_wsl1 == (row["wsl"] == 1)


@posix_only("device files and libraries of Linux")
def test_wsl_with_its_stub_and_a_foreign_library(tmp_path: Path) -> None:
    tree(tmp_path, dev__dxg="", **{"usr__lib__wsl__lib__libcuda.so.1": ""})
    found = gpu_access(tmp_path, {})
    assert found.device_files == ("dxg",)
    assert found.wsl_library.endswith("usr/lib/wsl/lib/libcuda.so.1")
    assert found.libraries == ()
    tree(tmp_path, **{"usr__lib__x86_64-linux-gnu__libcuda.so.550.90.07": ""})
    (tmp_path / "usr/lib/x86_64-linux-gnu/libcuda.so.1").symlink_to("libcuda.so.550.90.07")
    assert gpu_access(tmp_path, {}).library_version == "550.90.07"


def test_wsl_without_its_stub(tmp_path: Path) -> None:
    (recorded,) = RECORDED["without"]
    tree(tmp_path, dev__dxg="", **{f"usr__lib__wsl__lib__{name}": "" for name in recorded["files"]})
    found = gpu_access(tmp_path, {})
    assert (found.wsl_library, found.device_files, found.libraries) == ("", ("dxg",), ())


@pytest.mark.parametrize(
    ("files", "variables", "what"),
    [
        ({".dockerenv": ""}, {}, "docker"),
        ({"run__.containerenv": ""}, {}, "podman"),
        ({"proc__1__cgroup": "12:cpu:/docker/3d7e0ba526d4\n"}, {}, "docker"),
        ({"proc__1__cgroup": "0::/kubepods.slice/pod1\n"}, {}, "kubepods"),
        ({}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "kubernetes"),
        ({}, {}, ""),
    ],
)
def test_containers(tmp_path: Path, files: dict[str, str], variables: dict[str, str], what: str) -> None:
    assert gpu_access(tree(tmp_path, **files), variables).container == what


@posix_only("device files and libraries of Linux")
@pytest.mark.parametrize("row", RECORDED["module"], ids=lambda row: str(row["module"]))
def test_the_loaded_module_and_the_libraries(tmp_path: Path, row: dict[str, str]) -> None:
    tree(tmp_path, proc__driver__nvidia__version=row["text"].lstrip())
    tree(tmp_path, **{f"usr__lib64__libcuda.so.{row['libraries']}": ""})
    (tmp_path / "usr/lib64/libcuda.so.1").symlink_to(f"libcuda.so.{row['libraries']}")
    found = gpu_access(tmp_path, {})
    assert (found.kernel_module, found.library_version) == (row["module"], row["libraries"])


@posix_only("device files and libraries of Linux")
def test_device_files_and_the_variables_that_count(tmp_path: Path) -> None:
    names = (
        "nvidia0",
        "nvidia1",
        "nvidiactl",
        "nvidia-uvm",
        "kfd",
        "dri__renderD128",
        "nvidia-caps__nvidia-cap1",
    )
    tree(tmp_path, **{f"dev__{name}": "" for name in names})
    found = gpu_access(tmp_path, {"CUDA_VISIBLE_DEVICES": "", "HOME": "/home/me"})
    assert found.device_files == ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "kfd", "dri/renderD128")
    assert found.unusable_files == ()
    assert dict(found.variables) == {"CUDA_VISIBLE_DEVICES": ""}


def test_a_device_file_that_is_refused(tmp_path: Path) -> None:
    tree(tmp_path, dev__kfd="", dev__nvidia0="")
    assert gpu_access(tmp_path, {}, lambda path: path.name != "kfd").unusable_files == ("kfd",)
    assert is_usable(tmp_path / "dev/kfd")
    assert not is_usable(tmp_path / "dev/nvidia1")
