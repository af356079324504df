from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.pylock import PackageWheel

from envsmith.errors import ToolError
from envsmith.index import remote_wheels
from envsmith.index.remote_wheels import WheelReader
from tests.replay import ReplayIndex
from tests.replay_faults import Fault
from tests.replay_files import ReplayFile

NAME = "torch-2.20.0+cu199-cp312-cp312-win_amd64.whl"
PATH = f"/whl/cu199/{NAME}"
FILES = {
    "torch/__init__.py": b"import torchvision\n",
    "torch/lib.dll": b"".join(hashlib.sha256(str(number).encode()).digest() for number in range(32_000)),
    "torch-2.20.0+cu199.data/purelib/functorch/__init__.py": b"",
    "torch-2.20.0+cu199.data/scripts/torchrun": b"#!python\n",
}


def archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("torch/", b"")
        for path, content in files.items():
            made.writestr(path, content)
    return buffer.getvalue()


WHEEL = archive(FILES)


@pytest.fixture
def replay() -> Iterator[ReplayIndex]:
    with ReplayIndex() as server:
        server.add(replace(ReplayFile.row(NAME, index="cu199"), body=WHEEL))
        yield server


def wheel(replay: ReplayIndex, body: bytes = WHEEL, *, size: int | None = len(WHEEL)) -> PackageWheel:
    return PackageWheel(
        name=NAME,
        url=f"{replay.base}/cu199/{NAME.replace('+', '%2B')}",
        size=size,
        hashes={"sha256": hashlib.sha256(body).hexdigest()},
    )


def test_lists_what_is_installed_where_and_keeps_it(replay: ReplayIndex, tmp_path: Path) -> None:
    asked = wheel(replay)
    (found,) = WheelReader(tmp_path).contents([asked]).values()
    assert found.size_bytes == len(WHEEL)
    assert found.members == {
        "<scripts>/torchrun": 9,
        "functorch/__init__.py": 0,
        "torch/__init__.py": 19,
        "torch/lib.dll": len(FILES["torch/lib.dll"]),
    }
    assert found.checksums["torch/__init__.py"] == zlib.crc32(FILES["torch/__init__.py"])
    assert [headers["range"] for _, headers in replay.requests] == [f"bytes=-{1 << 17}"]
    again = WheelReader(tmp_path, is_offline=True).contents([asked])
    assert list(again.values()) == [found]


def test_reads_a_small_wheel_whole_and_proves_its_hash(replay: ReplayIndex, tmp_path: Path) -> None:
    reader = WheelReader(tmp_path)
    assert reader.read(wheel(replay), ["torch/__init__.py", "torch/missing.py"]) == {
        "torch/__init__.py": b"import torchvision\n"
    }
    with pytest.raises(ToolError) as caught:
        reader.read(wheel(replay, b"another"), ["torch/__init__.py"])
    assert caught.value.code == "TOL038"


def test_reads_a_large_wheel_by_ranges(
    replay: ReplayIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_wheels, "WHOLE_BYTES", 1000)
    found = WheelReader(tmp_path).read(wheel(replay), ["torch/__init__.py"])
    assert found == {"torch/__init__.py": b"import torchvision\n"}
    assert all("range" in headers for _, headers in replay.requests)


def test_what_cannot_be_looked_into_is_absent(replay: ReplayIndex, tmp_path: Path) -> None:
    replay.fail(PATH, Fault.ranges_ignored())
    assert WheelReader(tmp_path).contents([wheel(replay)]) == {}
    assert WheelReader(tmp_path, is_offline=True).contents([wheel(replay)]) == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("body", [b"no archive", archive({"../../evil.py": b""}), WHEEL[:-30]])
def test_broken_and_hostile_wheels_are_absent(replay: ReplayIndex, tmp_path: Path, body: bytes) -> None:
    replay.add(replace(ReplayFile.row(NAME, index="cu199"), body=body))
    assert WheelReader(tmp_path).contents([wheel(replay)]) == {}
    with pytest.raises(ToolError) as caught:
        WheelReader(tmp_path).read(wheel(replay, body), ["torch/__init__.py"])
    assert caught.value.code == "TOL038"


