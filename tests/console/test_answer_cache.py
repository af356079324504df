from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from envsmith.console import answer_cache
from envsmith.errors import ProfileError
from envsmith.files.text import read_text, record_reads

WORDS = ["install", "own"]


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file; what was said is remembered for both and for a file that is not there."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "watched"
    folder.mkdir()
    (folder / "file").write_text("one", "utf-8")
    monkeypatch.setenv("ENVSMITH_CACHE_DIR", str(tmp_path / "cache"))
    remember(WORDS)
    assert answer_cache.recall(WORDS) == "said"
    return folder


def remember(words: list[str]) -> None:
    seen = answer_cache.sign_paths(
        [*answer_cache.below(Path("watched").absolute()), Path("absent").absolute()]
    )
    answer_cache.remember(words, "said", seen)


def kept(folder: Path) -> Path:
    (found,) = (folder.parent / "cache" / "answers").iterdir()
    return found


CHANGES: dict[str, Callable[[Path], object]] = {
    "a file written": lambda folder: (folder / "file").write_text("another", "utf-8"),
    "a file of the same size put in its place": lambda folder: _replaced(folder / "file"),
    "a file gone": lambda folder: (folder / "file").unlink(),
    "a file come": lambda folder: (folder / "other").touch(),
    "one that was not there": lambda folder: (folder.parent / "absent").touch(),
    "a damaged memory": lambda folder: kept(folder).write_text("{", "utf-8"),
    "a memory of another form": lambda folder: kept(folder).write_text('{"form": 0}', "utf-8"),
    "no object": lambda folder: kept(folder).write_text("[1]", "utf-8"),
    "no memory": lambda folder: kept(folder).unlink(),
    "a deep one": lambda folder: kept(folder).write_text("[" * 1_000_000, "utf-8"),
    "no bytes of text": lambda folder: kept(folder).write_bytes(b"\xff\0" * 99),
    "a huge one": lambda folder: os.truncate(kept(folder), 10**12),
    "a folder": lambda folder: _instead(kept(folder), os.mkdir),
    "a link to itself": lambda folder: _instead(kept(folder), lambda path: path.symlink_to(path)),
    "one that never ends": lambda folder: _instead(kept(folder), lambda path: path.symlink_to("/dev/zero")),
    "a pipe": lambda folder: _instead(kept(folder), os.mkfifo),
}


def _replaced(file: Path) -> None:
    found = file.stat()
    (file.parent.parent / "new").write_text("two", "utf-8")
    os.utime(file.parent.parent / "new", ns=(found.st_atime_ns, found.st_mtime_ns))
    (file.parent.parent / "new").replace(file)


def _instead(path: Path, make: Callable[[Path], object]) -> None:
    path.unlink()
    make(path)


@pytest.mark.skipif(os.name == "nt", reason="makes symbolic links and pipes")
@pytest.mark.parametrize("change", CHANGES)
def test_any_change_makes_it_look_again(watched: Path, change: str) -> None:
    CHANGES[change](watched)
    assert answer_cache.recall(WORDS) == ""


def test_another_word_makes_it_look_again(watched: Path) -> None:
    assert kept(watched).exists()
    assert answer_cache.recall([*WORDS, "--no-guard"]) == ""
    assert answer_cache.recall(["install", "other"]) == ""


def test_a_variable_of_envsmiths_makes_it_look_again(watched: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVSMITH_STORE", "/elsewhere")
    assert answer_cache.recall(WORDS) == ""
    monkeypatch.delenv("ENVSMITH_STORE")
    words = [*WORDS, "--prefix", str(watched.parent / ".venv")]
    remember(words)
    monkeypatch.chdir(watched)
    assert answer_cache.recall(words) == "", "paths are seen from a folder"


def test_an_old_answer_is_not_one_for_commands_that_ask_daily(watched: Path) -> None:
    now_s = time.time()
    os.utime(kept(watched), (now_s, now_s))
    assert answer_cache.recall(WORDS, 86_400.0) == "said"
    os.utime(kept(watched), (now_s, now_s - 86_401))
    assert answer_cache.recall(WORDS, 86_400.0) == ""
    assert answer_cache.recall(WORDS) == "said"


def test_what_changes_while_it_works_is_seen(watched: Path) -> None:
    seen = answer_cache.sign_paths([watched / "file"])
    (watched / "file").write_text("another", "utf-8")
    answer_cache.remember(WORDS, "said", seen)
    assert answer_cache.recall(WORDS) == ""


def test_nothing_is_written_into_the_project_nor_read_from_it(watched: Path) -> None:
    assert sorted(path.name for path in watched.parent.iterdir()) == ["cache", "watched"]
    (watched.parent / ".envsmith").mkdir()
    kept(watched).rename(watched.parent / ".envsmith" / "unchanged.json")
    assert answer_cache.recall(WORDS) == ""


def test_other_commands_are_remembered_in_the_cache_the_newest_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENVSMITH_CACHE_DIR", str(tmp_path / "cache"))
    for number in range(60):
        answer_cache.remember(["lock", "--check", str(number)], f"said {number}", {})
    assert answer_cache.recall(["lock", "--check", "59"]) == "said 59"
    assert answer_cache.recall(["lock", "--check", "0"]) == "", "the oldest are forgotten"
    assert len(list((tmp_path / "cache" / "answers").iterdir())) == 50
    monkeypatch.chdir(tmp_path)
    assert answer_cache.recall(["lock", "--check", "59"]) == "", "said of another folder"


def test_a_cache_that_cannot_be_written_to_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").touch()
    monkeypatch.setenv("ENVSMITH_CACHE_DIR", str(tmp_path / "cache"))
    answer_cache.remember(["lock", "--check"], "said", {})
    assert answer_cache.recall(["lock", "--check"]) == ""


def test_texts_that_are_read_are_remembered_those_that_are_not_there_too(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("text", "utf-8")
    with record_reads() as paths:
        read_text(tmp_path / "there", "there")
        with pytest.raises(ProfileError):
            read_text(tmp_path / "absent", "absent")
    read_text(tmp_path / "there", "there")
    assert paths == [tmp_path / "there", tmp_path / "absent"]


def test_it_imports_next_to_nothing() -> None:
    code = (
        "import sys; before = set(sys.modules); import envsmith.__main__, envsmith.console.answer_cache; "
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "print(new & {'click', 'pathlib', 'dataclasses', 'typing', 'inspect', 'shutil', 'signal'})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.usefixtures("watched")
def test_what_may_hold_a_password_is_not_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = "https://user:hush@mirror.example"
    for words in (["install", "--wheelhouse", mirror], ["install", f"--rewrite=https://a.example={mirror}"]):
        remember(words)
        assert answer_cache.recall(words) == ""
    monkeypatch.setenv("ENVSMITH_REWRITE", f"https://a.example={mirror}")
    remember(["install", "new"])
    monkeypatch.delenv("ENVSMITH_REWRITE")
    assert not [path for path in Path().rglob("*") if path.is_file() and b"hush" in path.read_bytes()]
    assert answer_cache.recall(WORDS) == "said", "what was known before stays"
