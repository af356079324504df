"""Cached answers of commands with nothing to do.

Checking a lock means planning it, and importing click alone takes longer than ``uv pip sync`` of an unchanged
environment. The answer is therefore stored with the size, times and inode of all inputs, as build tools do. Any change
invalidates it: of a file or folder, a profile, an installed distribution, the interpreter, envsmith itself, a variable
of envsmith or the command line.

The answers are in the user's cache, never in the project, whose files may come from others. They are read before
anything else is imported, so this module imports little more than the interpreter has loaded already.
"""

from __future__ import annotations

import json
import os
import sys

from envsmith.files.cache_dir import cache_root
from envsmith.host.project_folder import user_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    Signatures = Mapping[str, Sequence[int] | None]

_FORMAT_VERSION = 3
_MOST_ANSWERS = 50
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - pathlib is slow to import


def sign_paths(paths: Iterable[Path]) -> Signatures:
    """Return the signatures of files and folders; None for missing ones."""
    return {os.fspath(path): _signature(os.fspath(path)) for path in paths}


def remember(
    words: Sequence[str], answer: str, signatures: Signatures, folders: tuple[str, Sequence[str]] = ("", ())
) -> None:
    """Store the answer to a command line with the signatures of its inputs.

    Nothing is stored if the command line or a variable of envsmith contains a URL with credentials.

    Args:
        words: the command line, without the program.
        answer: the printed text.
        signatures: taken before the inputs were read, so that later changes are noticed.
        folders: a folder, and the relative paths of folders below it in which no file may be added or deleted.
    """
    from contextlib import suppress
    from pathlib import Path

    from envsmith.files.atomic import write_atomic

    if any("://" in text and "@" in text for text in (*words, *_variables().values())):
        return
    place = Path(_place(words))
    own = _own_state()
    stored = {
        "form": _FORMAT_VERSION,
        "words": list(words),
        "said": answer,
        "own": own,
        "paths": signatures,
        "folders": [*folders, _folders_signature(*folders)],
    }
    with suppress(OSError):  # without a stored answer the command runs again
        place.parent.mkdir(parents=True, exist_ok=True)
        _evict_oldest(place.parent)
        write_atomic(place, json.dumps(stored))


def _evict_oldest(folder: Path) -> None:
    found = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    for path in found[: -_MOST_ANSWERS + 1]:
        path.unlink(missing_ok=True)


def recall(words: Sequence[str]) -> str:
    """Return the stored answer to a command line; empty if there is none or an input has changed."""
    try:
        with open(_place(words), "rb") as stream:  # noqa: PTH123 - pathlib is slow to import
            stored = json.load(stream)
        is_same = (
            stored["form"] == _FORMAT_VERSION
            and stored["words"] == list(words)
            and all(_signature(path) == known for path, known in stored["paths"].items())
            and stored["own"] == _own_state()
            and _folders_signature(*stored["folders"][:2]) == stored["folders"][2]
        )
        return str(stored["said"]) if is_same and _fits(stored["said"]) else ""
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""


def below(folder: Path) -> Iterator[Path]:
    """Yield a folder and all files and folders in it."""
    yield folder
    if folder.is_dir():
        yield from sorted(folder.rglob("*"))


def _place(words: Sequence[str]) -> str:
    """Return the path of the answer to a command line. It may be shared: `recall` compares the stored words."""
    from zlib import crc32

    name = f"{crc32(chr(0).join((os.getcwd(), user_folder(), *words)).encode('utf-8', 'surrogatepass')):08x}.json"  # noqa: PTH109
    return os.path.join(cache_root(os.environ), "answers", name)  # noqa: PTH118


def _signature(path: str) -> list[int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - pathlib is slow to import
    except OSError:
        return None
    return [found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


def _folders_signature(root: str, names: Sequence[str]) -> int:
    """Return one number for the times of many folders, as an environment has thousands of them.

    Raises:
        OSError: when one is missing.
    """
    found = 0
    for name in names:
        folder = os.stat(f"{root}/{name}")  # noqa: PTH116 - pathlib is slow to import
        found = hash((found, folder.st_mtime_ns, folder.st_ctime_ns, folder.st_ino))
    return found


def _own_state() -> dict[str, object]:
    """Return the inputs besides files: envsmith, its interpreter, working folder and variables."""
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
    folders = [os.getcwd(), user_folder()]  # noqa: PTH109
    return {"package": newest, "python": sys.version, "folders": folders, "variables": _variables()}


def _variables() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("ENVSMITH_")}


def _fits(line: str) -> bool:
    """Return whether a line fits on the terminal without wrapping."""
    return not sys.stdout.isatty() or len(line) < os.get_terminal_size(sys.stdout.fileno()).columns
