"""Remembers what a command said that had nothing to do, until anything that it looked at changes.

Looking whether a lock is current means planning anew, and importing click alone takes longer than ``uv pip sync`` does
for an environment that is as it should be. What was looked at is therefore kept by size, times and inode, as build
tools do; a file or folder of another kind than before, a new profile beside the old ones, a distribution more or less,
another interpreter, another envsmith, another variable of its own, another word on the command line make it look again.

An install's answer lies beside the environments, that of ``lock --check`` in the user's cache. It is read before
anything else is imported: what is imported above is what an interpreter has imported already, or nearly.
"""

from __future__ import annotations

import json
import os
import sys

from envsmith.files.cache_dir import cache_root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    Signatures = Mapping[str, Sequence[int] | None]

_FORM = 2
_NAME = "unchanged.json"
_MOST_ANSWERS = 50
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - pathlib is slow to import


def sign_paths(paths: Iterable[Path]) -> Signatures:
    """Return how files and folders are, those that are not there included."""
    return {os.fspath(path): _signature(os.fspath(path)) for path in paths}


def remember(words: Sequence[str], said: str, seen: Signatures) -> None:
    """Write down what was said to these words, and how things were that were looked at.

    Where a word or a variable of ours may hold a password, nothing is: it would lie there for others to read.

    Args:
        words: the command line, without the program.
        said: what was printed.
        seen: taken before each thing was looked at, so that what changes meanwhile is seen to have changed.
    """
    from contextlib import suppress
    from pathlib import Path

    from envsmith.files.atomic import write_atomic

    if any("://" in text and "@" in text for text in (*words, *_variables().values())):
        return
    place = Path(_place(words))
    kept = {"form": _FORM, "words": list(words), "said": said, "own": _own(), "paths": seen}
    with suppress(OSError):  # then it is looked into again
        if place.name != _NAME:
            place.parent.mkdir(parents=True, exist_ok=True)
            _forget_oldest(place.parent)
        if place.parent.is_dir():
            write_atomic(place, json.dumps(kept))


def _forget_oldest(folder: Path) -> None:
    found = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    for path in found[: -_MOST_ANSWERS + 1]:
        path.unlink(missing_ok=True)


def recall(words: Sequence[str]) -> str:
    """Return what was said to these very words, where it would be said again; empty where that must be looked into."""
    try:
        with open(_place(words), "rb") as stream:  # noqa: PTH123 - pathlib is slow to import
            kept = json.load(stream)
        is_same = (
            kept["form"] == _FORM
            and kept["words"] == list(words)
            and all(_signature(path) == known for path, known in kept["paths"].items())
            and kept["own"] == _own()
        )
        return str(kept["said"]) if is_same and _fits(kept["said"]) else ""
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""


def below(folder: Path) -> Iterator[Path]:
    """Yield a folder and all files and folders in it."""
    yield folder
    if folder.is_dir():
        yield from sorted(folder.rglob("*"))


def _place(words: Sequence[str]) -> str:
    """Return where an answer to a command line would be kept; the words in it are compared, so a guess is enough."""
    if "install" not in words:
        from zlib import crc32

        name = f"{crc32(chr(0).join((os.getcwd(), *words)).encode('utf-8', 'surrogatepass')):08x}.json"  # noqa: PTH109
        return os.path.join(cache_root(os.environ), "answers", name)  # noqa: PTH118
    prefix = ".venv"
    for number, word in enumerate(words):
        if word == "--prefix" and number + 1 < len(words):
            prefix = words[number + 1]
        elif word.startswith("--prefix="):
            prefix = word.removeprefix("--prefix=")
    return os.path.join(os.path.dirname(os.path.abspath(prefix)), ".envsmith", _NAME)  # noqa: PTH100, PTH118, PTH120


def _signature(path: str) -> list[int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - pathlib is slow to import
    except OSError:
        return None
    return [found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


def _own() -> dict[str, object]:
    """Return what the answer depends on besides files that people write: envsmith, its interpreter and variables."""
    newest = [0, 0]
    todo = [_PACKAGE]
    while todo:
        for entry in os.scandir(todo.pop()):
            if entry.name == "__pycache__":
                continue
            if entry.is_dir():
                todo.append(entry.path)
            else:
                newest = [newest[0] + 1, max(newest[1], entry.stat().st_mtime_ns)]
    return {"package": newest, "python": sys.version, "folder": os.getcwd(), "variables": _variables()}  # noqa: PTH109


def _variables() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("ENVSMITH_")}


def _fits(said: str) -> bool:
    """Say whether a line need not be broken on this terminal."""
    return not sys.stdout.isatty() or len(said) < os.get_terminal_size(sys.stdout.fileno()).columns
