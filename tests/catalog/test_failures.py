from __future__ import annotations

import pytest

from envsmith.catalog import Catalog, failures
from envsmith.catalog.table_reader import Row
from envsmith.errors import CatalogError

ROW: dict[str, object] = {
    "name": "one",
    "pattern": "no way",
    "cause": "there is none",
    "fix": "find one",
    "source": "a test",
    "retrieved": "2026-11-21",
}


def test_the_line_of_a_match_is_returned() -> None:
    row = failures.read_failure(Row("row", ROW))
    assert row.line("first\n  Error:  no way there  \nlast") == "Error: no way there"
    assert row.line("no way") == "no way"
    assert row.line("some way") == ""


@pytest.mark.parametrize("values", [{"pattern": "("}, {"pattern": ""}, {"fix": None}])
def test_a_malformed_row(values: dict[str, object]) -> None:
    with pytest.raises(CatalogError, match="failures"):
        failures.read_failure(Row("failures.toml: row 1", {**ROW, **values}))


def test_names_differ() -> None:
    names = [row.name for row in Catalog.embedded().failures()]
    assert len(set(names)) == len(names) >= 20
