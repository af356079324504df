from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from packaging.utils import NormalizedName, canonicalize_name

from envsmith.model.finding import UnmetRequirement
from envsmith.model.usage import Use
from envsmith.plan.model import Amendment
from envsmith.plan.unmet_requirements import judge, unmet_requirements
from tests.plan.made import plan, target

TIMM = canonicalize_name("timm")


def missing(requires: Mapping[str, tuple[str, ...]], *asked: str, excluded: str = "torchvision") -> list[str]:
    made = replace(plan(*asked), excludes=(excluded,))
    names: dict[NormalizedName, tuple[str, ...]] = {canonicalize_name(k): v for k, v in requires.items()}
    return [str(item) for item in unmet_requirements(made, names)]


def test_requirements_on_what_is_excluded_are_told_as_metadata_says_them() -> None:
    requires = {"timm": ("torch", "torchvision>=0.16"), "lpips": ("TorchVision",), "numpy": ()}
    assert missing(requires) == ["lpips: TorchVision", "timm: torchvision>=0.16"]


def test_markers_are_judged_on_the_target() -> None:
    requires = {"timm": ('torchvision; sys_platform == "win32"', 'torchvision>=1; python_version >= "3.12"')}
    assert missing(requires) == ["timm: torchvision>=1"]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (("timm",), []),
        (("timm[vision]",), ["timm: torchvision"]),
        (("timm[other]",), []),
        (("a",), ["timm: torchvision"]),
    ],
)
def test_requirements_of_extras_count_where_the_extra_is_asked_for(
    asked: tuple[str, ...], expected: list[str]
) -> None:
    requires = {"timm": ('torchvision; extra == "vision"',), "a": ("b",), "b": ("timm[vision]",)}
    if asked != ("a",):
        del requires["b"]
    assert missing(requires, *asked) == expected


def test_an_extra_that_an_extra_switches_on_is_followed() -> None:
    requires = {
        "a": ('a[two]; extra == "one"', 'timm[vision]; extra == "two"'),
        "timm": ('torchvision; extra == "vision"',),
    }
    assert missing(requires, "a[one]") == ["timm: torchvision"]
    assert missing(requires, "a") == []


def test_what_a_family_leaves_out_is_told_too() -> None:
    made = plan("chromadb").amended(Amendment(decisions=(), excludes=("onnxruntime",)))
    found = unmet_requirements(made, {canonicalize_name("chromadb"): ("onnxruntime>=1.14.1",)})
    assert [str(item) for item in found] == ["chromadb: onnxruntime>=1.14.1"]


def test_what_is_no_requirement_is_passed_over() -> None:
    assert missing({"timm": ("torchvision (", "torchvision")}) == ["timm: torchvision"]
    assert missing({"timm": ("torchvision",)}, excluded="torchaudio") == []


def test_other_platforms_have_other_requirements() -> None:
    made = replace(plan("timm", where=target(platform="windows")), excludes=("torchvision",))
    found = unmet_requirements(made, {TIMM: ('torchvision; sys_platform == "win32"',)})
    assert found == (UnmetRequirement(requirer=TIMM, requirement="torchvision"),)


def test_an_import_at_import_time_breaks_the_requirer() -> None:
    item = UnmetRequirement(requirer=TIMM, requirement="torchvision")
    uses = [
        Use(file="timm/a.py", line=line, module="torchvision", kind="import", certainty="certain")
        for line in range(1, 6)
    ]
    decision = judge(item, "1.0", uses)
    assert decision.code == "RES130"
    assert decision.message.startswith("timm 1.0 imports torchvision")
    assert decision.evidence == (
        "timm requires torchvision",
        "timm/a.py:1 (import: torchvision)",
        "timm/a.py:2 (import: torchvision)",
        "timm/a.py:3 (import: torchvision)",
        "and 2 more",
    )


def test_without_one_it_is_only_noted() -> None:
    decision = judge(UnmetRequirement(requirer=TIMM, requirement="torchvision>=1"), "1.0", ())
    assert (decision.code, decision.kind) == ("RES131", "noted")
    assert "requires torchvision>=1" in decision.message
