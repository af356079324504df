"""The built wheel, installed elsewhere: the command, profiles, catalog and snapshot are there."""

from __future__ import annotations

import hashlib
import json
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from packaging.metadata import Metadata

from envsmith import __version__
from envsmith.uv.command import find_uv
from tests.built import ROOT, build_sdist, build_wheel, run
from tests.distribution import NAME

INFO = f"envsmith_torch-{__version__}.dist-info"


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
        ("envsmith/ci", "*.yml"),
    ):
        for path in (ROOT / folder).glob(pattern):
            assert path.relative_to(ROOT).as_posix() in names
    for path in (ROOT / "profiles").glob("*.toml"):
        assert f"envsmith/profiles/{path.name}" in names
    assert "envsmith/py.typed" in names
    tops = {name.split("/")[0] for name in names}
    assert tops == {"envsmith", INFO}


def test_metadata_has_the_name_and_the_licence(wheel: Path) -> None:
    assert wheel.name == f"envsmith_torch-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        metadata = Metadata.from_email(archive.read(f"{INFO}/METADATA"))
        licence = archive.read(f"{INFO}/licenses/LICENSE")
    assert (metadata.name, metadata.license_expression, metadata.license_files) == (
        NAME,
        "Apache-2.0",
        ["LICENSE"],
    )
    assert licence == (ROOT / "LICENSE").read_bytes()


def test_licence_is_the_standard_text_with_our_copyright() -> None:
    """The digest is of https://www.apache.org/licenses/LICENSE-2.0.txt, whose appendix has a line to fill in."""
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert text.count("Copyright 2026 the envsmith authors") == 1
    standard = text.replace(
        "Copyright 2026 the envsmith authors", "Copyright [yyyy] [name of copyright owner]"
    )
    digest = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
    assert hashlib.sha256(standard.encode()).hexdigest() == digest


def test_source_distribution_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    sdist = build_sdist(tmp_path / "source")
    assert sdist.name == f"envsmith_torch-{__version__}.tar.gz"
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    unpacked = tmp_path / sdist.name.removesuffix(".tar.gz")
    assert (unpacked / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    run(
        find_uv(), "build", "--wheel", "--no-build-isolation", "--offline", "--python", sys.executable, "-o", tmp_path,
        folder=unpacked,
    )  # fmt: skip
    (built,) = tmp_path.glob("*.whl")
    assert sorted(zipfile.ZipFile(built).namelist()) == sorted(zipfile.ZipFile(wheel).namelist())


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
    assert "Lock and install PyTorch environments" in run(installed, "--help", folder=tmp_path)
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
