"""One owner per import folder."""

from __future__ import annotations

import pytest

from envsmith.catalog import Catalog
from envsmith.rules.families import amend
from tests.rules.made import package, plan, resolution, target

CATALOG = Catalog.embedded()


@pytest.mark.parametrize(
    ("backend", "present", "kept"),
    [
        ("cu128", ["onnxruntime", "onnxruntime-gpu"], "onnxruntime-gpu"),
        ("cpu", ["onnxruntime", "onnxruntime-gpu"], "onnxruntime"),
        (
            "cu128",
            ["opencv-python", "opencv-python-headless", "opencv-contrib-python"],
            "opencv-contrib-python",
        ),
        ("cpu", ["faiss-cpu", "faiss-gpu"], "faiss-cpu"),
    ],
)
def test_one_member_stays(backend: str, present: list[str], kept: str) -> None:
    answer = resolution(*(package(name, "1.0") for name in present))
    found = amend(plan(where=target(backend)), answer, CATALOG)
    assert found
    assert sorted([*found.excludes, kept]) == sorted(present)
    # It is asked for in the others' place, for they may have been the only ones anybody required.
    assert [item.name for item in found.requirements] == [kept]
    assert [decision.code for decision in found.decisions] == ["RES111"] * (len(present) - 1)


def test_a_member_asked_for_directly_is_not_asked_for_twice() -> None:
    answer = resolution(package("onnxruntime", "1.0"), package("onnxruntime-gpu", "1.0"))
    found = amend(plan("onnxruntime-gpu"), answer, CATALOG)
    assert found
    assert found.requirements == ()


def test_the_decision_names_who_asked() -> None:
    answer = resolution(
        package("onnxruntime", "1.0"),
        package("onnxruntime-gpu", "1.0"),
        requirers={"onnxruntime": ("chromadb",)},
    )
    found = amend(plan("onnxruntime-gpu"), answer, CATALOG)
    assert found
    assert found.decisions[0].message.startswith("onnxruntime → onnxruntime-gpu")
    assert "asked by chromadb" in found.decisions[0].message


@pytest.mark.parametrize("present", [[], ["onnxruntime"], ["opencv-python", "onnxruntime"]])
def test_nothing_to_do(present: list[str]) -> None:
    assert amend(plan(), resolution(*(package(name, "1.0") for name in present)), CATALOG) is None
