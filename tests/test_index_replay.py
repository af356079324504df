"""The replayed package index answers as the real one, from its recording alone."""

from __future__ import annotations

import io
import lzma
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.index_recording import FOLDER, Recording, StandIn
from tests.index_server import FILES_HOST, INDEX_HOST, IndexReplay
from tests.record_index import CASES, resolving_headers

PATH = "/packages/1/demo-1-py3-none-any.whl"
METADATA = "Metadata-Version: 2.1\nName: demo\nVersion: 1\nRequires-Dist: other>=2\n"
WHEEL = StandIn(
    size=5000,
    members=[("demo/__init__.py", 40, 7), ("demo-1.dist-info/METADATA", 999, 8)],
    metadata=METADATA,
)
ROW = {"filename": PATH.rpartition("/")[2], "hashes": {"sha256": "0" * 64}, "url": PATH}
RECORDING = Recording(
    recorded="by hand", projects={"demo": [ROW]}, absent=["gone"], wheels={PATH: WHEEL}, files={"/a": b"abc"}
)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[IndexReplay]:
    with IndexReplay(RECORDING) as replay:
        for name, value in replay.environ(cache=tmp_path).items():
            monkeypatch.setenv(name, value)
        yield replay


def get(host: str, path: str, span: str = "") -> requests.Response:
    return requests.get(f"https://{host}{path}", headers={"Range": span} if span else {}, timeout=10)


def test_stand_in_lists_the_members_and_has_the_metadata() -> None:
    data = WHEEL.read(0, WHEEL.size)
    assert len(data) == WHEEL.size
    assert b"".join(WHEEL.read(at, min(at + 7, WHEEL.size)) for at in range(0, WHEEL.size, 7)) == data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert {item.filename: item.file_size for item in archive.infolist()} == {
            "demo/__init__.py": 40,
            "demo-1.dist-info/METADATA": len(METADATA),
        }
        assert archive.read("demo-1.dist-info/METADATA").decode() == METADATA


def test_recording_is_read_as_it_was_written(tmp_path: Path) -> None:
    first = RECORDING.write("demo", tmp_path).read_bytes()
    found = Recording.read("demo", tmp_path)
    assert found == RECORDING
    assert found.write("demo", tmp_path).read_bytes() == first


def test_pages_parts_and_files_are_answered(index: IndexReplay) -> None:
    page = get(INDEX_HOST, "/simple/demo/").json()
    assert page["files"] == [{**ROW, "url": f"https://{FILES_HOST}{PATH}"}]
    assert get(INDEX_HOST, "/simple/gone/").status_code == 404
    part = get(FILES_HOST, PATH, "bytes=-100")
    assert (part.status_code, part.content) == (206, WHEEL.read(4900, 5000))
    assert part.headers["Content-Range"] == "bytes 4900-4999/5000"
    assert requests.head(f"https://{FILES_HOST}{PATH}", timeout=10).headers["Content-Length"] == "5000"
    assert get(FILES_HOST, f"{PATH}.metadata").status_code == 404
    assert get(FILES_HOST, "/a").content == b"abc"
    assert not index.missed


def test_what_was_not_recorded_is_counted(index: IndexReplay) -> None:
    assert get(INDEX_HOST, "/simple/other/").status_code == 404
    assert get(FILES_HOST, "/b").status_code == 404
    assert get(FILES_HOST, PATH).status_code == 404
    assert index.missed == ["GET /simple/other/", "GET /b", f"GET {PATH}"]
    with pytest.raises(requests.exceptions.ProxyError):
        get("download.pytorch.org", "/whl/")
    assert index.refused == ["download.pytorch.org"]


def test_only_headers_for_resolvers_are_kept() -> None:
    text = (
        f"{METADATA}Home-page: https://example.org\nRequires-Dist: folded;\n  extra == 'a'\n\nA description\n"
    )
    assert resolving_headers(text) == f"{METADATA}Requires-Dist: folded; extra == 'a'\n"


@pytest.mark.parametrize("name", CASES)
def test_recordings_name_no_host_and_say_how_they_were_made(name: str) -> None:
    text = lzma.decompress((FOLDER / f"{name}.json.xz").read_bytes()).decode()
    assert not [host for host in (INDEX_HOST, FILES_HOST) if host in text]
    assert "://" not in text
    assert f"`python -m tests.record_index {name}`" in Recording.read(name).recorded
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 3_000_000
