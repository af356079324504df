from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from envsmith.index.remote_wheels import LicenceReader, installed_licences
from envsmith.lockfile.pins import Pin
from envsmith.model.license import PackageLicense
from tests.install.made import made
from tests.replay import ReplayIndex
from tests.replay_faults import Fault
from tests.replay_files import ReplayFile

HEAD = b"Metadata-Version: 2.4\nName: x\nVersion: 1.0\n"
WHEEL = made("x", files={"x-1.0.dist-info/METADATA": b""})
NAME = WHEEL.filename


@pytest.fixture
def replay() -> Iterator[ReplayIndex]:
    with ReplayIndex() as server:
        yield server


def pin(replay: ReplayIndex, body: bytes, name: str = NAME) -> Pin:
    url = f"{replay.base}/cu199/{name}"
    sha256 = hashlib.sha256(body).hexdigest()
    return Pin(name="x", version="1.0", sha256=(sha256,), filename=name, url=url)


def serve(replay: ReplayIndex, body: bytes, metadata: bytes | None = None) -> Pin:
    replay.add(replace(ReplayFile.row(NAME, index="cu199"), body=body, metadata=metadata))
    return pin(replay, body)


def test_reads_what_lies_beside_the_wheel_and_remembers_it(replay: ReplayIndex, tmp_path: Path) -> None:
    asked = serve(replay, WHEEL.body, HEAD + b"License-Expression: MIT\n")
    expected = {asked.sha256[0]: PackageLicense(expression="MIT")}
    assert LicenceReader(tmp_path).licences([asked, asked]) == expected
    assert LicenceReader(tmp_path, is_offline=True).licences([asked]) == expected
    assert LicenceReader(tmp_path).licences([replace(asked, url="", filename="")]) == {}, "unknown origin"
    assert len(replay.requests) == 1


def test_reads_the_wheel_where_nothing_lies_beside_it(replay: ReplayIndex, tmp_path: Path) -> None:
    asked = serve(replay, made("x").body)
    assert LicenceReader(tmp_path).licences([asked]) == {asked.sha256[0]: PackageLicense()}
    assert not LicenceReader(tmp_path, is_offline=True).licences([asked])[asked.sha256[0]].is_known


def test_what_cannot_be_had_stays_unknown(replay: ReplayIndex, tmp_path: Path) -> None:
    asked = serve(replay, b"PK, or not")
    gone = pin(replay, b"other", "gone-1.0-py3-none-any.whl")
    source = replace(asked, filename="x-1.0.tar.gz", sha256=("0" * 64,))
    reader = LicenceReader(tmp_path)
    assert reader.licences([asked, gone, source]) == {}
    assert LicenceReader(tmp_path, is_offline=True).licences([asked]) == {}
    replay.fail(f"/whl/cu199/{NAME}.metadata", Fault.status(503))
    assert reader.licences([asked]) == {}


def test_a_silent_server_is_asked_once(tmp_path: Path) -> None:
    with ReplayIndex() as server:
        asked = serve(server, WHEEL.body)
    # Nobody listens there any more.
    reader = LicenceReader(tmp_path)
    assert reader.licences([asked]) == {}
    assert reader.licences([asked]) == {}


@pytest.mark.parametrize("text", ["", "[]", '{"form": 2}', '{"form": 1, "name": "x"}', "\x00"])
def test_what_is_damaged_is_read_anew(text: str, replay: ReplayIndex, tmp_path: Path) -> None:
    asked = serve(replay, WHEEL.body, HEAD + b"License-Expression: MIT\n")
    assert LicenceReader(tmp_path).licences([asked])
    (record,) = tmp_path.iterdir()
    record.write_text(text, "utf-8")
    assert LicenceReader(tmp_path).licences([asked]) == {asked.sha256[0]: PackageLicense(expression="MIT")}


@pytest.mark.parametrize("site", ["lib/python3.12/site-packages", "Lib/site-packages"])
def test_what_is_installed_says_it_too(site: str, tmp_path: Path) -> None:
    for name, line in (("Some.Name-1.0", b"License: Own\n"), ("silent-2", b"")):
        info = tmp_path / site / f"{name}.dist-info"
        info.mkdir(parents=True)
        project, _, version = name.partition("-")
        head = f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n".encode()
        (info / "METADATA").write_bytes(head + line)
    (tmp_path / site / "broken-1.dist-info/METADATA").mkdir(parents=True)
    found = {("some-name", "1.0"): PackageLicense(name="Own"), ("silent", "2"): PackageLicense()}
    assert installed_licences(tmp_path) == found
    assert installed_licences(tmp_path / "nowhere") == {}
