from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from envsmith.config.mirrors import MirrorRules
from envsmith.download.artifact import Artifact
from envsmith.download.download import DownloadTools, Locations, NeededFile, download, needed
from envsmith.download.record import DownloadResult, FetchedFile, RecordedFile, WheelhouseRecord
from envsmith.errors import ToolError
from tests.fakes import FakeFiles
from tests.houses import artifact, lock_files
from tests.values import HEX

FOLDER, HOUSE = Path("lockfiles"), Path("house")
LINUX, WINDOWS = "cp312-manylinux_2_28_x86_64", "cp312-win_amd64"


def file(name: str, body: bytes = b"x") -> Artifact:
    return artifact(f"https://a.example/{name}", body, filename=name)


SHARED, ONE, TWO = (file(f"{name}-1-py3-none-any.whl", name.encode()) for name in ("shared", "one", "two"))


@dataclass
class FakeHouse:
    """Fills houses but for the files that fail, and keeps their record."""

    failing: tuple[str, ...] = ()
    record: WheelhouseRecord = field(default_factory=WheelhouseRecord)
    asked: dict[str, str] = field(default_factory=dict)

    def fill(self, house: Path, artifacts: Sequence[Artifact], locations: Locations) -> DownloadResult:
        assert house == HOUSE
        self.asked = {item.filename: next(locations.urls(item)) for item in artifacts}
        return DownloadResult(
            brought=tuple(
                FetchedFile(filename=item.filename, size_bytes=1, way="fetched")
                for item in artifacts
                if item.filename not in self.failing
            ),
            failed=tuple(ToolError("TOL047", "gone", where=name) for name in self.failing),
        )

    def holdings(self, house: Path) -> WheelhouseRecord:
        assert house == HOUSE
        return self.record

    def change(self, house: Path, change: Callable[[WheelhouseRecord], WheelhouseRecord]) -> WheelhouseRecord:
        self.record = change(self.holdings(house))
        return self.record


@pytest.fixture
def files() -> FakeFiles:
    fake = FakeFiles()
    fake.write_files(FOLDER / "a", lock_files("a", {LINUX: [SHARED, ONE], WINDOWS: [SHARED, TWO]}))
    fake.write_files(FOLDER / "b", lock_files("b", {WINDOWS: [SHARED]}))
    return fake


def run(files: FakeFiles, house: FakeHouse, wanted: NeededFile, *rewrites: str) -> DownloadResult:
    tools = DownloadTools(files=files, wheelhouse=house, records=house)
    return download(wanted, HOUSE, MirrorRules.parse(rewrites), tools)


@pytest.mark.parametrize(
    ("targets", "names"),
    [
        ((), ["one", "shared", "two"]),
        ((LINUX,), ["one", "shared"]),
        (("win_amd64",), ["shared", "two"]),
        (("windows",), ["shared", "two"]),
        (("cp312",), ["one", "shared", "two"]),
        (("linux", "windows"), ["one", "shared", "two"]),
    ],
)
def test_targets_by_slug_or_half_of_it(files: FakeFiles, targets: tuple[str, ...], names: list[str]) -> None:
    found = needed(FOLDER, ["a"], targets, files)
    assert [item.project for item in found.artifacts] == names
    assert all(plan.startswith("plan-") for plan in found.plans.values())


def test_a_file_of_several_locks_is_fetched_once(files: FakeFiles) -> None:
    found = needed(FOLDER, ["a", "b"], (), files)
    assert {item.project: item.locks for item in found.artifacts}["shared"] == (
        f"a/{LINUX}",
        f"a/{WINDOWS}",
        f"b/{WINDOWS}",
    )


@pytest.mark.parametrize(
    ("profile", "targets", "said"),
    [
        ("c", (), "never been locked"),
        ("a", ("cp313",), "no lock for cp313"),
        ("a", ("amd64",), "no lock for amd64"),
        ("b", ("linux",), "no lock for linux"),
    ],
)
def test_what_is_not_locked(files: FakeFiles, profile: str, targets: tuple[str, ...], said: str) -> None:
    with pytest.raises(ToolError) as caught:
        needed(FOLDER, [profile], targets, files)
    assert caught.value.code == "TOL040"
    assert said in caught.value.message
    assert f"envsmith lock {profile}" in caught.value.hint


@pytest.mark.parametrize(("content", "said"), [(None, "is not here"), (b"# changed\n", "was changed")])
def test_addresses_that_are_not_at_hand(files: FakeFiles, content: bytes | None, said: str) -> None:
    name = f"pylock.{WINDOWS}.toml"
    files.write_files(FOLDER / "b", {name: content} if content else {}, remove=[] if content else [name])
    with pytest.raises(ToolError) as caught:
        needed(FOLDER, ["b"], (), files)
    assert caught.value.code == "TOL040"
    assert said in caught.value.message
    assert "envsmith lock b: the same cutoff gives the same bytes" in caught.value.hint


def test_what_is_brought_is_recorded(files: FakeFiles) -> None:
    house = FakeHouse()
    run(files, house, needed(FOLDER, ["a", "b"], (), files))
    assert set(house.record.files) == {item.filename for item in (SHARED, ONE, TWO)}
    assert set(house.record.locks) == {f"a/{LINUX}", f"a/{WINDOWS}", f"b/{WINDOWS}"}
    assert house.record.files[ONE.filename].locks == (f"a/{LINUX}",)


def test_a_lock_that_lacks_a_file_is_not_recorded_as_held(files: FakeFiles) -> None:
    house = FakeHouse(failing=(ONE.filename,))
    with pytest.raises(ToolError) as caught:
        run(files, house, needed(FOLDER, ["a"], (), files))
    assert caught.value.message == "gone"
    assert set(house.record.files) == {SHARED.filename, TWO.filename}
    assert set(house.record.locks) == {f"a/{WINDOWS}"}


def test_several_failures_are_told_together(files: FakeFiles) -> None:
    house = FakeHouse(failing=(ONE.filename, TWO.filename))
    with pytest.raises(ToolError) as caught:
        run(files, house, needed(FOLDER, ["a"], (), files))
    assert caught.value.code == "TOL050"
    assert [part.where for part in caught.value.parts] == [ONE.filename, TWO.filename]


def test_rewrites_change_where_and_not_what(files: FakeFiles) -> None:
    house = FakeHouse()
    wanted = needed(FOLDER, ["b"], (), files)
    run(files, house, wanted, "https://a.example=https://m.example/x")
    assert house.asked == {SHARED.filename: f"https://m.example/x/{SHARED.filename}"}
    assert house.record.files[SHARED.filename].sha256 == SHARED.sha256


def test_other_bytes_under_a_name_in_use_are_refused_before_anything_is_fetched(files: FakeFiles) -> None:
    held = RecordedFile(sha256=HEX, size_bytes=1, locks=("z/cp311-win_amd64",))
    house = FakeHouse(record=WheelhouseRecord(files={SHARED.filename: held}))
    with pytest.raises(ToolError) as caught:
        run(files, house, needed(FOLDER, ["b"], (), files))
    assert caught.value.code == "TOL042"
    assert house.asked == {}
