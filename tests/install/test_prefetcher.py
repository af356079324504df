from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from envsmith.download.artifact import Artifact
from envsmith.download.locations import Locations
from envsmith.download.record import DownloadResult, FetchedFile
from envsmith.errors import ToolError
from envsmith.install.prefetch import Prefetcher
from envsmith.install.request import LockedInstall
from envsmith.lockfile.manifest import FILENAME, Manifest
from envsmith.lockfile.pins import InstallSource, Pins
from tests.wheelhouses import AsLocked, artifact, lock_files

SLUG = "cp312-win_amd64"
ITEM = artifact("https://a.example/one-1-py3-none-any.whl", b"one", filename="one-1-py3-none-any.whl")
FOUND = {**lock_files("any", {SLUG: [ITEM]}), f"requirements.{SLUG}.txt": b"one==1\n"}
MANIFEST = Manifest.from_toml(FOUND[FILENAME].decode(), "x")
LOCKED = LockedInstall(
    profile="any",
    slug=SLUG,
    sha256="f" * 64,
    pins=Pins(packages=()),
    source=InstallSource(text="a pylock", is_pylock=True, sources=("one",)),
    entry=MANIFEST.targets[SLUG],
)


@dataclass
class FakeHouse:
    """Fills houses, or fails to."""

    failed: tuple[ToolError, ...] = ()
    asked: list[tuple[Path, str]] = field(default_factory=list)
    begun: list[tuple[Path, list[Artifact]]] = field(default_factory=list)

    def fill(self, house: Path, artifacts: Sequence[Artifact], locations: Locations) -> DownloadResult:
        assert self.begun == [(house, list(artifacts))], "before it is filled"
        self.asked = [(house, next(locations.urls(item))) for item in artifacts]
        brought = FetchedFile(filename=ITEM.filename, size_bytes=3, source="fetched")
        return DownloadResult(files=() if self.failed else (brought,), failed=self.failed)


def gathering(house: FakeHouse) -> Prefetcher:
    return Prefetcher(
        fill=house.fill,
        locations=AsLocked(),
        folder=Path("cache"),
        starting=lambda place, artifacts: house.begun.append((place, list(artifacts))),
    )


def test_an_install_is_given_the_folder_and_the_hashed_requirements() -> None:
    house = FakeHouse()
    source = gathering(house).fetch(LOCKED, MANIFEST, FOUND)
    folder = Path("cache") / ("f" * 16)
    assert house.asked == [(folder, ITEM.url)]
    assert source == InstallSource(text="one==1\n", is_pylock=False, sources=("one",), wheelhouse=str(folder))


def test_a_file_that_cannot_be_had_ends_it() -> None:
    with pytest.raises(ToolError) as caught:
        gathering(FakeHouse(failed=(ToolError("TOL047", "gone"),))).fetch(LOCKED, MANIFEST, FOUND)
    assert caught.value.code == "TOL047"
    with pytest.raises(ToolError) as caught:
        gathering(FakeHouse(failed=(ToolError("TOL047", "gone"), ToolError("TOL047", "gone")))).fetch(
            LOCKED, MANIFEST, FOUND
        )
    assert (caught.value.code, caught.value.where) == ("TOL050", f"envsmith install {LOCKED.profile}")


def test_without_the_pylock_the_names_are_not_known() -> None:
    found = {name: content for name, content in FOUND.items() if not name.startswith("pylock.")}
    with pytest.raises(ToolError) as caught:
        gathering(FakeHouse()).fetch(LOCKED, MANIFEST, found)
    assert caught.value.code == "TOL040"
