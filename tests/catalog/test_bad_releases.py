from __future__ import annotations

import pytest
from packaging.version import Version

from envsmith.catalog import Catalog, failures
from envsmith.catalog.table_reader import Row
from envsmith.errors import CatalogError

ROW: dict[str, object] = {
    "project": "torch",
    "versions": "==2.9.0",
    "problem": "fails",
    "fix": "take another",
    "source": "a test",
    "retrieved": "2026-11-21",
}


def test_a_row_is_about_its_versions_on_its_system() -> None:
    everywhere = failures.read_bad_release(Row("row", ROW))
    windows = failures.read_bad_release(Row("row", {**ROW, "os": "windows"}))
    assert everywhere.describes("torch", Version("2.9.0+cpu"), "linux")
    assert not everywhere.describes("torchvision", Version("2.9.0"), "linux")
    assert not everywhere.describes("torch", Version("2.9.1"), "linux")
    assert [windows.describes("torch", Version("2.9.0"), os) for os in ("linux", "windows")] == [False, True]


@pytest.mark.parametrize("key", ["project", "versions", "problem", "fix"])
def test_a_row_without_a_value(key: str) -> None:
    with pytest.raises(CatalogError, match="missing"):
        failures.read_bad_release(Row("row", {name: value for name, value in ROW.items() if name != key}))


def test_the_table_is_read() -> None:
    assert {row.project for row in Catalog.embedded().bad_releases()} >= {"torch"}
