"""Hashes of wheels without a published hash."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from envsmith.errors import ToolError
from envsmith.index.hashing import Downloads, FileCache, NoDownloads, leaves_https
from envsmith.model.wheel import Wheel
from tests.fakes import SilentProgress
from tests.replay import ReplayIndex
from tests.replay_faults import Fault
from tests.replay_files import ReplayFile

TORCH = ReplayFile.made("torch", "2.21.0.dev20261101+cu134", "cp312-cp312-win_amd64", index="nightly/cu134")


def _wheel(url: str) -> Wheel:
    return Wheel.from_entry(index="nightly/cu134", filename=TORCH.filename, url=url, sha256=None)


THEIRS = _wheel(f"https://download.pytorch.org/whl/nightly/cu134/{TORCH.filename.replace('+', '%2B')}")


@pytest.fixture
def replay() -> Iterator[ReplayIndex]:
    with ReplayIndex([TORCH]) as server:
        yield server


@pytest.fixture
def kept(tmp_path: Path) -> FileCache:
    return FileCache(tmp_path / "kept")


class Heard(SilentProgress):
    """Progress that records its calls."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def started(self, subject: str, doing: str) -> None:
        assert subject == TORCH.filename
        self.said.append(doing)


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_bytes_come_from_the_server_that_stands_for_pytorch(
    replay: ReplayIndex, slash: str, kept: FileCache
) -> None:
    heard = Heard()
    assert Downloads(heard, kept, replay.base + slash).sha256(THEIRS) == TORCH.sha256
    assert [path for path, _ in replay.requests] == [TORCH.path]
    assert heard.said == ["hashing 0 of 0 MB"]


def test_the_bytes_are_kept_by_their_hash(replay: ReplayIndex, kept: FileCache) -> None:
    sha256 = Downloads(SilentProgress(), kept, replay.base).sha256(THEIRS)
    found = kept.find(sha256, TORCH.filename)
    assert found
    assert found.read_bytes() == TORCH.body


def test_an_address_of_a_mirrors_own_is_asked_as_it_stands(replay: ReplayIndex, kept: FileCache) -> None:
    wheel = _wheel(f"{replay.base}/nightly/cu134/{TORCH.filename.replace('+', '%2B')}")
    assert Downloads(SilentProgress(), kept, "http://127.0.0.1:9/whl").sha256(wheel) == TORCH.sha256


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (Fault.status(404), "answered 404"),
        (Fault.status(500), "answered 500"),
        (Fault.cut(), ""),
        (Fault.truncated(), "not a complete wheel"),
        (Fault.body("<html>please log in</html>"), "not a complete wheel"),
        (Fault.body(""), "not a complete wheel"),
    ],
)
def test_nothing_but_the_whole_wheel_is_hashed(
    replay: ReplayIndex, fault: Fault, why: str, kept: FileCache, tmp_path: Path
) -> None:
    replay.fail(TORCH.path, fault)
    with pytest.raises(ToolError) as caught:
        Downloads(SilentProgress(), kept, replay.base).sha256(THEIRS)
    assert caught.value.code == "TOL026"
    assert TORCH.filename in caught.value.message
    assert why in caught.value.message
    assert list((tmp_path / "kept").glob("*")) == []


def test_a_password_in_the_mirrors_address_is_not_told(replay: ReplayIndex, kept: FileCache) -> None:
    replay.fail(TORCH.path, Fault.status(403))
    base = replay.base.replace("http://", "http://user:secret@")
    with pytest.raises(ToolError) as caught:
        Downloads(SilentProgress(), kept, base).sha256(THEIRS)
    assert "secret" not in str(caught.value)


def test_no_server_at_all(kept: FileCache) -> None:
    with pytest.raises(ToolError) as caught:
        Downloads(SilentProgress(), kept, "http://127.0.0.1:9/whl").sha256(replace(THEIRS, sha256=None))
    assert caught.value.code == "TOL026"


def test_where_nothing_may_be_downloaded_the_hash_stays_unknown() -> None:
    hasher = NoDownloads()
    assert hasher.sha256(THEIRS) is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize(
    ("urls", "leaves"),
    [
        (["https://a.example/x"], False),
        (["https://a.example/x", "https://b.example/x"], False),
        (["https://a.example/x", "http://b.example/x", "https://c.example/x"], True),
        (["http://127.0.0.1/x", "http://127.0.0.1/y"], False),
    ],
)
def test_a_redirect_must_not_leave_https(urls: list[str], leaves: bool) -> None:
    assert leaves_https(urls) is leaves
