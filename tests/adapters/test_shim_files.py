from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.adapters import shim_files
from envsmith.errors import InstallError
from envsmith.model.shim import LEGACY_API, package


def test_the_code_of_the_shims_is_at_hand() -> None:
    assert sorted(shim_files.sources()) == [
        "__init__.py",
        "torch_safe_globals.py",
        "torchaudio_legacy_api.py",
    ]


@pytest.mark.parametrize(
    "site", ["lib/python3.12/site-packages", "lib/python3.13t/site-packages", "Lib/site-packages"]
)
def test_all_files_are_laid_where_packages_lie(tmp_path: Path, site: str) -> None:
    (tmp_path / site).mkdir(parents=True)
    made = package((LEGACY_API,), (), shim_files.sources())
    shim_files.lay(tmp_path, made)
    found = {
        path.relative_to(tmp_path / site).as_posix(): path.read_bytes()
        for path in (tmp_path / site).rglob("*")
        if path.is_file()
    }
    assert found == dict(made.files)


def test_an_environment_without_a_place_for_packages_is_told(tmp_path: Path) -> None:
    with pytest.raises(InstallError) as caught:
        shim_files.lay(tmp_path, package((LEGACY_API,), (), {}))
    assert (caught.value.code, caught.value.where) == ("ENV024", str(tmp_path))
