"""Lookups, compared with the collected facts."""

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.version import Version

from envsmith import catalog
from envsmith.catalog import Catalog
from envsmith.catalog.ci import read_actions, read_runners
from envsmith.catalog.modules import read_modules
from envsmith.catalog.shims import read_shims, read_users
from envsmith.catalog.sizes import read_sizes
from envsmith.errors import CatalogError
from envsmith.model.backend import Backend
from envsmith.model.target import Platform, Python, Target

CATALOG = Catalog.embedded()
TABLES = Path(catalog.__file__).parent
LINUX, AARCH64, WINDOWS, MACOS = (
    Platform.parse(name) for name in ("linux", "linux-aarch64", "windows", "macos")
)


def backend(text: str) -> Backend:
    return Backend.parse(text)


@pytest.mark.parametrize("path", sorted(TABLES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_row_says_where_and_when_it_was_read(path: Path) -> None:
    for rows in tomllib.loads(path.read_text(encoding="utf-8")).values():
        assert rows
        for row in rows:
            assert row["source"].strip()
            assert row["retrieved"].startswith("2026-")


@pytest.mark.parametrize("path", sorted(TABLES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_table_is_read(path: Path) -> None:
    names = {"drivers": "driver_floors", "kernels": "kernel_rows", "snapshot": "listings"}
    # Some are read by the one module that needs them, or by a question that one row answers.
    others: dict[str, Callable[[], object]] = {
        "modules": read_modules,
        "sizes": read_sizes,
        "runners": read_runners,
        "actions": read_actions,
        "abi": _abi,
        "shims": read_shims,
        "shim_users": read_users,
    }
    read = others.get(path.stem) or getattr(CATALOG, names.get(path.stem, path.stem))
    assert read()


def _abi() -> bool | None:
    linux = Target(
        python=Python.parse("3.12"), platform=Platform.parse("linux"), backend=Backend.parse("cu128")
    )
    return CATALOG.is_cxx11(Version("2.11.0"), linux)


# Backends


def test_cu128_ended_with_torch_2_11() -> None:
    facts = CATALOG.backend(backend("cu128"))
    assert facts.is_retired
    assert (str(facts.first_torch), str(facts.last_torch)) == ("2.7.0", "2.11.0")
    assert (facts.nightly_end, facts.stable_end) == ("2026-04-07", "2026-05-13")
    assert facts.successor == backend("cu130")


def test_cu130_cu132_and_cpu_go_on() -> None:
    assert not any(CATALOG.backend(backend(name)).is_retired for name in ("cpu", "cu130", "cu132", "xpu"))


def test_an_unknown_backend_is_refused_with_those_near_it() -> None:
    with pytest.raises(CatalogError) as caught:
        CATALOG.backend(backend("cu127"))
    assert caught.value.code == "CAT020"
    assert "cu128" in caught.value.hint


def test_every_retired_backend_ends_with_the_release_that_left_it_out() -> None:
    for facts in CATALOG.backends():
        if facts.last_torch is None:
            assert facts.stable_end is None
            continue
        after = [release for release in CATALOG.releases() if release.torch > facts.last_torch]
        assert facts.stable_end == after[0].date


def test_successors_lead_to_a_living_backend_of_the_same_family() -> None:
    for facts in CATALOG.backends():
        while facts.is_retired:
            assert facts.successor is not None
            assert facts.backend < facts.successor
            facts = CATALOG.backend(facts.successor)  # noqa: PLW2901 - the chain is followed to its end


def test_a_successor_is_the_next_newer_backend_of_the_release_that_left_one_out() -> None:
    for facts in CATALOG.backends():
        if facts.last_torch is None:
            continue
        left_out = min(release.torch for release in CATALOG.releases() if release.torch > facts.last_torch)
        newer = [
            other.backend
            for other in CATALOG.backends()
            if other.backend.family == facts.backend.family
            and facts.backend < other.backend
            and other.first_torch is not None
            and other.first_torch <= left_out
            and (other.last_torch is None or left_out <= other.last_torch)
            and str(other.backend) != "cu129"  # never advertised
        ]
        assert facts.successor == min(newer)


def test_a_new_cuda_is_one_row(tmp_path: Path) -> None:
    root = tmp_path / "catalog"
    shutil.copytree(TABLES, root, ignore=shutil.ignore_patterns("snapshot", "*.py", "__pycache__"))
    table = root / "backends.toml"
    row = '[[backend]]\nbackend = "cu199"\nfirst_torch = "3.0.0"\nsource = "x"\nretrieved = "2026-11-21"\n'
    table.write_text(table.read_text(encoding="utf-8") + row, encoding="utf-8")
    cu199, found = backend("cu199"), Catalog(root)
    facts = found.backend(cu199)
    assert (facts.first_torch, facts.is_retired, facts.successor) == (Version("3.0.0"), False, None)
    assert found.kernels(Version("3.0.0+cu199"), cu199, LINUX) is None
    assert found.driver_floor(cu199, "linux") is None
    assert found.listing("stable", cu199) is None
    assert cu199.title == "CUDA 19.9"


def test_a_new_minor_version_of_cuda_13_has_its_driver_already() -> None:
    assert CATALOG.driver_floor(backend("cu134"), "linux") == "580"


# Releases


def test_a_release_is_found_by_its_public_version() -> None:
    release = CATALOG.release(Version("2.15.0+cu132"))
    assert release is not None
    assert (release.date, [str(version) for version in release.torchvision]) == ("2026-10-28", ["0.29.2"])
    assert str(release.torchaudio) == "2.11.0"
    assert release.requires_python.contains("3.11")
    assert not release.requires_python.contains("3.10")
    assert CATALOG.release(Version("2.15.1")) is None


def test_releases_are_in_order_and_pair_up() -> None:
    versions = [release.torch for release in CATALOG.releases()]
    assert versions == sorted(versions)
    for release in CATALOG.releases():
        expected = min(release.torch, Version("2.11.0"))
        if release.torch >= Version("2.1"):
            assert release.torchaudio == expected


def test_the_metadata_of_the_snapshot_agrees_with_the_releases() -> None:
    listing = CATALOG.listing("stable", backend("cu128"))
    assert listing is not None
    checked = 0
    for release in CATALOG.releases():
        for version in release.torchvision:
            found = listing.projects["torchvision"].get(f"{version}+cu128")
            if found and found.metadata:
                assert f"torch=={release.torch}" in " ".join(found.metadata.requires_dist)
                checked += 1
    assert checked >= 7


# How it is read


def test_a_table_is_read_once_and_only_when_asked(tmp_path: Path) -> None:
    shutil.copy(TABLES / "drivers.toml", tmp_path)
    found = Catalog(tmp_path)
    first = found.driver_floors()
    (tmp_path / "drivers.toml").unlink()
    assert found.driver_floors() is first
    with pytest.raises(CatalogError, match=r"CAT022: backends\.toml"):
        found.backends()


def test_importing_the_catalog_opens_no_table() -> None:
    script = """
import sys
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
import envsmith.catalog
assert any(path.endswith("__init__.py") or path.endswith(".pyc") for path in opened)
assert not [path for path in opened if path.endswith((".toml", ".json"))], opened
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=TABLES.parents[1])


def test_one_listing_opens_one_file(tmp_path: Path) -> None:
    (tmp_path / "snapshot/stable").mkdir(parents=True)
    shutil.copy(TABLES / "snapshot/stable/cu132.json", tmp_path / "snapshot/stable")
    listing = Catalog(tmp_path).listing("stable", backend("cu132"))
    assert listing is not None
    assert listing.index == "cu132"
    assert Catalog(tmp_path).listing("nightly", backend("cu132")) is None


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"form": 2}', "\udcff"])
def test_a_broken_listing_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "snapshot/stable/cu132.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(CatalogError) as caught:
        Catalog(tmp_path).listing("stable", backend("cu132"))
    assert caught.value.code == "CAT011"
    assert "cu132.json" in caught.value.where


def test_a_listing_under_another_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "snapshot/stable").mkdir(parents=True)
    shutil.copy(TABLES / "snapshot/stable/cu132.json", tmp_path / "snapshot/stable/cu130.json")
    with pytest.raises(CatalogError, match="it is the listing of cu132"):
        Catalog(tmp_path).listing("stable", backend("cu130"))
