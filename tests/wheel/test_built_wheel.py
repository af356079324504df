"""The built wheel, installed elsewhere: the command, profiles, catalog and snapshot are there."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

import pytest

from envsmith import __version__
from envsmith.uv.resolver import find_uv
from tests.built import ROOT, build_wheel, run


def program(folder: Path, name: str) -> Path:
    """Return a program of the environment in a folder, on Windows and elsewhere."""
    return next(
        path
        for path in (folder / "env" / "Scripts" / f"{name}.exe", folder / "env" / "bin" / name)
        if path.exists()
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("source"))


def test_wheel_holds_everything_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder, pattern in (
        ("envsmith", "**/*.py"),
        ("envsmith/catalog", "**/*.toml"),
        ("envsmith/catalog", "**/*.json"),
        ("envsmith/templates", "*.*"),
    ):
        for path in (ROOT / folder).glob(pattern):
            assert path.relative_to(ROOT).as_posix() in names
    for path in (ROOT / "profiles").glob("*.toml"):
        assert f"envsmith/profiles/{path.name}" in names
    assert "envsmith/py.typed" in names
    tops = {name.split("/")[0] for name in names}
    assert tops == {"envsmith", f"envsmith-{__version__}.dist-info"}


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install into an environment of its own; what envsmith requires is lent from the one that tests run in."""
    folder = tmp_path_factory.mktemp("installed")
    uv = find_uv()
    run(uv, "venv", "--quiet", "--python", sys.executable, "env", folder=folder)
    python = program(folder, "python")
    run(uv, "pip", "install", "--quiet", "--offline", "--no-deps", "--python", python, wheel, folder=folder)
    site = next((folder / "env").glob("**/site-packages"))
    lent = Path(next(path for path in sys.path if path.endswith("site-packages")))
    for name in ("click", "packaging", "requests", "rich", "tomlkit", "uv", "urllib3", "idna", "certifi"):
        (site / name).symlink_to(lent / name, target_is_directory=True)
    return program(folder, "envsmith")


def test_command_runs(installed: Path, tmp_path: Path) -> None:
    assert "Reproducible, true PyTorch environments" in run(installed, "--help", folder=tmp_path)
    assert run(installed, "--version", folder=tmp_path) == f"envsmith, version {__version__}\n"


def test_profiles_are_there(installed: Path, tmp_path: Path) -> None:
    found = json.loads(run(installed, "profiles", "--json", folder=tmp_path))["data"]
    assert {item["name"] for item in found} == {path.stem for path in (ROOT / "profiles").glob("*.toml")}


def test_catalog_and_snapshot_are_there(installed: Path, tmp_path: Path) -> None:
    found = json.loads(run(installed, "catalog", "show", "cu128", "--json", folder=tmp_path))["data"]
    assert found["last_torch"] == "2.11.0"
    assert any(build["version"] == "2.11.0+cu128" for build in found["builds"])


def test_nothing_of_the_checkout_is_used(installed: Path, tmp_path: Path) -> None:
    python = installed.with_name(installed.name.replace("envsmith", "python"))
    place = run(python, "-c", "import envsmith; print(envsmith.__file__)", folder=tmp_path)
    assert not place.startswith(str(ROOT / "envsmith"))
    assert str(installed.parent.parent) in place


@pytest.mark.online
def test_installs_with_its_requirements_from_pypi(wheel: Path, tmp_path: Path) -> None:
    uv = find_uv()
    run(uv, "venv", "--quiet", "--python", sys.executable, "env", folder=tmp_path)
    python = program(tmp_path, "python")
    run(uv, "--no-config", "pip", "install", "--quiet", "--python", python, wheel, folder=tmp_path)
    assert "profile" in run(program(tmp_path, "envsmith"), "profiles", folder=tmp_path)
