"""Locks between processes: on a file name, without waiting, and on a folder, with waiting.

POSIX uses `flock`, Windows a file that is not shared, and deleted with its handle. Both are released when the process
is killed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from envsmith.errors import ToolError
from envsmith.files.own_folder import open_own, read_own

BUSY = ".envsmith-busy"
"""Marks a locked folder, on Windows only; it is deleted with the process that created it."""
_TIMEOUT_S, _PAUSE_S = 30.0, 0.05

if sys.platform == "win32":
    import _winapi
    import time

    _DELETE, _OPEN_ALWAYS, _DELETE_ON_CLOSE = 0x10000, 4, 0x4000000
    _SHARING_VIOLATION = 32
    # A file that is being deleted refuses to be opened for a moment, as a folder without the right to write does.
    _REFUSED_S = 1.0

    def _acquire(path: Path) -> int | None:
        """Return the handle of a lock; None while another process holds it.

        A file that is not shared rather than a new one: after a power failure the old one is still there.

        Raises:
            PermissionError: when the folder refuses new files.
        """
        until = time.monotonic() + _REFUSED_S
        access = _winapi.GENERIC_WRITE | _DELETE
        while True:
            try:
                return _winapi.CreateFile(
                    os.fspath(path), access, 0, _winapi.NULL, _OPEN_ALWAYS, _DELETE_ON_CLOSE, _winapi.NULL
                )
            except PermissionError as error:
                if error.winerror == _SHARING_VIOLATION:
                    return None
                if time.monotonic() > until:
                    if os.path.lexists(path):
                        return None
                    raise
            time.sleep(_PAUSE_S)

    @contextmanager
    def try_lock(path: Path) -> Iterator[bool]:
        """Lock a file name if it is free, until the end of the block.

        Args:
            path: a file that exists only while the lock is held; its folder exists.

        Yields:
            Whether the lock was acquired.

        Raises:
            PermissionError: when the folder refuses new files.
        """
        handle = _acquire(path)
        try:
            yield handle is not None
        finally:
            if handle is not None:
                _winapi.CloseHandle(handle)

    @contextmanager
    def lock_directory(
        folder: Path,
        waiting: Callable[[], None] = lambda: None,
        timeout_s: float = _TIMEOUT_S,
        *,
        is_reader: bool = False,
    ) -> Iterator[int | None]:
        """Lock a folder until the end of the block; wait while another process holds the lock.

        Args:
            folder: an existing folder.
            waiting: called once if the lock is held by another process.
            timeout_s: longest wait.
            is_reader: whether a folder that refuses the lock is only read, and may be used without: none changes it.

        Yields:
            None.

        Raises:
            ToolError: TOL016 after the timeout.
            PermissionError: when the folder refuses new files.
        """
        handle = None
        try:
            handle = _acquire(folder / BUSY) or _wait(folder, waiting, timeout_s)
        except PermissionError:
            if not is_reader:
                raise
        try:
            yield None
        finally:
            if handle is not None:
                _winapi.CloseHandle(handle)

    def _wait(folder: Path, waiting: Callable[[], None], timeout_s: float) -> int:
        waiting()
        until = time.monotonic() + timeout_s
        while (handle := _acquire(folder / BUSY)) is None:
            if time.monotonic() > until:
                raise timeout_error(folder, timeout_s)
            time.sleep(_PAUSE_S)
        return handle

else:
    import errno
    import fcntl

    # Errors of file systems without `flock` (some network ones); they are used without a lock.
    _UNSUPPORTED = (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL)

    @contextmanager
    def try_lock(path: Path) -> Iterator[bool]:
        """Lock a file name if it is free, until the end of the block; threads exclude each other as well.

        Args:
            path: a file that exists while the lock is held, and after its holder was killed; its folder exists.

        Yields:
            Whether the lock was acquired.
        """
        handle = _lock_file(path)
        if handle is None:
            yield False
            return
        try:
            yield True
        finally:
            path.unlink(missing_ok=True)
            os.close(handle)

    def _lock_file(path: Path) -> int | None:
        while True:
            handle = open_own(path)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(handle)
                return None
            except OSError:
                # A file system without such locks (some network ones) is used without.
                return handle
            if _has_path(handle, path):
                return handle
            # The holder deleted the file between our open and our lock: this handle locks a file without a name.
            os.close(handle)

    def _has_path(handle: int, path: Path) -> bool:
        try:
            found = path.stat()
        except FileNotFoundError:
            return False
        mine = os.fstat(handle)
        return (found.st_dev, found.st_ino) == (mine.st_dev, mine.st_ino)

    @contextmanager
    def lock_directory(
        folder: Path,
        waiting: Callable[[], None] = lambda: None,
        timeout_s: float = _TIMEOUT_S,  # noqa: ARG001 - Windows needs it
        *,
        is_reader: bool = False,  # noqa: ARG001 - the same
    ) -> Iterator[int | None]:
        """Lock a folder until the end of the block; wait while another process holds the lock.

        The folder itself is locked, so no file is added to it.

        Args:
            folder: an existing folder.
            waiting: called once if the lock is held by another process.
            timeout_s: longest wait, on Windows only.
            is_reader: whether the folder may be used without a lock if it refuses new files, on Windows only.

        Yields:
            The handle of the lock. A child process that inherits it keeps the lock if this process is killed.
        """
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)  # opening a FIFO would wait for ever
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting()
                fcntl.flock(handle, fcntl.LOCK_EX)
            except OSError as error:
                if error.errno not in _UNSUPPORTED:
                    raise
            yield handle
        finally:
            os.close(handle)


def lock_owner(file: Path) -> str:
    """Return the description that the holder of a lock wrote to a file."""
    with suppress(OSError):
        return read_own(file).strip() or "another process"
    return "another process"


def timeout_error(path: Path, timeout_s: float) -> ToolError:
    """Return the error for a folder, or a file of a lock, that stays locked; it may be one that nobody can open."""
    what, way_out = ("folder", "") if path.is_dir() else ("file", f"; without one, delete `{path}`")
    return ToolError(
        "TOL016",
        f"the {what} has been locked by another process for {timeout_s:.0f} s",
        where=str(path),
        hint=f"wait for that process, or end it{way_out}",
    )
