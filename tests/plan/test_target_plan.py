from dataclasses import replace
from typing import Any

import pytest

from envsmith.catalog import Catalog
from envsmith.errors import ProfileError, ResolveError
from envsmith.plan.model import Cutoffs, LockRequest, ResolutionPlan, TorchIndexSlice
from envsmith.plan.target_plan import plan_target
from tests.values import CUTOFF, asked, profile, slice_of, target, torch, wheel

CATALOG = Catalog.embedded()
TORCH = torch("2.11.0+cu128")
VISION = wheel("torchvision-0.26.0+cu128-cp312-cp312-manylinux_2_28_x86_64.whl")
SLICE = slice_of(TORCH, VISION, empty=("torchaudio",))


def planned(
    *requirements: str, slice_: TorchIndexSlice = SLICE, backend: str = "cu128", **more: Any
) -> ResolutionPlan:
    of = replace(more.pop("profile", profile()), channel=more.pop("channel", "stable"))
    where = more.pop("target", target(backend=backend))
    cutoffs = Cutoffs(cutoff_utc=more.pop("cutoff_utc", CUTOFF))
    request = LockRequest(profile=of, requirements=asked(*requirements), **more)
    return plan_target(request, where, cutoffs, slice_, CATALOG)


def test_what_is_asked_for_and_what_exists() -> None:
    found = planned("torch", "numpy<2", constraints=asked("pillow<12"))
    assert [str(item.requirement) for item in found.requirements] == ["torch", "numpy<2"]
    assert [str(item.requirement) for item in found.constraints] == ["pillow<12"]
    assert found.slice.projects["torch"] == (TORCH,)
    assert found.pypi_builds == {}


def test_requirements_of_other_targets_are_left_out() -> None:
    found = planned("torch", "pywin32; sys_platform == 'win32'", "uvloop; sys_platform == 'linux'")
    assert [item.name for item in found.requirements] == ["torch", "uvloop"]


def test_label_of_the_backend_is_taken_off() -> None:
    (requirement,) = planned("torch==2.11.0+cu128").requirements
    assert str(requirement.requirement) == "torch==2.11.0"


def test_label_of_another_backend_is_refused() -> None:
    with pytest.raises(ProfileError) as caught:
        planned("torch==2.11.0+cpu")
    assert caught.value.code == "PRF041"
    assert "+cpu" in caught.value.message
    assert "cu128" in caught.value.message
    assert caught.value.where == "requirements.in:1"


def test_dropped_projects_are_excluded_and_told() -> None:
    without = profile(family={"torchvision": "drop", "torchaudio": "keep"})
    found = planned("torch", "torchvision", profile=without)
    assert found.excludes == ("torchvision",)
    assert [item.name for item in found.requirements] == ["torch"]
    assert [(item.code, item.evidence) for item in found.decisions] == [
        ("RES101", ("required at requirements.in:1",))
    ]


def test_no_wheel_is_refused_with_what_is_here() -> None:
    with pytest.raises(ResolveError) as caught:
        planned("torch>=2.12")
    assert caught.value.code == "RES021"
    assert caught.value.details == (("here", "torch 2.11.0"),)
    assert caught.value.where == "requirements.in:1"


def test_no_wheel_at_all_is_refused() -> None:
    with pytest.raises(ResolveError) as caught:
        planned("xformers", slice_=slice_of(TORCH, empty=("xformers",)))
    assert (caught.value.code, caught.value.details) == ("RES021", ())


def test_a_cpu_build_that_works_beside_every_torch_fills_a_gap() -> None:
    found = planned("torchcodec>=0.2.1,<0.6", slice_=slice_of(TORCH, empty=("torchcodec",)))
    assert found.pypi_builds == {"torchcodec": "0.5"}
    assert ["is the cpu build" in item.message for item in found.decisions] == [True]


def test_gap_is_filled_by_pypi_where_its_wheel_is_this_build() -> None:
    found = planned("torch", slice_=slice_of(empty=("torch",), index="cu132"), backend="cu132")
    assert found.pypi_builds == {"torch": "2.15.0"}
    assert "torch" not in found.slice.projects
    assert [str(item.requirement) for item in found.constraints] == ["torch==2.15.0"]
    assert [item.code for item in found.decisions] == ["RES102"]


def test_pypi_has_no_build_of_this_backend() -> None:
    where = target(platform="linux-aarch64", backend="cu126")
    with pytest.raises(ResolveError) as caught:
        planned("torch", profile=profile(index="pypi"), target=where, slice_=slice_of(empty=("torch",)))
    assert caught.value.code == "RES022"
    assert "no cu126 build" in caught.value.message


def test_pypi_has_this_build_for_other_pythons() -> None:
    where = target("3.10", backend="cu132")
    with pytest.raises(ResolveError) as caught:
        planned("torch", profile=profile(index="pypi"), target=where, slice_=slice_of(empty=("torch",)))
    assert caught.value.code == "RES021"
    assert "2.15.0 is the cu132 build, for Python >=3.11" in caught.value.details[0][1]


def test_nothing_after_the_cutoff_comes_from_pypi() -> None:
    with pytest.raises(ResolveError):
        planned(
            "torch",
            slice_=slice_of(empty=("torch",), index="cu132"),
            backend="cu132",
            cutoff_utc="2026-10-01T00:00:00Z",
        )


def test_only_a_shim_that_undoes_a_bond_changes_the_plan() -> None:
    plain = planned("torch")
    other = planned("torch", profile=profile(later={"shims": ("torch-safe-globals",)}))
    legacy = planned(
        "torch", profile=profile(later={"shims": ("torchaudio-legacy-api", "torch-safe-globals")})
    )
    assert other.digest() == plain.digest()
    assert legacy.shims == ("torchaudio-legacy-api",)
    assert legacy.inputs()["shim"] == ["torchaudio-legacy-api"]
    assert legacy.digest() != plain.digest()
