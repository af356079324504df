"""Torch versions of compiled packages, compared with a list from another source."""

from __future__ import annotations

import pytest
from packaging.version import Version

from envsmith.catalog import Catalog
from tests.pairs import PAIRS, TORCHES, fits

CATALOG = Catalog.embedded()


@pytest.mark.parametrize(("project", "version", "torch"), PAIRS)
def test_every_pair_on_record_is_one_row(project: str, version: str, torch: str) -> None:
    rows = [row for row in CATALOG.extensions() if row.describes(project, Version(version))]
    assert len(rows) == 1
    assert rows[0].source
    for other in TORCHES:
        assert rows[0].fits(Version(other)) is fits(torch, other), other


def test_a_label_or_a_nightly_s_day_makes_no_difference() -> None:
    (row,) = (
        row for row in CATALOG.extensions() if row.describes("xformers", Version("0.0.33+5d4b92a5.d20251026"))
    )
    assert row.fits(Version("2.9.0+cu128"))
    assert row.fits(Version("2.9.0.dev20251001+cu128"))
    assert not row.fits(Version("2.9.1+cu128"))


def test_ranges_of_one_project_do_not_overlap() -> None:
    names = {row.project for row in CATALOG.extensions()}
    for name in names:
        rows = [row for row in CATALOG.extensions() if row.project == name]
        bounds = {Version(part.version.replace(".*", "")) for row in rows for part in row.versions}
        for version in bounds:
            assert sum(row.describes(name, version) for row in rows) <= 1, (name, version)


def test_projects_without_wheels_are_none_of_those_with_rows() -> None:
    unbuilt = {row.project for row in CATALOG.unbuilt()}
    assert {"flash-attn", "torch-scatter", "pyg-lib"} <= unbuilt
    assert not unbuilt & {row.project for row in CATALOG.extensions()}
    pages = [row.page.format(torch="2.8.0", backend="cu128") for row in CATALOG.unbuilt() if row.page]
    assert set(pages) == {"https://data.pyg.org/whl/torch-2.8.0+cu128.html"}
