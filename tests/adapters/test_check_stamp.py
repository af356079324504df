from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from envsmith.adapters import check_stamp
from envsmith.adapters.text_files import read_text, remembered
from envsmith.errors import ProfileError


@pytest.fixture
def watched(tmp_path: Path) -> Path:
    """A folder with a file, and the stamp of both and of a file that is not there."""
    folder = tmp_path / "watched"
    folder.mkdir()
    (folder / "file").write_text("one", "utf-8")
    check_stamp.remember(tmp_path / "stamp", [*check_stamp.below(folder), tmp_path / "absent"])
    assert check_stamp.holds(tmp_path / "stamp")
    return folder


CHANGES: dict[str, Callable[[Path], object]] = {
    "a file written": lambda folder: (folder / "file").write_text("another", "utf-8"),
    "a file of the same size put in its place": lambda folder: _replaced(folder / "file"),
    "a file gone": lambda folder: (folder / "file").unlink(),
    "a file come": lambda folder: (folder / "other").touch(),
    "one that was not there": lambda folder: (folder.parent / "absent").touch(),
    "a damaged stamp": lambda folder: (folder.parent / "stamp").write_text("{", "utf-8"),
    "a stamp of another form": lambda folder: (folder.parent / "stamp").write_text('{"form": 0}', "utf-8"),
    "no stamp": lambda folder: (folder.parent / "stamp").unlink(),
}


def _replaced(file: Path) -> None:
    found = file.stat()
    (file.parent.parent / "new").write_text("two", "utf-8")
    os.utime(file.parent.parent / "new", ns=(found.st_atime_ns, found.st_mtime_ns))
    (file.parent.parent / "new").replace(file)


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_makes_it_look_again(watched: Path, change: str) -> None:
    CHANGES[change](watched)
    assert not check_stamp.holds(watched.parent / "stamp")


def test_a_variable_of_envsmiths_makes_it_look_again(watched: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVSMITH_CACHE_DIR", "/elsewhere")
    assert not check_stamp.holds(watched.parent / "stamp")
    monkeypatch.delenv("ENVSMITH_CACHE_DIR")
    monkeypatch.chdir(watched)
    assert not check_stamp.holds(watched.parent / "stamp"), "paths are seen from a folder"


def test_nothing_is_written_where_there_is_no_folder_for_it(tmp_path: Path) -> None:
    check_stamp.remember(tmp_path / "none" / "stamp", [tmp_path])
    assert not (tmp_path / "none").exists()


def test_texts_that_are_read_are_remembered_those_that_are_not_there_too(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("text", "utf-8")
    with remembered() as paths:
        read_text(tmp_path / "there", "there")
        with pytest.raises(ProfileError):
            read_text(tmp_path / "absent", "absent")
    read_text(tmp_path / "there", "there")
    assert paths == [tmp_path / "there", tmp_path / "absent"]
