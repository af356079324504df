from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.catalog.ci import read_actions
from envsmith.errors import CatalogError


def test_each_is_pinned_to_a_commit() -> None:
    found = {action.name: action for action in read_actions()}
    assert set(found) == {"actions/checkout", "actions/setup-python", "actions/cache"}
    checkout = found["actions/checkout"]
    assert checkout.pinned == f"actions/checkout@{checkout.commit} # {checkout.release}"


@pytest.mark.parametrize("commit", ["v7", "3d3c42e", "3D" * 20])
def test_a_tag_is_no_commit(commit: str, tmp_path: Path) -> None:
    path = tmp_path / "actions.toml"
    row = f'name = "a/b"\nrelease = "v1"\ncommit = "{commit}"\nsource = "s"\nretrieved = "2026-11-21"\n'
    path.write_text(f"[[actions]]\n{row}", "utf-8")
    with pytest.raises(CatalogError, match="40 hexadecimal"):
        read_actions(path)
