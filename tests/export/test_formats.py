from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from packaging.requirements import Requirement

from envsmith.export.formats import to_constraints, to_uv
from envsmith.lockfile.saved import SavedLock
from tests.locks import LINUX, MAC, WINDOWS, kept

OLDER = "cp311-manylinux_2_28_x86_64"
ARM = "cp312-manylinux_2_28_aarch64"


def pins(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#")]


def found(lines: list[str], lock: SavedLock) -> dict[str, str]:
    """Return name → specifier of the constraints that hold on a lock's target."""
    asked = [Requirement(line) for line in lines]
    return {item.name: str(item.specifier) for item in asked if lock.target.satisfies(item.marker)}


def uv(*locks: SavedLock) -> Mapping[str, Any]:
    """Return the tables, read back."""
    tables: Mapping[str, Any] = tomllib.loads(to_uv(locks))["tool"]["uv"]
    return tables


def test_one_target() -> None:
    text = to_constraints([kept(f"p/{LINUX}", "torch==2.11.0+cu128", "numpy==2.0.0")])
    assert text.startswith(f"# p · {LINUX}\n")
    assert pins(text) == ["numpy==2.0.0", "torch==2.11.0+cu128"]


def test_markers_where_versions_differ_and_only_there() -> None:
    locks = [
        kept(f"p/{OLDER}", "torch==2.11.0", "numpy==2.0.0", "only==1"),
        kept(f"p/{LINUX}", "torch==2.11.0", "numpy==2.4.0"),
        kept(f"p/{WINDOWS}", "torch==2.10.0", "numpy==2.4.0"),
    ]
    assert pins(to_constraints(locks)) == [
        "numpy==2.0.0 ; python_version == '3.11'",
        "numpy==2.4.0 ; python_version == '3.12'",
        "only==1",
        "torch==2.10.0 ; sys_platform == 'win32'",
        "torch==2.11.0 ; sys_platform == 'linux'",
    ]


def test_each_target_has_its_own_versions() -> None:
    locks = [
        kept(f"p/{OLDER}", "torch==1", "a==1"),
        kept(f"p/{LINUX}", "torch==2", "a==1"),
        kept(f"p/{ARM}", "torch==1", "a==2"),
        kept(f"p/{WINDOWS}", "torch==1", "a==1"),
    ]
    lines = pins(to_constraints(locks))
    for lock in locks:
        assert found(lines, lock) == {pin.name: f"=={pin.version}" for pin in lock.pins.packages}


def test_a_uv_project() -> None:
    lock = kept(
        f"p/{LINUX}",
        "torch==2.11.0+cu128",
        "triton==3.6.0",
        "numpy==2.0.0",
        family={"torch": "torch.whl", "triton": "triton.whl"},
        from_pypi=("triton",),
    )
    tables = uv(lock)
    assert tables["constraint-dependencies"] == ["torch==2.11.0+cu128", "triton==3.6.0"]
    assert tables["environments"] == ["sys_platform == 'linux' and platform_machine == 'x86_64'"]
    assert tables["index"] == [
        {"name": "pytorch-cu128", "url": "https://download.pytorch.org/whl/cu128", "explicit": True}
    ]
    assert tables["sources"] == {"torch": {"index": "pytorch-cu128"}}


def test_targets_of_several_indexes() -> None:
    family = {"torch": "torch.whl"}
    locks = (
        kept(f"p/{LINUX}", "torch==2.11.0+cu128", family=family),
        kept(f"p/{MAC}", "torch==2.11.0", backend="cpu", family=family),
        kept(f"p/{WINDOWS}", "torch==2.11.0", family=family, from_pypi=("torch",)),
    )
    tables = uv(*locks)
    assert [item["name"] for item in tables["index"]] == ["pytorch-cpu", "pytorch-cu128"]
    assert tables["sources"]["torch"] == [
        {"index": "pytorch-cpu", "marker": "sys_platform == 'darwin'"},
        {"index": "pytorch-cu128", "marker": "sys_platform == 'linux'"},
    ]


def test_a_nightly_and_a_version_with_a_dot() -> None:
    family = {"torch": "torch.whl"}
    lock = kept(
        f"p/{LINUX}", "torch==2.15.0.dev1+rocm7.2", backend="rocm7.2", channel="nightly", family=family
    )
    assert uv(lock)["index"][0] == {
        "name": "pytorch-nightly-rocm7-2",
        "url": "https://download.pytorch.org/whl/nightly/rocm7.2",
        "explicit": True,
    }


def test_all_from_pypi() -> None:
    tables = uv(kept(f"p/{LINUX}", "torch==2.15.0", family={"torch": "t.whl"}, from_pypi=("torch",)))
    assert "index" not in tables
    assert "sources" not in tables
    assert tables["constraint-dependencies"] == ["torch==2.15.0"]