def test_broken_record_of_a_wheel_is_read_anew(replay: ReplayIndex, tmp_path: Path) -> None:
    asked = wheel(replay)
    assert WheelReader(tmp_path).contents([asked])
    (record,) = tmp_path.iterdir()
    record.write_text("{", "utf-8")
    assert WheelReader(tmp_path).contents([asked])
    assert len(replay.requests) == 2


def test_a_bogus_wheel_of_a_mirror_is_not_believed_elsewhere(replay: ReplayIndex, tmp_path: Path) -> None:
    """A mirror answers with another archive; after the mirror is gone, the sound file decides."""
    asked = wheel(replay)
    with ReplayIndex() as mirror:
        mirror.add(
            replace(ReplayFile.row(NAME, index="cu199"), body=archive({"numpy/__init__.py": b"x" * 200_000}))
        )
        there = f"{mirror.base}/cu199/{NAME.replace('+', '%2B')}"
        (bogus,) = WheelReader(tmp_path, served=lambda _: there).contents([asked]).values()
        assert "numpy/__init__.py" in bogus.members
    (sound,) = WheelReader(tmp_path).contents([asked]).values()
    assert "torch/__init__.py" in sound.members
    assert WheelReader(tmp_path, is_offline=True).cached(asked.hashes["sha256"], "") is None


def test_a_small_wheel_is_hashed_as_a_whole(replay: ReplayIndex, tmp_path: Path) -> None:
    small = archive({"torch/__init__.py": b"1"})
    replay.add(replace(ReplayFile.row(NAME, index="cu199"), body=small))
    assert WheelReader(tmp_path).contents([wheel(replay, b"another", size=len(small))]) == {}
    asked = wheel(replay, small, size=len(small))
    (found,) = WheelReader(tmp_path).contents([asked]).values()
    assert WheelReader(tmp_path).cached(asked.hashes["sha256"], "") == found


def test_full_disk_costs_only_the_memory_of_it(replay: ReplayIndex, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    assert WheelReader(tmp_path / "file").contents([wheel(replay)])


def test_reading_needs_the_network(replay: ReplayIndex, tmp_path: Path) -> None:
    with pytest.raises(ToolError) as caught:
        WheelReader(tmp_path, is_offline=True).read(wheel(replay), ["torch/__init__.py"])
    assert caught.value.code == "TOL037"


def test_a_mirror_stands_for_the_address_on_record(replay: ReplayIndex, tmp_path: Path) -> None:
    asked = wheel(replay)
    elsewhere = PackageWheel(name=NAME, url=f"https://download.pytorch.org/{NAME}", hashes=asked.hashes)
    reader = WheelReader(tmp_path, served=lambda _: str(asked.url))
    assert reader.contents([elsewhere])


def test_what_many_ask_for_is_fetched_once(replay: ReplayIndex, tmp_path: Path) -> None:
    reader = WheelReader(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: reader.contents([wheel(replay)]), range(8)))
    assert len(replay.requests) == 1
    assert all(item == found[0] for item in found)


def test_a_server_that_cannot_be_reached_is_not_asked_again(replay: ReplayIndex, tmp_path: Path) -> None:
    replay.fail(PATH, Fault.cut())
    reader = WheelReader(tmp_path)
    assert reader.contents([wheel(replay)]) == {}
    asked = len(replay.requests)
    assert reader.contents([wheel(replay), wheel(replay, b"another")]) == {}
    assert len(replay.requests) == asked == 2
    assert WheelReader(tmp_path / "new").contents([wheel(replay)]) == {}


def test_an_error_of_one_file_leaves_the_others(replay: ReplayIndex, tmp_path: Path) -> None:
    """A server that answers with an error is reachable, whatever the order of threads."""
    other = NAME.replace("2.20.0", "2.20.1")
    replay.add(replace(ReplayFile.row(other, index="cu199"), body=WHEEL))
    replay.fail(PATH, Fault.status(503))
    reader = WheelReader(tmp_path)
    assert reader.contents([wheel(replay)]) == {}
    asked = replace(wheel(replay), url=f"{replay.base}/cu199/{other.replace('+', '%2B')}")
    assert reader.contents([asked])


def test_one_connection_that_breaks_hides_nothing(replay: ReplayIndex, tmp_path: Path) -> None:
    replay.fail(PATH, Fault.cut(times=1))
    assert WheelReader(tmp_path).contents([wheel(replay)])
