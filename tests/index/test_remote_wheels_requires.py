from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.pylock import PackageWheel

from envsmith.errors import ToolError
from envsmith.index.remote_wheels import RequiresReader
from tests.replay import ReplayIndex
from tests.replay_files import ReplayFile, make_metadata, make_wheel

NAME = "timm-1.0-py3-none-any.whl"
REQUIRES = ("torch", 'torchvision>=0.16; extra == "vision"')
WHEEL = make_wheel("timm", "1.0", "py3-none-any", REQUIRES)


@pytest.fixture
def replay() -> Iterator[ReplayIndex]:
    with ReplayIndex() as server:
        server.add(replace(ReplayFile.row(NAME, index="cu199"), body=WHEEL))
        yield server


def wheel(replay: ReplayIndex) -> PackageWheel:
    sha256 = hashlib.sha256(WHEEL).hexdigest()
    return PackageWheel(name=NAME, url=f"{replay.base}/cu199/{NAME}", hashes={"sha256": sha256})


def test_reads_the_wheel_where_nothing_lies_beside_it(replay: ReplayIndex, tmp_path: Path) -> None:
    asked = wheel(replay)
    assert RequiresReader(tmp_path).requires([asked]) == {asked.hashes["sha256"]: REQUIRES}
    assert "range" in replay.requests[-1][1]


def test_reads_the_sidecar_and_remembers_it(replay: ReplayIndex, tmp_path: Path) -> None:
    sidecar = make_metadata("timm", "1.0", ["numpy"]).encode()
    replay.add(replace(ReplayFile.row(NAME, index="cu199"), body=WHEEL, metadata=sidecar))
    asked = wheel(replay)
    expected = {asked.hashes["sha256"]: ("numpy",)}
    assert RequiresReader(tmp_path).requires([asked]) == expected
    count = len(replay.requests)
    assert RequiresReader(tmp_path).requires([asked, asked]) == expected
    assert RequiresReader(tmp_path, is_offline=True).requires([asked]) == expected
    assert len(replay.requests) == count == 1


def test_offline_says_what_is_needed(replay: ReplayIndex, tmp_path: Path) -> None:
    with pytest.raises(ToolError) as caught:
        RequiresReader(tmp_path, is_offline=True).requires([wheel(replay)])
    assert caught.value.code == "TOL037"
    assert NAME in str(caught.value)


def test_what_is_no_wheel_is_an_error(replay: ReplayIndex, tmp_path: Path) -> None:
    replay.add(replace(ReplayFile.row(NAME, index="cu199"), body=b"PK, or not"))
    with pytest.raises(ToolError) as caught:
        RequiresReader(tmp_path).requires([wheel(replay)])
    assert caught.value.code == "TOL038"
    assert list(tmp_path.iterdir()) == []


def test_memory_that_is_spoilt_is_read_anew(replay: ReplayIndex, tmp_path: Path) -> None:
    asked = wheel(replay)
    assert RequiresReader(tmp_path).requires([asked])
    (record,) = tmp_path.iterdir()
    record.write_text('{"form": 1}', "utf-8")
    assert RequiresReader(tmp_path).requires([asked]) == {asked.hashes["sha256"]: REQUIRES}


def test_nothing_asked_nothing_read(tmp_path: Path) -> None:
    assert RequiresReader(tmp_path, is_offline=True).requires([]) == {}
