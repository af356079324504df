"""A new CUDA version is one row in one table: shown with a made-up one, from its index to its lock."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from packaging.pylock import Pylock

import envsmith.catalog
from envsmith.catalog import Catalog
from envsmith.config.profile import Profile
from envsmith.errors import CatalogError, ResolveError
from envsmith.files import atomic
from envsmith.index.cache import ListingCache
from envsmith.index.hashing import NoDownloads
from envsmith.index.reader import PyTorchIndex
from envsmith.index.sdist import SdistReader
from envsmith.index.sources import ListingSources, LivePyTorch
from envsmith.lock.inputs.request import LockOptions
from envsmith.lock.lock import LockedProfile
from envsmith.lock.resolve import ResolveTools
from envsmith.model.backend import Backend
from envsmith.model.target import Platform, Python
from envsmith.plan.model import LockRequest
from envsmith.process.runner import Processes
from envsmith.templates import read_template
from envsmith.usage import python as import_time
from envsmith.uv.command import find_uv
from envsmith.uv.resolver import UvResolver
from tests.fakes import FakeContents, FakeRequires, SilentProgress
from tests.lock_tools import lock_profile
from tests.replay import ReplayIndex
from tests.replay_files import ReplayFile

ROW = """
[[backend]]
backend = "cu199"
first_torch = "2.20.0"
source = "made up for this test"
retrieved = "2026-11-20"
"""
CU199 = Backend.parse("cu199")
AS_OF = "2026-11-20T00:00:00Z"


FILES = tuple(
    ReplayFile.made(name, version, f"{python}-{python}-{platform}", requires, index="cu199")
    for python in ("cp312", "cp313")
    for platform in ("manylinux_2_28_x86_64", "win_amd64")
    for name, version, requires in (
        ("torch", "2.20.0+cu199", ()),
        ("torchvision", "0.35.0+cu199", ("torch==2.20.0",)),
        ("torchaudio", "2.11.0+cu130", ()),
    )
)


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    """Copy the catalog and add one row to one table."""
    root = tmp_path / "catalog"
    shutil.copytree(
        Path(envsmith.catalog.__file__).parent, root, ignore=shutil.ignore_patterns("*.py", "__*")
    )
    with (root / "backends.toml").open("a", encoding="utf-8") as table:
        table.write(ROW)
    return Catalog(root)


@pytest.fixture
def replay() -> Iterator[ReplayIndex]:
    with ReplayIndex(FILES) as server:
        yield server


def _profile(*requirements: str) -> LockRequest:
    profile = Profile(
        name="cu199",
        summary="made up",
        backend=CU199,
        python=(Python.parse("3.12"), Python.parse("3.13")),
        platforms=(Platform.parse("linux"), Platform.parse("windows")),
        requirements=requirements,
    )
    return LockRequest(profile=profile, requirements=profile.sourced_requirements())


def _lock(wanted: LockRequest, catalog: Catalog, replay: ReplayIndex, tmp_path: Path) -> LockedProfile:
    cache = ListingCache(tmp_path / "cache", "replayed")
    index = PyTorchIndex(replay.base, cache, wants_metadata=lambda _: True)
    live = LivePyTorch(index, cache, tuple(project.name for project in catalog.projects()))
    uv = UvResolver(Processes(), executable=find_uv(), slices=tmp_path / "slices", offline=True)
    tools = ResolveTools(
        catalog=catalog,
        listings=ListingSources(catalog, "live", lambda: live, is_online=True, warn=_fail),
        resolver=uv,
        sdists=SdistReader(),
        hasher=NoDownloads(),
        contents=FakeContents(),
        requires=FakeRequires(),
        imports=import_time.at_import_time,
        files=atomic,
        templates=read_template,
        progress=SilentProgress(),
    )
    with ThreadPoolExecutor(2) as pool:
        return lock_profile(
            wanted, LockOptions(now_utc=AS_OF), tmp_path / "locks" / "cu199", tools, pool=pool
        )


def _fail(error: Exception) -> None:
    raise error


def test_one_row_in_one_table_is_enough(catalog: Catalog, replay: ReplayIndex, tmp_path: Path) -> None:
    locked = _lock(_profile("torch", "torchvision"), catalog, replay, tmp_path)
    assert [target.slug for target in locked.targets] == [
        f"{python}-{platform}"
        for python in ("cp312", "cp313")
        for platform in ("manylinux_2_28_x86_64", "win_amd64")
    ]
    known = {file.filename: file.sha256 for file in FILES}
    for target in _profile("torch").profile.targets():
        lock = Pylock.from_dict(
            tomllib.loads((tmp_path / "locks" / "cu199" / f"pylock.{target.slug}.toml").read_text("utf-8"))
        )
        chosen = lock.select(environment=target.marker_environment(), tags=target.tags())
        assert {package.name: str(package.version) for package, _ in chosen} == {
            "torch": "2.20.0+cu199",
            "torchvision": "0.35.0+cu199",
        }
        for package in lock.packages:
            (wheel,) = package.wheels or ()
            assert wheel.hashes == {"sha256": known[wheel.filename]}
            assert package.index == "https://download.pytorch.org/whl/cu199"
            assert (wheel.url or "").startswith("https://download.pytorch.org/whl/cu199/")


def test_a_torchaudio_of_another_label_is_no_build_of_it(
    catalog: Catalog, replay: ReplayIndex, tmp_path: Path
) -> None:
    with pytest.raises(ResolveError) as caught:
        _lock(_profile("torch", "torchaudio"), catalog, replay, tmp_path)
    assert [part.code for part in caught.value.parts] == ["RES021"] * 4
    assert not (tmp_path / "locks" / "cu199").exists()


def test_without_the_row_it_is_unknown() -> None:
    with pytest.raises(CatalogError, match="unknown backend cu199"):
        Catalog.embedded().backend(CU199)
