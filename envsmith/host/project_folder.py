"""The project's folder: searched upwards from the current one, or given with ``--project``; commands run in it.

On the start-up path of `envsmith run`: few imports.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

OPTION = "--project"
_NAMES = ("project", "tool.envsmith", "tool.poetry")
_TABLES = tuple(f"[{name}{end}".encode() for name in _NAMES for end in ("]", "."))
# /tmp and the like: any user could place a project there. Mode bits: sticky, writable by all.
_SHARED = 0o1002
_user_folder = ""


def enter(words: Sequence[str]) -> list[str]:
    """Change to the project's folder.

    Args:
        words: the command line.

    Returns:
        The command line without a valid ``--project DIR``. An invalid one is put first, where click reports it.
    """
    global _user_folder  # noqa: PLW0603 - like the working folder, there is one per process
    given, rest = _split(words)
    if given is not None and not os.path.isdir(given):
        return [OPTION, given, *rest]
    if "_ENVSMITH_COMPLETE" in os.environ:  # paths are completed in the user's folder
        return rest
    try:
        here = os.getcwd()
        folder = os.path.abspath(given) if given else find(here)
        if folder != here:
            os.chdir(folder)
            _user_folder = here
    except OSError:
        pass  # the command reports a deleted folder
    return rest


def _split(words: Sequence[str]) -> tuple[str | None, list[str]]:
    """Return the last value of ``--project`` before ``--``, and the other words."""
    given: str | None = None
    rest, left = list[str](), list(words)
    while left and left[0] != "--":
        word = left.pop(0)
        if word == OPTION:
            given = left.pop(0) if left else ""
        elif word.startswith(f"{OPTION}="):
            given = word.partition("=")[2]
        else:
            rest.append(word)
    return given, [*rest, *left]


def find(here: str) -> str:
    """Return the nearest folder with locks, profiles or a project's pyproject.toml, upwards from a folder.

    The search ends at a git repository's root, below the home folder and the file system's root, and below folders
    that all users share. Without a project the result is the folder itself.
    """
    folder, home = here, os.path.expanduser("~")
    while not is_project(folder):
        parent = os.path.dirname(folder)
        is_end = (
            folder == home or os.path.exists(f"{folder}/.git") or parent in (home, os.path.dirname(parent))
        )
        if is_end or (os.name != "nt" and os.stat(parent).st_mode & _SHARED == _SHARED):
            return here
        folder = parent
    return folder


def is_project(folder: str) -> bool:
    """Return whether a folder has locks, profiles, or a pyproject.toml with a table of a project, envsmith or Poetry.

    Files that cannot be read count: the command that reads them reports that, and does not use another project.
    """
    return (
        any(
            os.path.lexists(f"{folder}/lockfiles/{name}/manifest.toml")
            for name in _names(f"{folder}/lockfiles")
        )
        or any(name.endswith(".toml") for name in _names(f"{folder}/profiles"))
        or _has_table(f"{folder}/pyproject.toml")
    )


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _has_table(path: str) -> bool:
    if not os.path.isfile(path):  # opening a FIFO would wait for ever
        return os.path.lexists(path) and not os.path.isdir(path)
    try:
        with open(path, "rb") as stream:
            return any(line.replace(b" ", b"").startswith(_TABLES) for line in stream)
    except OSError:
        return True


def user_folder() -> str:
    """Return the folder in which the user called the command."""
    return _user_folder or os.getcwd()


def leave() -> None:
    """Change back to the user's folder, before a command of the user is started."""
    if _user_folder:
        os.chdir(_user_folder)


def typed_path(text: str, *, is_recorded: bool = False) -> str:
    """Return a path as typed by the user, for use in the project's folder.

    Args:
        text: relative to the user's folder, or absolute.
        is_recorded: for files that locks record: return paths inside the project relative to it.
    """
    if not _user_folder or not text or os.path.isabs(text):
        return text
    path = os.path.normpath(os.path.join(_user_folder, text))
    if not is_recorded:
        return path
    relative = os.path.relpath(path)
    return path if relative.split(os.sep)[0] == os.pardir else relative


def user_path(text: str) -> str:
    """Return a place in the project as seen from the user's folder: ``../profiles/a.toml:7: backend``.

    Args:
        text: a path relative to the project's folder, perhaps with more after a colon; any other text is returned
            unchanged.
    """
    path, colon, rest = text.partition(":")
    if not _user_folder or not path or os.path.isabs(path) or not os.path.exists(path):
        return text
    return from_user_folder(path) + colon + rest


def from_user_folder(path: str) -> str:
    """Return a path relative to the user's folder."""
    try:
        return os.path.relpath(path, user_folder())
    except ValueError:  # Windows: another drive
        return os.path.abspath(path)
