"""Kernels for declared GPUs: builds without them are left out, or the profile is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envsmith.catalog import Catalog
from envsmith.config.profile import Profile
from envsmith.errors import CatalogError
from envsmith.model.backend import Backend
from envsmith.plan import kernel_filter
from tests.plan.made import asked, plan, row, target

CATALOG = Catalog.embedded()
OLD = row("torch-2.6.0+cu126-cp312-cp312-linux_x86_64.whl", index="cu126")
NEW = row("torch-2.9.1+cu126-cp312-cp312-manylinux_2_28_x86_64.whl", index="cu126")


def profile(*gpu: str, backend: str = "cu126") -> Profile:
    where = target(backend)
    return Profile(
        name="made",
        backend=Backend.parse(backend),
        python=(where.python,),
        platforms=(where.platform,),
        gpu=gpu,
        origins={("gpu", name): f"profiles/made.toml:{number}: gpu" for number, name in enumerate(gpu, 5)},
    )


def test_without_a_declared_gpu_nothing_is_left_out() -> None:
    given = plan(rows=(OLD, NEW), where=target("cu126")).slice
    assert kernel_filter.narrow(given, profile(), target("cu126"), (), CATALOG) == (given, ())


def test_a_gpu_that_every_build_serves_needs_no_decision() -> None:
    given = plan(rows=(OLD, NEW), where=target("cu126")).slice
    found, told = kernel_filter.narrow(given, profile("GTX 1080"), target("cu126"), (), CATALOG)
    assert found.projects["torch"] == (OLD, NEW)
    assert told == ()


def test_builds_without_kernels_are_left_out_and_told() -> None:
    bare = row("torch-2.6.0+cu128-cp312-cp312-linux_x86_64.whl")
    whole = row("torch-2.8.0+cu128-cp312-cp312-manylinux_2_28_x86_64.whl")
    later = row("torch-2.11.0+cu128-cp312-cp312-manylinux_2_28_x86_64.whl")
    given = plan(rows=(bare, whole, later)).slice
    found, (told,) = kernel_filter.narrow(given, profile("V100", backend="cu128"), target(), (), CATALOG)
    assert later not in found.projects["torch"], "torch 2.11 for CUDA 12.8 begins with Turing"
    assert whole in found.projects["torch"]
    assert (told.code, told.subject) == ("RES107", "torch")
    assert "V100" in told.message


def test_a_gpu_that_no_admitted_build_serves_is_refused_with_what_there_is() -> None:
    wheel = row("torch-2.14.0+cu130-cp312-cp312-manylinux_2_28_x86_64.whl", index="cu130")
    given = plan(rows=(wheel,), where=target("cu130")).slice
    with pytest.raises(kernel_filter.NoKernelsError) as caught:
        kernel_filter.narrow(
            given, profile("GTX 1080", backend="cu130"), target("cu130"), asked("torch"), CATALOG
        )
    error = caught.value
    assert (error.code, error.exit_code) == ("RES033", 1)
    assert error.message == "torch 2.14.0+cu130 has no kernels for GeForce GTX 1080 (sm_61)"
    assert error.where == "profiles/made.toml:5: gpu"
    assert error.details == (("built for", "sm_75 sm_80 sm_86 sm_90 sm_100 sm_120"),)


def test_a_requirement_for_another_target_does_not_bind_here() -> None:
    given = plan(rows=(OLD, NEW), where=target("cu126")).slice
    wishes = asked("torch==9; sys_platform == 'win32'")
    found, _ = kernel_filter.narrow(given, profile("GTX 1080"), target("cu126"), wishes, CATALOG)
    assert found == given


@pytest.mark.parametrize(
    ("filename", "backend", "gpu"),
    [
        ("torch-2.7.1+cu118-cp312-cp312-manylinux_2_28_x86_64.whl", "cu118", "RTX 4090"),
        # Validated hardware is named for XPU, no kernels: another Intel GPU may do.
        ("torch-2.11.0+xpu-cp312-cp312-linux_x86_64.whl", "xpu", "Meteor Lake-U"),
    ],
)
def test_kernels_that_are_not_known_are_no_reason_to_refuse(filename: str, backend: str, gpu: str) -> None:
    given = plan(rows=(row(filename, index=backend),), where=target(backend)).slice
    found, _ = kernel_filter.narrow(given, profile(gpu, backend=backend), target(backend), (), CATALOG)
    assert found == given


@pytest.mark.parametrize(
    ("filename", "backend", "gpu", "platform"),
    [
        ("torch-2.11.0+xpu-cp312-cp312-linux_x86_64.whl", "xpu", "RTX 4090", "linux"),
        (
            "torch-2.7.1+cu128-cp312-cp312-manylinux_2_28_aarch64.whl",
            "cu128",
            "Jetson AGX Orin",
            "linux-aarch64",
        ),
    ],
)
def test_a_gpu_of_another_maker_and_a_jetson_are_refused_all_the_same(
    filename: str, backend: str, gpu: str, platform: str
) -> None:
    where = target(backend, platform)
    given = plan(rows=(row(filename, index=backend),), where=where).slice
    with pytest.raises(kernel_filter.NoKernelsError):
        kernel_filter.narrow(given, profile(gpu, backend=backend), where, (), CATALOG)


def test_an_unknown_gpu_is_told_with_its_place() -> None:
    with pytest.raises(CatalogError) as caught:
        kernel_filter.narrow(plan().slice, profile("RTX 9999"), target(), (), CATALOG)
    assert (caught.value.code, caught.value.where) == ("CAT021", "profiles/made.toml:5: gpu")


@pytest.mark.parametrize(("gpu", "is_refused"), [("GTX 1080", True), ("RTX 5080", False)])
def test_the_torch_of_pypi_is_looked_at_too(gpu: str, *, is_refused: bool) -> None:
    given = replace(plan("torch", where=target("cu132")), pypi_builds={"torch": "2.15.0"})
    if not is_refused:
        kernel_filter.check(given, profile(gpu, backend="cu132"), CATALOG)
        return
    with pytest.raises(kernel_filter.NoKernelsError, match=r"2\.15\.0 from PyPI \(cu132\)"):
        kernel_filter.check(given, profile(gpu, backend="cu132"), CATALOG)
