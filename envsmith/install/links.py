"""What stands where an environment is to be, and was made by others.

The link that stands for the current environment: read, and pointed elsewhere in one step.

On POSIX it is a symbolic link, replaced by a rename. On Windows it is a junction, which needs no privilege; a rename
cannot replace one there, so the old is moved aside first, and `mend` ends what a killed process had begun.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from envsmith.errors import InstallError

EXCHANGED = "-exchanged"
"""Ends the name of what is moved aside for a moment, where the system has no exchange."""
_AT_FDCWD, _RENAME_EXCHANGE, _RENAME_SWAP = -100, 2, 2
# What says that a system or file system has no exchange, rather than that this one failed.
_NOT_HERE = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)
_MARKS = ("pyvenv.cfg", "conda-meta")


def read(link: Path, seen_from: Path | None = None) -> Path | None:
    """Return where a link points, or None where there is no link.

    Args:
        link: what is read.
        seen_from: the folder it was made for, where that is not the one it lies in.
    """
    try:
        target = os.readlink(link)  # noqa: PTH115 - as text: a junction's has a prefix
    except OSError:
        return None
    # Windows gives junctions in their extended form.
    return (seen_from or link.parent) / target.removeprefix("\\\\?\\")


def is_there(path: Path) -> bool:
    """Say whether anything has this name, a link without its target included."""
    return os.path.lexists(path)


def point(link: Path, target: Path, spare: Path) -> None:
    """Let a link point to a folder, whether it was there before or not.

    Args:
        link: nothing, or a link of ours.
        target: the folder.
        spare: a free name on the same file system.
    """
    make(spare, target, link.parent)
    if _is_replaced_by_rename():
        spare.replace(link)
        return
    old = spare.with_name(f"{spare.name}-old")
    if is_there(link):
        link.rename(old)
    spare.rename(link)
    unlink(old)


def mend(link: Path, spare: Path) -> None:
    """End what a killed process had begun in `point`: a name that is free gets the new link, leftovers go."""
    old = spare.with_name(f"{spare.name}-old")
    if not is_there(link) and not _is_replaced_by_rename():
        if is_there(spare):
            spare.rename(link)
        elif is_there(old):
            old.rename(link)
    for left in (spare, old):
        unlink(left)


def exchange(one: Path, other: Path) -> None:
    """Let two names change places, in one step where the system can do so.

    Where it cannot, ``one`` is for a moment without anything: `mend_exchange` ends what was begun there.
    """
    if _exchanged(one, other):
        return
    third = _third(other)
    one.rename(third)
    other.rename(one)
    third.rename(other)


def mend_exchange(one: Path, other: Path) -> None:
    """End what a killed process had begun in `exchange`."""
    third = _third(other)
    if not is_there(third):
        return
    if not is_there(one):
        other.rename(one)
    third.rename(other)


def _third(other: Path) -> Path:
    return other.with_name(f"{other.name}{EXCHANGED}")


def _exchanged(one: Path, other: Path) -> bool:
    """Ask the system for an exchange; say whether it has one.

    Source: renameat2(2), Linux man-pages; renamex_np(2), macOS (read 2026-11-21).
    """
    import ctypes  # here: most runs exchange nothing

    name = {"linux": "renameat2", "darwin": "renamex_np"}.get(sys.platform)
    try:
        function = getattr(ctypes.CDLL(None, use_errno=True), name) if name else None
    except (AttributeError, OSError, TypeError):
        return False
    if function is None:
        return False
    paths = os.fsencode(one), os.fsencode(other)
    if name == "renameat2":
        failed = function(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _RENAME_EXCHANGE)
    else:
        failed = function(*paths, _RENAME_SWAP)
    if not failed:
        return True
    number = ctypes.get_errno()
    if number in _NOT_HERE:
        return False
    raise OSError(number, os.strerror(number), str(one), None, str(other))


def _is_replaced_by_rename() -> bool:
    return os.name == "posix"


def make(link: Path, target: Path, seen_from: Path) -> None:
    """Make a link that is right where it will stand in the end."""
    unlink(link)
    if sys.platform == "win32":
        import _winapi

        _winapi.CreateJunction(str(target), str(link))
    else:
        link.symlink_to(os.path.relpath(target, seen_from), target_is_directory=True)


def unlink(link: Path) -> None:
    """Remove a link, if it is there; a junction as the folder it looks like, which leaves what it points to."""
    if not is_there(link):
        return
    if sys.platform == "win32":
        link.rmdir()
    else:
        link.unlink()


def check_place(link: Path) -> None:
    """Look whether an environment may stand in a place: what is no environment is not moved aside for one.

    Args:
        link: the place; absolute.

    Raises:
        InstallError: ENV032 when something else is there: files, a folder with other things, the one worked in.
    """
    if link == Path.cwd() or link in Path.cwd().parents:
        raise _refused(link, "is the folder that envsmith works in, or one around it")
    if not is_there(link) or link.is_symlink():  # a link holds nothing itself
        return
    if not link.is_dir():
        raise _refused(link, "is a file")
    is_environment = any((link / mark).exists() for mark in _MARKS)
    if not is_environment and read(link) is None and any(link.iterdir()):
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
            hint="install envsmith where it stays, as with `uv tool install CHECKOUT` or `pipx install CHECKOUT`; "
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
