from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.index.remote_wheels import MetadataCache

SHA256 = "a" * 64
URL = "https://files.example/packages/a.whl"


def test_values_are_read_back_for_the_same_kind_and_format(tmp_path: Path) -> None:
    MetadataCache(tmp_path / "notes", "requires", 1).write(SHA256, URL, {"requires": ["b"]})
    assert MetadataCache(tmp_path / "notes", "requires", 1).read(SHA256, URL)["requires"] == ["b"]
    assert not MetadataCache(tmp_path / "notes", "requires", 2).read(SHA256, URL)
    assert not MetadataCache(tmp_path / "notes", "licence", 1).read(SHA256, URL)
    assert not MetadataCache(tmp_path / "notes", "requires", 1).read("b" * 64, URL)


@pytest.mark.parametrize(
    ("url", "is_believed"),
    [
        ("https://files.example/other/a.whl", True),
        ("https://FILES.example/a.whl", True),
        ("https://me:secret@files.example/a.whl", True),
        ("https://mirror.example/packages/a.whl", False),
        ("http://files.example/packages/a.whl", False),
        ("https://files.example:8443/packages/a.whl", False),
        ("", False),
    ],
)
def test_values_of_another_origin_are_not_believed(tmp_path: Path, url: str, is_believed: bool) -> None:
    cache = MetadataCache(tmp_path, "requires")
    cache.write(SHA256, URL, {"requires": ["b"]})
    assert bool(cache.read(SHA256, url)) is is_believed


def test_values_of_a_wheel_hashed_as_a_whole_are_believed_for_every_origin(tmp_path: Path) -> None:
    cache = MetadataCache(tmp_path, "requires")
    cache.write(SHA256, "", {"requires": ["b"]})
    cache.write(SHA256, URL, {"requires": ["bogus"]})
    for url in ("", URL, "https://mirror.example/a.whl"):
        assert cache.read(SHA256, url)["requires"] == ["b"]


@pytest.mark.parametrize("text", ["", "{", "[1]", "1", "[" * 100_000, '{"form": 2}'])
def test_malformed_files_are_ignored(tmp_path: Path, text: str) -> None:
    cache = MetadataCache(tmp_path, "requires")
    cache.write(SHA256, URL, {"requires": ["b"]})
    (written,) = tmp_path.iterdir()
    written.write_text(text, "utf-8")
    assert not cache.read(SHA256, URL)


def test_a_cache_that_cannot_be_written_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "notes").touch()
    notes = MetadataCache(tmp_path / "notes", "requires", 1)
    notes.write(SHA256, URL, {"requires": []})
    assert not notes.read(SHA256, URL)
