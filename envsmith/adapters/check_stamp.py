"""Remembers that a lock was found current, until anything that was looked at changes.

Looking whether a lock is current means planning anew; that takes longer than an install that has nothing to do. What
was read meanwhile is kept by size, times and inode, as build tools do; a file or folder of another kind than before, a
new profile beside the old ones, another envsmith, another variable of its own make it look again.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from envsmith.adapters.folders import write_whole

_FORM = 1
_PACKAGE = Path(__file__).parents[1]


def remember(place: Path, paths: Iterable[Path]) -> None:
    """Write down how things are that were looked at.

    Args:
        place: the stamp's file; nothing is written where its folder is not there.
        paths: files and folders, those that are not there included.
    """
    if place.parent.is_dir():
        kept = {os.fspath(path): _signature(path) for path in paths}
        write_whole(place, json.dumps({"form": _FORM, "own": _own(), "paths": kept}))


def holds(place: Path) -> bool:
    """Say whether everything is as it was when the stamp was written."""
    try:
        kept = json.loads(place.read_bytes())
        return bool(
            kept["form"] == _FORM
            and kept["own"] == _own()
            and all(_signature(Path(path)) == known for path, known in kept["paths"].items())
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def below(folder: Path) -> Iterator[Path]:
    """Yield a folder and all files and folders in it."""
    yield folder
    if folder.is_dir():
        yield from sorted(folder.rglob("*"))


def _signature(path: Path) -> list[int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return [found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


def _own() -> dict[str, object]:
    """Return what the answer depends on besides files that people write: envsmith, its interpreter and variables."""
    newest = [0, 0]
    todo = [os.fspath(_PACKAGE)]
    while todo:
        for entry in os.scandir(todo.pop()):
            if entry.name == "__pycache__":
                continue
            if entry.is_dir():
                todo.append(entry.path)
            else:
                newest = [newest[0] + 1, max(newest[1], entry.stat().st_mtime_ns)]
    variables = {name: value for name, value in os.environ.items() if name.startswith("ENVSMITH_")}
    return {"package": newest, "python": sys.version, "folder": os.getcwd(), "variables": variables}  # noqa: PTH109
