from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from envsmith.config.mirrors import MirrorRules
from envsmith.download.artifact import Artifact
from envsmith.download.download import NeededFiles, download, needed_files
from envsmith.download.locations import Locations
from envsmith.download.record import FILENAME, DownloadResult, FetchedFile, RecordedFile, WheelhouseRecord
from envsmith.download.wheelhouse import change_record, read_record
from envsmith.errors import ToolError
from tests.fakes import FakeFiles
from tests.values import HEX
from tests.wheelhouses import artifact, lock_files

FOLDER = Path("lockfiles")
LINUX, WINDOWS = "cp312-manylinux_2_28_x86_64", "cp312-win_amd64"


def file(name: str, body: bytes = b"x") -> Artifact:
    return artifact(f"https://a.example/{name}", body, filename=name)


SHARED, ONE, TWO = (file(f"{name}-1-py3-none-any.whl", name.encode()) for name in ("shared", "one", "two"))


@dataclass
class FakeDownloader:
    """Pretends to download files, but for those that fail."""

    failing: tuple[str, ...] = ()
    urls: dict[str, str] = field(default_factory=dict)

    def fill(self, wheelhouse: Path, artifacts: Sequence[Artifact], locations: Locations) -> DownloadResult:
        assert wheelhouse.is_absolute()
        self.urls = {item.filename: next(locations.urls(item)) for item in artifacts}
        return DownloadResult(
            files=tuple(
                FetchedFile(filename=item.filename, size_bytes=1, source="fetched")
                for item in artifacts
                if item.filename not in self.failing
            ),
            failed=tuple(ToolError("TOL047", "gone", where=name) for name in self.failing),
        )


@pytest.fixture
def files() -> FakeFiles:
    fake = FakeFiles()
    fake.write_files(FOLDER / "a", lock_files("a", {LINUX: [SHARED, ONE], WINDOWS: [SHARED, TWO]}))
    fake.write_files(FOLDER / "b", lock_files("b", {WINDOWS: [SHARED]}))
    return fake


def run(folder: Path, fake: FakeDownloader, needed: NeededFiles, *rewrites: str) -> DownloadResult:
    return download(needed, folder, MirrorRules.parse(rewrites), fake.fill)


@pytest.mark.skipif(os.name == "nt", reason="makes symbolic links")
def test_a_wheelhouse_behind_a_link_out_of_the_project_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, outside = tmp_path / "project", tmp_path / "outside"
    for folder in (project / "real", outside):
        folder.mkdir(parents=True)
    monkeypatch.chdir(project)
    Path("house").symlink_to("../outside")
    Path("inside").symlink_to("real")
    nothing = NeededFiles(artifacts=(), plans={})

    def fill(*_: object) -> DownloadResult:
        return DownloadResult(files=(), failed=())

    for refused in (Path("house"), Path("house/deep"), Path("house/../beside"), project / "house"):
        with pytest.raises(ToolError, match="TOL019"):
            download(nothing, refused, MirrorRules(), fill)
    assert sorted(tmp_path.iterdir()) == [outside, project]
    assert list(outside.iterdir()) == []
    for named in (outside, Path("../outside"), Path("inside")):
        download(nothing, named, MirrorRules(), fill)
        assert (named / FILENAME).is_file()


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
    found = needed_files(FOLDER, ["a"], targets, files)
    assert [item.project for item in found.artifacts] == names
    assert all(plan.startswith("plan-") for plan in found.plans.values())


def test_a_file_of_several_locks_is_fetched_once(files: FakeFiles) -> None:
    found = needed_files(FOLDER, ["a", "b"], (), files)
    assert {item.project: item.locks for item in found.artifacts}["shared"] == (
        f"a/{LINUX}",
        f"a/{WINDOWS}",
        f"b/{WINDOWS}",
    )


@pytest.mark.parametrize(
    ("profile", "targets", "said"),
    [
        ("c", (), "is not locked"),
        ("a", ("cp313",), "not locked for cp313"),
        ("a", ("amd64",), "not locked for amd64"),
        ("b", ("linux",), "not locked for linux"),
    ],
)
def test_what_is_not_locked(files: FakeFiles, profile: str, targets: tuple[str, ...], said: str) -> None:
    with pytest.raises(ToolError) as caught:
        needed_files(FOLDER, [profile], targets, files)
    assert caught.value.code == "TOL040"
    assert said in caught.value.message
    assert f"envsmith lock {profile}" in caught.value.hint


@pytest.mark.parametrize(
    ("content", "said"), [(None, "is missing"), (b"# changed\n", "was made for other pins")]
)
def test_addresses_that_are_not_at_hand(files: FakeFiles, content: bytes | None, said: str) -> None:
    name = f"pylock.{WINDOWS}.toml"
    files.write_files(FOLDER / "b", {name: content} if content else {}, remove=[] if content else [name])
    with pytest.raises(ToolError) as caught:
        needed_files(FOLDER, ["b"], (), files)
    assert caught.value.code == "TOL040"
    assert said in caught.value.message
    assert "run `envsmith lock b`: it makes the file from the locked pins" in caught.value.hint


def test_downloaded_files_are_recorded(files: FakeFiles, tmp_path: Path) -> None:
    run(tmp_path, FakeDownloader(), needed_files(FOLDER, ["a", "b"], (), files))
    record = read_record(tmp_path)
    assert set(record.files) == {item.filename for item in (SHARED, ONE, TWO)}
    assert set(record.locks) == {f"a/{LINUX}", f"a/{WINDOWS}", f"b/{WINDOWS}"}
    assert record.files[ONE.filename].locks == (f"a/{LINUX}",)


def test_a_lock_that_lacks_a_file_is_not_recorded(files: FakeFiles, tmp_path: Path) -> None:
    with pytest.raises(ToolError) as caught:
        run(tmp_path, FakeDownloader(failing=(ONE.filename,)), needed_files(FOLDER, ["a"], (), files))
    assert caught.value.message == "gone"
    record = read_record(tmp_path)
    assert set(record.files) == {SHARED.filename, TWO.filename}
    assert set(record.locks) == {f"a/{WINDOWS}"}


def test_several_failures_are_parts_of_one_error(files: FakeFiles, tmp_path: Path) -> None:
    fake = FakeDownloader(failing=(ONE.filename, TWO.filename))
    with pytest.raises(ToolError) as caught:
        run(tmp_path, fake, needed_files(FOLDER, ["a"], (), files))
    assert caught.value.code == "TOL050"
    assert caught.value.message == "2 of 3 files could not be downloaded"
    assert [part.where for part in caught.value.parts] == [ONE.filename, TWO.filename]


def test_rewrites_change_urls_but_not_hashes(files: FakeFiles, tmp_path: Path) -> None:
    fake = FakeDownloader()
    run(tmp_path, fake, needed_files(FOLDER, ["b"], (), files), "https://a.example=https://m.example/x")
    assert fake.urls == {SHARED.filename: f"https://m.example/x/{SHARED.filename}"}
    assert read_record(tmp_path).files[SHARED.filename].sha256 == SHARED.sha256


def test_another_file_under_a_used_name_is_refused_before_the_download(
    files: FakeFiles, tmp_path: Path
) -> None:
    held = RecordedFile(sha256=HEX, size_bytes=1, locks=("z/cp311-win_amd64",))
    change_record(tmp_path, lambda _: WheelhouseRecord(files={SHARED.filename: held}))
    fake = FakeDownloader()
    with pytest.raises(ToolError) as caught:
        run(tmp_path, fake, needed_files(FOLDER, ["b"], (), files))
    assert caught.value.code == "TOL042"
    assert fake.urls == {}
