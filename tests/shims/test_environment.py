from __future__ import annotations

import sys
from pathlib import Path

import pytest

from envsmith.environment.prefix import interpreter_path
from envsmith.errors import InstallError
from envsmith.model.shim import LEGACY_API, package
from envsmith.process.runner import Processes
from envsmith.shims import environment


def test_the_code_of_the_shims_is_at_hand() -> None:
    assert sorted(environment.shim_sources()) == [
        "__init__.py",
        "torch_safe_globals.py",
        "torchaudio_legacy_api.py",
    ]


@pytest.mark.parametrize(
    "site", ["lib/python3.12/site-packages", "lib/python3.13t/site-packages", "Lib/site-packages"]
)
def test_all_files_are_laid_where_packages_lie(tmp_path: Path, site: str) -> None:
    (tmp_path / site).mkdir(parents=True)
    made = package((LEGACY_API,), (), environment.shim_sources())
    interpreter_path(tmp_path).parent.mkdir(parents=True, exist_ok=True)
    interpreter_path(tmp_path).symlink_to(sys.executable)
    environment.install_shims(tmp_path, made, Processes())
    compiled = {path.name.partition(".")[0] for path in tmp_path.rglob("*.pyc")}
    assert compiled == {"__init__", "torch_safe_globals", "torchaudio_legacy_api"}
    found = {
        path.relative_to(tmp_path / site).as_posix(): path.read_bytes()
        for path in (tmp_path / site).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert found == dict(made.files)


def test_an_environment_without_a_place_for_packages_is_told(tmp_path: Path) -> None:
    with pytest.raises(InstallError) as caught:
        environment.install_shims(tmp_path, package((LEGACY_API,), (), {}), Processes())
    assert (caught.value.code, caught.value.where) == ("ENV024", str(tmp_path))
