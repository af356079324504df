from __future__ import annotations

import errno
import os
import re
from pathlib import Path

import pytest

from envsmith.errors import InstallError, ToolError
from envsmith.files import atomic, os_errors, own_folder


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    place = tmp_path / "file"
    for text in ("one\n", "two\n"):
        atomic.write_atomic(place, text)
        assert place.read_bytes() == text.encode()
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("path", "full"),
    [
        ("C:\\a\\b/../c", "\\\\?\\C:\\a\\c"),
        ("\\\\server\\share\\a", "\\\\?\\UNC\\server\\share\\a"),
        ("\\\\?\\C:\\a", "\\\\?\\C:\\a"),
        ("\\\\.\\pipe\\a", "\\\\.\\pipe\\a"),
    ],
)
def test_paths_of_any_length(path: str, full: str) -> None:
    assert own_folder.extended(path, is_windows=True) == full
    assert own_folder.extended(Path("a/b"), is_windows=False) == str(Path("a/b"))


def test_a_removal_deletes_some_files_first_and_others_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("a", "last", "first"):
        (folder / name).touch()
    gone: list[str] = []
    real = Path.unlink

    def unlink(path: Path, missing_ok: bool = False) -> None:
        gone.append(path.name)
        if path.name == "first" and len(gone) < 3:
            raise PermissionError(errno.EACCES, "refused", str(path))
        real(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink)
    with pytest.raises(PermissionError):
        own_folder.remove_folder(folder, "last", first=("first",))
    assert sorted(path.name for path in folder.iterdir()) == ["a", "first", "last"]
    gone += ["", ""]
    own_folder.remove_folder(folder, "last", first=("first",))
    assert gone[-3:] == ["first", "a", "last"]


def test_a_write_protected_folder_is_removed(tmp_path: Path) -> None:
    inner = tmp_path / "outer" / "inner"
    inner.mkdir(parents=True)
    (inner / "file").touch()
    (inner / "file").chmod(0o400)
    inner.chmod(0o500)
    own_folder.remove_folder(tmp_path / "outer")
    assert not (tmp_path / "outer").exists()


@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, "ENV021"), (errno.EDQUOT, "ENV021"), (errno.EROFS, "ENV024")]
)
def test_what_the_system_refuses_is_told_with_its_place(tmp_path: Path, number: int, code: str) -> None:
    with (
        pytest.raises(
            InstallError,
            match=f"{code}: here: .*{os.strerror(number)[1:]}; the current env",
        ),
        os_errors.environment_errors(tmp_path),
    ):
        raise OSError(number, os.strerror(number), "here")
    with (
        pytest.raises(InstallError, match=re.escape(f"{code}: {tmp_path}")),
        os_errors.environment_errors(tmp_path),
    ):
        raise OSError(number, os.strerror(number))


@pytest.mark.skipif(os.name == "nt", reason="makes symbolic links")
def test_a_removal_follows_no_links_and_keeps_the_named_files_for_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "precious" / "inner").mkdir(parents=True)
    (tmp_path / "precious" / "inner" / "file").touch()
    (tmp_path / "precious" / "inner").chmod(0o500)
    mine = tmp_path / "mine"
    own_folder.make_marked(mine, "mine")
    (mine / "deep" / "er").mkdir(parents=True)
    for place in (mine / "link", mine / "deep" / "link"):
        place.symlink_to(tmp_path / "precious")
    os.mkfifo(mine / "fifo")
    real = os.rmdir

    def refuse(path: str, **options: int) -> None:
        if os.fspath(path).endswith("er"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        real(path, **options)

    monkeypatch.setattr(os, "rmdir", refuse)
    with pytest.raises(PermissionError):
        own_folder.remove_folder(mine, own_folder.MARK)
    assert sorted(path.name for path in mine.iterdir()) == ["deep", own_folder.MARK]
    monkeypatch.setattr(os, "rmdir", real)
    own_folder.remove_folder(mine, own_folder.MARK)
    assert not mine.exists()
    assert (tmp_path / "precious" / "inner" / "file").exists()
    assert (tmp_path / "precious" / "inner").stat().st_mode & 0o777 == 0o500


@pytest.mark.skipif(os.name == "nt", reason="makes symbolic links")
@pytest.mark.parametrize("kind", ["symbolic", "hard", "dangling", "fifo"])
def test_a_file_of_ours_is_not_written_through_a_link(tmp_path: Path, kind: str) -> None:
    outside, place = tmp_path / "outside", tmp_path / "place"
    if kind != "dangling":
        outside.write_text("mine", "utf-8")
    if kind == "fifo":
        os.mkfifo(place)
    else:
        place.hardlink_to(outside) if kind == "hard" else place.symlink_to(outside)
    assert own_folder.read_own(place) == ("mine" if kind == "hard" else "")
    handle = own_folder.open_own(place)
    os.write(handle, b"ours")
    os.close(handle)
    assert place.read_text("utf-8") == own_folder.read_own(place) == "ours"
    assert not place.is_symlink()
    assert outside.exists() == (kind != "dangling")
    assert kind == "dangling" or outside.read_text("utf-8") == "mine"


@pytest.mark.skipif(os.name == "nt", reason="makes symbolic links")
def test_sets_of_files_are_not_written_out_of_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, precious = tmp_path / "project", tmp_path / "precious"
    for folder in (project / "real", precious):
        folder.mkdir(parents=True)
    monkeypatch.chdir(project)
    Path("locks").symlink_to(precious)
    (precious / ".envsmith-journal").write_text('{"form": 1, "replace": [], "remove": ["file"]}', "utf-8")
    (precious / "file").write_text("mine", "utf-8")
    for folder in (Path("locks"), Path("locks/cu128"), project / "locks"):
        with pytest.raises(ToolError, match="TOL019"):
            atomic.write_files(folder, {"file": b"ours"})
    assert atomic.read_files(Path("locks"))["file"] == b"mine"
    assert sorted(path.name for path in precious.iterdir()) == [".envsmith-journal", "file"]
    Path("inside").symlink_to("real")
    assert atomic.write_files(Path("inside"), {"file": b"ours"}) == ("file",)
    assert atomic.write_files(precious, {}) == ()
