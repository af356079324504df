"""The environment of case E, and the same in order."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from envsmith.catalog import Catalog
from envsmith.doctor.rules import package_conflicts
from envsmith.environment.installed_state import InstalledState
from envsmith.model.backend import Backend
from tests.environment.test_lock_comparison import distribution, environment

CATALOG = Catalog.embedded()
CUDA, CPU = Backend.parse("cu128"), Backend.parse("cpu")


def test_three_opencvs() -> None:
    names = ("opencv-contrib-python", "opencv-python", "opencv-python-headless")
    found = environment(*(distribution(name, "4.11.0.86") for name in names))
    (finding,) = package_conflicts.families(found, CUDA, CATALOG)
    assert (finding.code, finding.subject) == ("ENV065", "cv2")
    assert "opencv-contrib-python 4.11.0.86 and opencv-python 4.11.0.86 and" in finding.message
    assert finding.hint == (
        "uv pip uninstall --python /env opencv-contrib-python opencv-python opencv-python-headless"
        " && uv pip install --python /env --no-deps opencv-contrib-python==4.11.0.86"
    )


@pytest.mark.parametrize(
    ("backend", "kept"), [(CPU, "faiss-cpu==1.9"), (CUDA, "faiss-gpu-cu12==1.9")], ids=["cpu", "cuda"]
)
def test_the_member_that_serves_the_backend_stays(backend: Backend, kept: str) -> None:
    found = environment(distribution("faiss-cpu", "1.9"), distribution("faiss-gpu-cu12", "1.9"))
    (finding,) = package_conflicts.families(found, backend, CATALOG)
    assert finding.hint.endswith(kept)


def test_one_of_each_family_is_well() -> None:
    found = environment(distribution("opencv-python", "4.11.0.86"), distribution("onnxruntime-gpu", "1.23.0"))
    assert list(package_conflicts.families(found, CUDA, CATALOG)) == []
    assert list(package_conflicts.onnxruntime(found, CATALOG)) == []


def test_what_torch_decides_has_no_cure_here() -> None:
    found = environment(distribution("triton", "3.7.1"), distribution("pytorch-triton", "3.7.1"))
    assert [item.hint for item in package_conflicts.families(found, CUDA, CATALOG)] == [""]


def test_onnxruntime_over_its_gpu_build() -> None:
    under = replace(distribution("onnxruntime-gpu", "1.23.0"), changed=("onnxruntime/x.so",), changed_count=1)
    found = environment(distribution("onnxruntime", "1.23.1"), under)
    (finding,) = package_conflicts.onnxruntime(found, CATALOG)
    assert finding.code == "ENV069"
    assert "its files are those of onnxruntime: CUDAExecutionProvider may be missing" in finding.message
    assert finding.hint.endswith("--no-deps onnxruntime-gpu==1.23.0")
    assert list(package_conflicts.families(found, CUDA, CATALOG)) == []


@pytest.mark.parametrize(
    ("requires", "codes"),
    [
        ((), ["ENV075"]),
        (("torchvision>=0.16",), []),
        (("torchvision; extra == 'vision'",), ["ENV075"]),
        (("torchvision; python_version < '3'",), ["ENV075"]),
        (("not a requirement (",), ["ENV075"]),
    ],
)
def test_what_nothing_needs(requires: tuple[str, ...], codes: list[str]) -> None:
    found = environment(distribution("timm", "1"), distribution("torchvision", "0.26.0"))
    condition = InstalledState(requires={"timm": requires})
    unneeded = {"torchvision": "no use in 3 files"}
    assert [item.code for item in package_conflicts.unused(found, condition, unneeded)] == codes
    assert list(package_conflicts.unused(found, condition, {})) == []


def test_a_path_with_a_space_stays_one_word() -> None:
    found = environment(distribution("faiss-cpu", "1.9"), distribution("faiss-gpu-cu12", "1.9"))
    (finding,) = package_conflicts.families(replace(found, prefix="/my proj/.venv"), CPU, CATALOG)
    assert shlex.split(finding.hint).count("/my proj/.venv") == 2
