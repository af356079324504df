from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.index.remote_wheels import MetadataCache

SHA256 = "a" * 64


def test_what_is_noted_is_read_by_those_of_the_same_kind_and_form(tmp_path: Path) -> None:
    MetadataCache(tmp_path / "notes", "requires", 1).write(SHA256, {"requires": ["b"]})
    assert MetadataCache(tmp_path / "notes", "requires", 1).read(SHA256)["requires"] == ["b"]
    assert (tmp_path / "notes" / f"{SHA256}.requires.json").is_file()
    assert not MetadataCache(tmp_path / "notes", "requires", 2).read(SHA256)
    assert not MetadataCache(tmp_path / "notes", "licence", 1).read(SHA256)
    assert not MetadataCache(tmp_path / "notes", "requires", 1).read("b" * 64)


@pytest.mark.parametrize("text", ["", "{", "[1]", "1", "[" * 100_000, '{"form": 2}'])
def test_what_cannot_be_read_is_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / f"{SHA256}.requires.json").write_text(text, "utf-8")
    assert not MetadataCache(tmp_path, "requires", 1).read(SHA256)


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "notes").touch()
    notes = MetadataCache(tmp_path / "notes", "requires", 1)
    notes.write(SHA256, {"requires": []})
    assert not notes.read(SHA256)
