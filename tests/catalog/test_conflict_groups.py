from __future__ import annotations

import pytest

from envsmith.catalog import Catalog, ConflictGroup
from envsmith.catalog.conflict_groups import read
from envsmith.catalog.table_reader import Row
from envsmith.model.backend import Backend
from envsmith.model.target import Platform

FAMILIES = {family.folder: family for family in Catalog.embedded().families()}


def family(**values: object) -> ConflictGroup:
    row = {
        "folder": "cv2",
        "members": ["b", "a"],
        "interchangeable": True,
        "cpu": [],
        "source": "made up",
        "retrieved": "2026-11-21",
    }
    return read(Row("families.toml: row 1", {**row, **values}))


def test_a_row_is_read_whole() -> None:
    found = family(
        name="opencv",
        cuda=["b"],
        same_versions=True,
        brought=["b"],
        wider=["a: b"],
        only=["b: manylinux_2_28_x86_64 win_amd64"],
        chooser="torch",
        conflict="no",
    )
    assert (found.folder, found.name, found.members) == ("cv2", "opencv", ("a", "b"))
    assert (found.preference(Backend.parse("cu128")), found.preference(Backend.parse("xpu"))) == (("b",), ())
    assert (found.has_same_versions, found.brought, dict(found.wider)) == (True, ("b",), {"a": "b"})
    assert (found.chooser, found.reason) == ("torch", "no")
    assert family().reason == "both own the folder cv2"
    assert family().name == "cv2"


@pytest.mark.parametrize(
    ("member", "platform", "has"),
    [
        ("onnxruntime-gpu", "linux", True),
        ("onnxruntime-gpu", "windows", True),
        ("onnxruntime-gpu", "linux-aarch64", False),
        ("onnxruntime-gpu", "manylinux_2_34_aarch64", True),
        ("onnxruntime-gpu", "macos", False),
        ("onnxruntime-migraphx", "linux", False),
        ("onnxruntime-directml", "windows", True),
        ("onnxruntime", "macos", True),
    ],
)
def test_where_a_member_has_builds(member: str, platform: str, has: bool) -> None:
    onnxruntime = FAMILIES["onnxruntime"]
    (name,) = (name for name in onnxruntime.members if name == member)
    assert onnxruntime.has_builds(name, Platform.parse(platform)) is has


def test_every_family_of_the_facts_is_there() -> None:
    assert {"cv2", "onnxruntime", "tensorflow", "triton", "faiss", "jax plugins"} <= set(FAMILIES)
    libraries = {folder for folder in FAMILIES if folder.startswith("nvidia/")}
    assert {"nvidia/cudnn", "nvidia/nccl", "nvidia/cublas", "nvidia/cuda_runtime"} <= libraries
    assert len({family.name for family in FAMILIES.values()}) == len(FAMILIES)


def test_no_project_is_of_two_families() -> None:
    members = [member for family in FAMILIES.values() for member in family.members]
    assert len(members) == len(set(members))


def test_whatever_changes_a_plan_is_in_the_digest() -> None:
    parts = [
        family(**more).digest_parts()
        for more in (
            {},
            {"brought": ["a"]},
            {"wider": ["a: b"]},
            {"only": ["a: win_amd64"]},
            {"chooser": "a"},
        )
    ]
    assert all(parts.count(part) == 1 for part in parts)
