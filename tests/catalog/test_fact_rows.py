"""Each table refuses invalid rows."""

from collections.abc import Callable

import pytest

from envsmith.catalog import conflict_groups, fact_rows
from envsmith.catalog.table_reader import Row
from envsmith.errors import CatalogError

ORIGIN = {"source": "x", "retrieved": "2026-11-20"}
FAMILY = {"folder": "cv2", "members": ["a", "b"], "interchangeable": True}
PROJECT = {"name": "triton", "origin": "pypi", "backends": ["cuda"], "label": False}


@pytest.mark.parametrize(
    ("read", "values", "key"),
    [
        (fact_rows.backend, {"backend": "cuda12"}, "backend"),
        (fact_rows.backend, {"backend": "cu128", "last_torch": "x"}, "last_torch"),
        (fact_rows.backend, {"backend": "cu128", "stable_end": "May"}, "stable_end"),
        (fact_rows.backend, {"backend": "cu128", "successor": "cuda13"}, "successor"),
        (fact_rows.release, {"torch": "2.8.0"}, "date"),
        (fact_rows.release, {"torch": "2.8.0", "date": "2025-08-06", "torchvision": ["a"]}, "torchvision"),
        (fact_rows.release, {"torch": "2.8.0", "date": "2025-08-06", "torchcodec": "0.6"}, "torchcodec"),
        (fact_rows.kernels, {"backends": ["cu"]}, "backends"),
        (fact_rows.kernels, {"backends": ["cu128"], "platforms": ["mac"]}, "platforms"),
        (fact_rows.kernels, {"backends": [], "platforms": [], "torch": "2", "capabilities": []}, "torch"),
        (
            fact_rows.kernels,
            {"backends": [], "platforms": [], "torch": ">2", "capabilities": ["80"]},
            "capabilities",
        ),
        (fact_rows.driver, {"cuda_major": "12", "linux": "1", "windows": "1"}, "cuda_major"),
        (fact_rows.driver, {"capability_from": "gfx", "linux": "1", "windows": "1"}, "capability_from"),
        (fact_rows.driver, {"linux": "1"}, "windows"),
        (fact_rows.driver, {"linux": "1", "windows": "1", "cuda": "12"}, "cuda"),
        (fact_rows.gpus, {"capability": "sm_80"}, "capability"),
        (fact_rows.gpus, {"capability": "8.0", "pci": ["56a0"]}, "pci"),
        (fact_rows.pypi_wheels, {"torch": "2.8"}, "torch"),
        (fact_rows.pypi_wheels, {"torch": "==2.8.0", "platforms": [], "pythons": ["cp312"]}, "pythons"),
        (fact_rows.pairing, {"when": "torch >"}, "when"),
        (fact_rows.pairing, {"when": "torch", "family": "nvidia"}, "family"),
        (fact_rows.pairing, {"when": "torch", "os": "mac"}, "os"),
        (fact_rows.pairing, {"when": "torch", "needs": ["torch=1"]}, "needs"),
        (fact_rows.pairing, {"when": "torch", "same_cuda": ["a b"]}, "same_cuda"),
        (fact_rows.pairing, {"when": "torch"}, "reason"),
        (fact_rows.pypi_build, {"project": "torch", "versions": "2.8"}, "versions"),
        (conflict_groups.read, FAMILY, "cpu"),
        (conflict_groups.read, FAMILY | {"cpu": ["c"]}, "cpu"),
        (conflict_groups.read, FAMILY | {"cpu": ["a"], "interchangeable": "yes"}, "interchangeable"),
        (conflict_groups.read, FAMILY | {"cpu": [], "brought": ["c"]}, "brought"),
        (conflict_groups.read, FAMILY | {"cpu": [], "wider": ["a: c"]}, "wider"),
        (conflict_groups.read, FAMILY | {"cpu": [], "wider": ["a"]}, "wider"),
        (conflict_groups.read, FAMILY | {"cpu": [], "only": ["c: win_amd64"]}, "only"),
        (conflict_groups.read, FAMILY | {"cpu": [], "only": ["a: win"]}, "only"),
        (fact_rows.project, PROJECT | {"origin": "index"}, "origin"),
        (fact_rows.project, PROJECT | {"backends": ["nvidia"]}, "backends"),
        (fact_rows.project, {"name": "triton", "origin": "pypi"}, "label"),
    ],
)
def test_a_malformed_row_names_the_key(
    read: Callable[[Row], object], values: dict[str, object], key: str
) -> None:
    with pytest.raises(CatalogError) as caught:
        read(Row("t.toml: row 1", values | ORIGIN))
    assert caught.value.code == "CAT022"
    assert caught.value.where == f"t.toml: row 1: {key}"


def test_capabilities_of_both_makers_are_read() -> None:
    assert fact_rows.capability("8.9") == (8, 9)
    assert fact_rows.capability("gfx90a") == "gfx90a"


def test_wheels_of_a_system_or_a_machine_are_read() -> None:
    assert fact_rows.wheels("macos").machine is None
    assert fact_rows.wheels("linux aarch64").machine == "aarch64"
