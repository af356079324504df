"""Cached answers of commands with nothing to do.

Checking a lock means planning it, and importing click alone takes longer than ``uv pip sync`` of an unchanged
environment. The answer is therefore stored with the size, times and inode of all inputs, as build tools do. Any change
invalidates it: of a file or folder, a profile, an installed distribution, the interpreter, envsmith itself, a variable
of envsmith or the command line.

The answers are in the user's cache, never in the project, whose files may come from others. They are read before
anything else is imported, so this module imports little more than the interpreter has loaded already, and parses a text
without the json module.
"""

from __future__ import annotations

import os
import sys
import time
from stat import S_ISREG

from envsmith.files.cache_dir import cache_root
from envsmith.host.project_folder import user_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    Signatures = Mapping[str, Sequence[int] | None]

_FORMAT_VERSION = "4"
_MOST_ANSWERS = 50
_MOST_BYTES = 64_000_000
_PRIME = 2**89 - 1
"""Divisor of the numbers that name the answers."""
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

    if any("://" in text and "@" in text for text in (*words, *(value for _, value in _variables()))):
        return
    place = Path(_place(words))
    with suppress(OSError):  # without a stored answer the command runs again
        state = _state(list(signatures.values()), *folders)
        parts = (_FORMAT_VERSION, answer, state, folders[0], str(len(words)), *words, str(len(signatures)))
        place.parent.mkdir(parents=True, exist_ok=True)
        _evict_oldest(place.parent)
        write_atomic(place, _encoded("\0".join((*parts, *signatures, *folders[1]))), is_cache=True)


def _evict_oldest(folder: Path) -> None:
    found = sorted(folder.iterdir(), key=lambda path: path.lstat().st_mtime_ns)
    for path in found[: -_MOST_ANSWERS + 1]:
        if not path.is_dir():
            path.unlink(missing_ok=True)


def recall(words: Sequence[str], most_age_s: float | None = None) -> str:
    """Return the stored answer to a command line; empty if it is missing or too old, or an input has changed."""
    try:
        place = _place(words)
        found = os.stat(place)  # noqa: PTH116 - pathlib is slow to import
        if not S_ISREG(found.st_mode) or found.st_size > _MOST_BYTES:  # reading a FIFO would wait for ever
            return ""
        if most_age_s is not None and not 0 <= time.time() - found.st_mtime <= most_age_s:
            return ""
        with open(place, encoding="utf-8", errors="surrogatepass", newline="") as stream:  # noqa: PTH123
            version, answer, state, root, count, *rest = stream.read().split("\0")
        known, rest = rest[: int(count)], rest[int(count) :]
        paths, names = rest[1 : int(rest[0]) + 1], rest[int(rest[0]) + 1 :]
        is_same = (
            version == _FORMAT_VERSION
            and known == list(words)
            and state == _state([_signature(path) for path in paths], root, names)
        )
        return answer if is_same and _fits(answer) else ""
    except (OSError, ValueError, IndexError):
        return ""


def below(folder: Path) -> Iterator[Path]:
    """Yield a folder and all files and folders in it."""
    yield folder
    if folder.is_dir():
        yield from sorted(folder.rglob("*"))


def _place(words: Sequence[str]) -> str:
    """Return the path of the answer to a command line. It may be shared: `recall` compares the stored words."""
    number = int.from_bytes(_encoded("\0".join((os.getcwd(), user_folder(), *words))), "big") % _PRIME  # noqa: PTH109
    return os.path.join(cache_root(os.environ), "answers", f"{number:x}")  # noqa: PTH118


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _state(signatures: list[Sequence[int] | None], root: str, names: Sequence[str]) -> str:
    """Return a text that changes with any input of an answer.

    Args:
        signatures: of the files and folders.
        root: a folder, or empty.
        names: of folders below it.

    Raises:
        OSError: when one of these folders is missing.
    """
    return repr((signatures, _folders_signature(root, names), _own_state()))


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


def _own_state() -> tuple[object, ...]:
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
    return newest, sys.version, os.getcwd(), user_folder(), _variables()  # noqa: PTH109


def _variables() -> list[tuple[str, str]]:
    return sorted(item for item in os.environ.items() if item[0].startswith("ENVSMITH_"))


def _fits(line: str) -> bool:
    """Return whether a line fits on the terminal without wrapping."""
    return not sys.stdout.isatty() or len(line) < os.get_terminal_size(sys.stdout.fileno()).columns
