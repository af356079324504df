"""The link to the current environment: read, switched in one step, and checked before it replaces anything.

On POSIX it is a symbolic link, replaced by a rename. On Windows it is a junction, which needs no privilege; a rename
cannot replace one, so the old one is renamed first, and `recover` completes the switch of a killed process.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from envsmith.errors import InstallError
from envsmith.files.os_errors import retried
from envsmith.files.own_folder import is_link
from envsmith.model.windows_errors import windows_error

EXCHANGED = "-exchanged"
"""Suffix of the temporary name used where the system cannot exchange two names."""
# Errors of Windows for file systems without junctions: invalid function, not supported, invalid parameter.
_NO_JUNCTIONS = (1, 50, 87)
_AT_FDCWD, _RENAME_EXCHANGE, _RENAME_SWAP = -100, 2, 2
# Errors of systems and file systems without an exchange of names.
_UNSUPPORTED = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)
# Present in environments of venv, uv and conda.
_ENVIRONMENT_MARKS = ("pyvenv.cfg", "conda-meta")


def read(link: Path, base: Path | None = None) -> Path | None:
    """Return the target of a link; None if it is not a link.

    Args:
        link: the link.
        base: the folder that a relative target starts from, if not the one of the link.
    """
    try:
        target = os.readlink(link)  # noqa: PTH115 - as text: the target of a junction has a prefix
    except OSError:
        return None
    # The extended form of paths, in which Windows returns junctions.
    return (base or link.parent) / target.removeprefix("\\\\?\\")


def links_in(folder: Path, *, is_deep: bool) -> Iterator[Path]:
    """Yield the links in a folder.

    Args:
        folder: searched without following links.
        is_deep: search its subfolders as well, but no environments and other file systems.
    """
    device = os.lstat(folder).st_dev if folder.is_dir() else 0
    todo = [os.fspath(folder)]
    while todo:
        with suppress(OSError), os.scandir(todo.pop()) as entries:
            for entry in entries:
                if is_link(entry.path):
                    yield Path(entry.path)
                elif is_deep and entry.is_dir(follow_symlinks=False) and not _is_skipped(entry, device):
                    todo.append(entry.path)


def _is_skipped(entry: os.DirEntry[str], device: int) -> bool:
    is_environment = any(exists(Path(entry.path, mark)) for mark in _ENVIRONMENT_MARKS)
    # `entry.stat` has no device on Windows.
    return is_environment or os.lstat(entry.path).st_dev != device


def exists(path: Path) -> bool:
    """Return whether a name exists, broken links included."""
    return os.path.lexists(path)


def point(link: Path, target: Path, spare: Path) -> None:
    """Create a link, or switch it to another folder.

    Args:
        link: a free name, or a link of ours.
        target: the folder.
        spare: a free name on the same file system.
    """
    make(spare, target, link.parent)
    if _rename_replaces():
        retried(spare.replace, link)
        return
    old = spare.with_name(f"{spare.name}-old")
    if exists(link):
        retried(link.rename, old)
    _put_in_place(spare, link, old)
    unlink(old)


def _put_in_place(new: Path, link: Path, old: Path) -> None:
    """Rename a path to one that was renamed before; if that fails, undo the first step: what was current stays so."""
    try:
        retried(new.rename, link)
    except OSError:
        with suppress(OSError):
            old.rename(link)
        raise


def recover(link: Path, spare: Path) -> None:
    """Complete the `point` of a killed process, and remove its temporary links."""
    old = spare.with_name(f"{spare.name}-old")
    if not exists(link) and not _rename_replaces():
        for left in filter(is_link, (spare, old)):
            retried(left.rename, link)
            break
    for left in (spare, old):
        unlink(left)


def exchange(one: Path, other: Path) -> None:
    """Exchange two names, in one step if the system can.

    Otherwise ``one`` does not exist for a moment; `recover_exchange` completes the exchange of a killed process.
    """
    if _exchange_atomically(one, other):
        return
    temporary = _temporary(other)
    retried(one.rename, temporary)
    _put_in_place(other, one, temporary)
    retried(temporary.rename, other)


def recover_exchange(one: Path, other: Path) -> None:
    """Complete the `exchange` of a killed process."""
    temporary = _temporary(other)
    if not exists(temporary):
        return
    if not exists(one):
        retried(other.rename, one)
    retried(temporary.rename, other)


def _temporary(other: Path) -> Path:
    return other.with_name(f"{other.name}{EXCHANGED}")


def _exchange_atomically(one: Path, other: Path) -> bool:
    """Exchange two names by a system call; return False if the system has none.

    Source: renameat2(2), Linux man-pages; renamex_np(2), macOS (read 2026-11-21).
    """
    import ctypes  # imported here: few runs need it

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
    if number in _UNSUPPORTED:
        return False
    raise OSError(number, os.strerror(number), str(one), None, str(other))


def _rename_replaces() -> bool:
    return os.name == "posix"


def make(link: Path, target: Path, base: Path) -> None:
    """Create a link that will be moved to the folder ``base``."""
    unlink(link)
    if sys.platform == "win32":
        import _winapi

        with suppress(OSError):
            link.rmdir()  # empty: left by a process that was killed here
        try:
            _winapi.CreateJunction(str(target), str(link))
        except OSError as error:
            with suppress(OSError):
                link.rmdir()  # Windows creates the folder first
            if windows_error(error) in _NO_JUNCTIONS:
                reason = "the file system has no junctions, like exFAT and network shares"
                raise OSError(errno.ENOTSUP, reason, str(link)) from error
            raise
    else:
        is_below = target.is_relative_to(base)  # then the project can be moved
        link.symlink_to(os.path.relpath(target, base) if is_below else target, target_is_directory=True)


def unlink(link: Path) -> None:
    """Remove a link, nothing else; a junction is removed like a folder, its target stays."""
    if is_link(link):
        retried(link.rmdir if sys.platform == "win32" else link.unlink)


def check_place(link: Path) -> None:
    """Check that a path is free, or an environment: nothing else is moved for one.

    Args:
        link: the path of the environment; absolute.

    Raises:
        InstallError: ENV032 for a file, a folder with other content, or the working directory and its parents.
    """
    if link == Path.cwd() or link in Path.cwd().parents:
        raise _place_error(link, "it contains the working directory")
    if not exists(link) or link.is_symlink():
        return
    if not link.is_dir():
        raise _place_error(link, "it is a file")
    is_environment = any((link / mark).exists() for mark in _ENVIRONMENT_MARKS)
    if not is_environment and read(link) is None and any(link.iterdir()):
        raise _place_error(link, "it is a folder that is not an environment")


def check_runner(link: Path, runner: Path | None = None) -> None:
    """Check that envsmith does not replace the environment that it runs in.

    Modules not yet imported, and the command for `envsmith rollback`, would be gone.

    Args:
        link: the path of the environment; absolute.
        runner: the environment of this process, by default.

    Raises:
        InstallError: ENV033 when they are the same.
    """
    if _resolved_parent(link) == _resolved_parent(runner or Path(sys.prefix)):
        raise InstallError(
            "ENV033",
            "envsmith runs in this environment and cannot replace it",
            where=str(link),
            hint="install envsmith elsewhere, as with `uv tool install CHECKOUT` or `pipx install CHECKOUT`, or choose "
            "another place with --prefix",
        )


def _resolved_parent(path: Path) -> Path:
    """Resolve the links in the parents of a path, not the path itself."""
    return path.parent.resolve() / path.name


def _place_error(link: Path, why: str) -> InstallError:
    return InstallError(
        "ENV032",
        f"the environment cannot be created here: {why}",
        where=str(link),
        hint="choose another place, such as --prefix .venv",
    )
