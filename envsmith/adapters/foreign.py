"""What stands where an environment is to be, and was made by others."""

from __future__ import annotations

from pathlib import Path

from envsmith.adapters import links
from envsmith.errors import InstallError

_MARKS = ("pyvenv.cfg", "conda-meta")


def check_place(link: Path) -> None:
    """Look whether an environment may stand in a place: what is no environment is not moved aside for one.

    Args:
        link: the place; absolute.

    Raises:
        InstallError: ENV032 when something else is there: files, a folder with other things, the one worked in.
    """
    if link == Path.cwd() or link in Path.cwd().parents:
        raise _refused(link, "is the folder that envsmith works in, or one around it")
    if not links.is_there(link) or link.is_symlink():  # a link holds nothing itself
        return
    if not link.is_dir():
        raise _refused(link, "is a file")
    is_environment = any((link / mark).exists() for mark in _MARKS)
    if not is_environment and links.read(link) is None and any(link.iterdir()):
        raise _refused(link, "is a folder with other things in it, and no environment")


def _refused(link: Path, what: str) -> InstallError:
    return InstallError(
        "ENV032",
        f"the environment cannot stand there: it {what}",
        where=str(link),
        hint="name another place: --prefix .venv",
    )
