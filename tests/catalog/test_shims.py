from __future__ import annotations

from pathlib import Path

import pytest
from packaging.version import Version

from envsmith.catalog.shims import read_shims, read_users
from envsmith.errors import CatalogError
from envsmith.model.shim import SHIMS


def test_every_shim_has_a_row_that_says_since_when() -> None:
    found = {row.name: row for row in read_shims()}
    assert set(found) == set(SHIMS)
    assert found["torchaudio-legacy-api"].range == "torchaudio 2.9 and later"
    assert found["torch-safe-globals"].since == Version("2.6")


def test_users_name_the_version_that_is_free() -> None:
    found = {(row.shim, row.project): str(row.free_from) for row in read_users()}
    assert found["torchaudio-legacy-api", "pyannote.audio"] == "4.0.0"


def test_a_shim_that_an_end_is_known_of(tmp_path: Path) -> None:
    path = tmp_path / "shims.toml"
    row = 'project = "torchaudio"\nsince = "2.9"\nadds = "a"\nsource = "s"\nretrieved = "2026-11-21"\n'
    path.write_text(f'[[shim]]\nname = "torchaudio-legacy-api"\nuntil = "3.0"\n{row}', "utf-8")
    assert read_shims(path)[0].range == "torchaudio 2.9 to before 3.0"
    path.write_text(f'[[shim]]\nname = "another"\n{row}', "utf-8")
    with pytest.raises(CatalogError, match="unknown shim"):
        read_shims(path)
