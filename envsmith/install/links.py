"""What stands where an environment is to be, and was made by others."""

from __future__ import annotations

import sys
from pathlib import Path

from envsmith.errors import InstallError
from envsmith.install import adapters_links as links

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


def check_runner(link: Path, runner: Path | None = None) -> None:
    """Look whether this program would take away the environment that it runs in itself.

    It would lose the modules that it has not imported yet, and people the command that leads back.

    Args:
        link: the place of the environment; absolute.
        runner: the environment that runs this; found out where it is not given.

    Raises:
        InstallError: ENV033 when both are one.
    """
    if _spelt_out(link) == _spelt_out(runner or Path(sys.prefix)):
        raise InstallError(
            "ENV033",
            "envsmith itself runs in this environment, and would take it away from under its own feet",
            where=str(link),
            hint="install envsmith where it stays, as with `uv tool install` or `pipx install`; "
            "or name another place with --prefix",
        )


def _spelt_out(place: Path) -> Path:
    """Return a place as it is found without links on the way; the place itself may be one."""
    return place.parent.resolve() / place.name


def _refused(link: Path, what: str) -> InstallError:
    return InstallError(
        "ENV032",
        f"the environment cannot stand there: it {what}",
        where=str(link),
        hint="name another place: --prefix .venv",
    )
