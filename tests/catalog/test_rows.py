"""Each table refuses invalid rows."""

from collections.abc import Callable

import pytest

from envsmith.catalog import conflict_groups, rows
from envsmith.catalog.tables import Row
from envsmith.errors import CatalogError

ORIGIN = {"source": "x", "retrieved": "2026-11-20"}
FAMILY = {"folder": "cv2", "members": ["a", "b"], "interchangeable": True}
PROJECT = {"name": "triton", "origin": "pypi", "backends": ["cuda"], "label": False}


@pytest.mark.parametrize(
    ("read", "values", "key"),
    [
        (rows.backend, {"backend": "cuda12"}, "backend"),
        (rows.backend, {"backend": "cu128", "last_torch": "x"}, "last_torch"),
        (rows.backend, {"backend": "cu128", "stable_end": "May"}, "stable_end"),
        (rows.backend, {"backend": "cu128", "successor": "cuda13"}, "successor"),
        (rows.release, {"torch": "2.8.0"}, "date"),
        (rows.release, {"torch": "2.8.0", "date": "2025-08-06", "torchvision": ["a"]}, "torchvision"),
        (rows.release, {"torch": "2.8.0", "date": "2025-08-06", "torchcodec": "0.6"}, "torchcodec"),
        (rows.kernels, {"backends": ["cu"]}, "backends"),
        (rows.kernels, {"backends": ["cu128"], "platforms": ["mac"]}, "platforms"),
        (rows.kernels, {"backends": [], "platforms": [], "torch": "2", "capabilities": []}, "torch"),
        (
            rows.kernels,
            {"backends": [], "platforms": [], "torch": ">2", "capabilities": ["80"]},
            "capabilities",
        ),
        (rows.driver, {"cuda_major": "12", "linux": "1", "windows": "1"}, "cuda_major"),
        (rows.driver, {"capability_from": "gfx", "linux": "1", "windows": "1"}, "capability_from"),
        (rows.driver, {"linux": "1"}, "windows"),
        (rows.driver, {"linux": "1", "windows": "1", "cuda": "12"}, "cuda"),
        (rows.gpus, {"capability": "sm_80"}, "capability"),
        (rows.gpus, {"capability": "8.0", "pci": ["56a0"]}, "pci"),
        (rows.pypi_wheels, {"torch": "2.8"}, "torch"),
        (rows.pypi_wheels, {"torch": "==2.8.0", "platforms": [], "pythons": ["cp312"]}, "pythons"),
        (rows.pairing, {"when": "torch >"}, "when"),
        (rows.pairing, {"when": "torch", "family": "nvidia"}, "family"),
        (rows.pairing, {"when": "torch", "os": "mac"}, "os"),
        (rows.pairing, {"when": "torch", "needs": ["torch=1"]}, "needs"),
        (rows.pairing, {"when": "torch", "same_cuda": ["a b"]}, "same_cuda"),
        (rows.pairing, {"when": "torch"}, "reason"),
        (rows.pypi_build, {"project": "torch", "versions": "2.8"}, "versions"),
        (conflict_groups.read, FAMILY, "cpu"),
        (conflict_groups.read, FAMILY | {"cpu": ["c"]}, "cpu"),
        (conflict_groups.read, FAMILY | {"cpu": ["a"], "interchangeable": "yes"}, "interchangeable"),
        (conflict_groups.read, FAMILY | {"cpu": [], "brought": ["c"]}, "brought"),
        (conflict_groups.read, FAMILY | {"cpu": [], "wider": ["a: c"]}, "wider"),
        (conflict_groups.read, FAMILY | {"cpu": [], "wider": ["a"]}, "wider"),
        (conflict_groups.read, FAMILY | {"cpu": [], "only": ["c: win_amd64"]}, "only"),
        (conflict_groups.read, FAMILY | {"cpu": [], "only": ["a: win"]}, "only"),
        (rows.project, PROJECT | {"origin": "index"}, "origin"),
        (rows.project, PROJECT | {"backends": ["nvidia"]}, "backends"),
        (rows.project, {"name": "triton", "origin": "pypi"}, "label"),
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
    assert rows.capability("8.9") == (8, 9)
    assert rows.capability("gfx90a") == "gfx90a"


def test_wheels_of_a_system_or_a_machine_are_read() -> None:
    assert rows.wheels("macos").machine is None
    assert rows.wheels("linux aarch64").machine == "aarch64"
