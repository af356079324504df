"""Plans of several targets put together."""

from __future__ import annotations

from dataclasses import replace

import pytest
from packaging.requirements import Requirement

from envsmith.model.listing import VersionMetadata
from envsmith.plan.model import ResolutionPlan
from envsmith.uv import joint
from envsmith.uv.joint import JointPlan
from envsmith.uv.universal import lowest
from tests.values import asked, package, plan, resolution, slice_of, target, torch

LINUX = "sys_platform == 'linux' and platform_machine == 'x86_64' and python_version == '3.12'"
WINDOWS = "sys_platform == 'win32' and platform_machine == 'AMD64' and python_version == '3.12'"


def on(platform: str, *requirements: str, python: str = "3.12", **more: object) -> ResolutionPlan:
    values = {"versions": "common", "slice_": slice_of(torch("2.11.0+cu128", platform=platform)), **more}
    return plan(*requirements, target=target(python=python, platform=platform), **values)  # type: ignore[arg-type]


def test_a_requirement_of_some_targets_has_their_markers() -> None:
    found = JointPlan.of(
        [on("manylinux_2_28_x86_64", "torch", "triton; sys_platform == 'linux'"), on("win_amd64", "torch")]
    )
    assert found.requirements[0] == "torch"
    (triton,) = (Requirement(text) for text in found.requirements[1:])
    assert triton.name == "triton"
    held = [target(platform=name).satisfies(triton.marker) for name in ("linux", "windows", "macos")]
    assert held == [True, False, False]
    assert found.markers == (LINUX, WINDOWS)


def test_metadata_that_differs_by_target_gets_markers() -> None:
    plans = []
    for name, needs in (("manylinux_2_28_x86_64", ("a", "b; python_version < '4'")), ("win_amd64", ("a",))):
        one = on(name, "torch")
        described = VersionMetadata(name="torch", version="2.11.0+cu128", requires_dist=needs)
        plans.append(replace(one, slice=replace(one.slice, metadata=(described,))))
    (item,) = JointPlan.of(plans).slice.metadata
    assert item.requires_dist[0] == "a"
    marker = Requirement(item.requires_dist[1]).marker
    assert [target(platform=name).satisfies(marker) for name in ("linux", "windows")] == [True, False]
    assert len(JointPlan.of(plans).slice.projects["torch"]) == 2


@pytest.mark.parametrize(
    "others",
    [
        {"excludes": ("torchaudio",)},
        {"versions": "newest"},
        {"platform": "manylinux_2_17_x86_64"},
        {"overrides": asked("numpy<2")},
        {"slice_": slice_of(torch("2.11.0+cu128"), empty=("torchaudio",))},
        {"slice_": slice_of(torch("2.11.0+cu128", index="cu126"))},
    ],
)
def test_plans_that_one_resolution_cannot_answer_are_apart(others: dict[str, object]) -> None:
    first = on("manylinux_2_28_x86_64", "torch")
    values = {"platform": "win_amd64", **others}
    second = on(values.pop("platform"), "torch", **values)  # type: ignore[arg-type]
    assert joint.groups([first, second]) == ((first,), (second,))
    third = on("win_amd64", "torch", python="3.11")
    assert joint.groups([first, second, third])[0] == (first, third)


def test_a_preferred_version_that_differs_by_target_has_their_markers() -> None:
    first = on("manylinux_2_28_x86_64", "torch", preferences={"numpy": "2.0", "six": "1.0"})
    second = on("win_amd64", "torch", preferences={"numpy": "1.0", "six": "1.0", "colorama": "3"})
    assert list(JointPlan.of([first, second]).preferences()) == [
        ("colorama", "3", ()),
        ("numpy", "1.0", (WINDOWS,)),
        ("numpy", "2.0", (LINUX,)),
        ("six", "1.0", ()),
    ]


def test_several_versions_of_a_package_are_tried_with_the_lowest_unless_they_are_kept() -> None:
    plans = [on("manylinux_2_28_x86_64", "a"), on("win_amd64", "a")]
    answers = [
        resolution(package(f"a-{version}-py3-none-any.whl"), package(f"torch-{version}-py3-none-any.whl"))
        for version in ("2.0", "1.0")
    ]
    assert lowest(plans, answers) == ["a<=1.0"]
    half = [replace(plans[0], preferences={"a": "2.0"}), plans[1]]
    assert lowest(half, answers) == ["a<=1.0"]
    both = [half[0], replace(plans[1], preferences={"a": "1.0"})]
    assert lowest(both, answers) == []
