"""Lets one process at a time work at a thing that a file name stands for; who finds it taken goes elsewhere.

Keeps two processes from changing one folder at the same time.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from envsmith.errors import ToolError

if sys.platform == "win32":

    @contextmanager
    def try_alone(path: Path) -> Iterator[bool]:
        """Take the name if nobody has it, and say whether that went well; it is free again at the end.

        Args:
            path: a file that is there only while somebody holds it; its folder exists.
        """
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_TEMPORARY)
        except (FileExistsError, PermissionError):
            yield False
            return
        try:
            yield True
        finally:
            os.close(handle)

else:
    import fcntl

    @contextmanager
    def try_alone(path: Path) -> Iterator[bool]:
        """Take the name if nobody has it, and say whether that went well; it is free again at the end.

        A killed process holds nothing, even where its file is still there. Two threads exclude each other, too.

        Args:
            path: a file that is there only while somebody holds it; its folder exists.
        """
        handle = _taken(path)
        if handle is None:
            yield False
            return
        try:
            yield True
        finally:
            path.unlink(missing_ok=True)
            os.close(handle)

    def _taken(path: Path) -> int | None:
        while True:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(handle)
                return None
            except OSError:
                # A file system without such locks (some network ones) is used without.
                return handle
            if _is_still(path, handle):
                return handle
            # Its holder took the file away between our opening and locking it: what we hold has no name any more.
            os.close(handle)

    def _is_still(path: Path, handle: int) -> bool:
        try:
            found = path.stat()
        except FileNotFoundError:
            return False
        mine = os.fstat(handle)
        return (found.st_dev, found.st_ino) == (mine.st_dev, mine.st_ino)


BUSY = ".envsmith-busy"
"""Marks a folder in use, on Windows only; it vanishes with the process."""
_PATIENCE_S = 30.0

if sys.platform == "win32":
    import time

    @contextmanager
    def alone(
        folder: Path, waiting: Callable[[], None] = lambda: None, patience_s: float = _PATIENCE_S
    ) -> Iterator[int | None]:
        """Wait until no other process changes the folder, and keep others waiting meanwhile.

        Args:
            folder: what is changed.
            waiting: called once where the folder is not free at once.
            patience_s: seconds until waiting ends, here only.

        Raises:
            ToolError: TOL016 when the folder stays in use.
        """
        flags = os.O_CREAT | os.O_EXCL | os.O_TEMPORARY
        until = time.monotonic() + patience_s
        told = False
        while True:
            try:
                handle = os.open(folder / BUSY, flags)
                break
            except (FileExistsError, PermissionError) as error:
                if time.monotonic() > until:
                    raise _in_use(folder, patience_s) from error
                if not told:
                    waiting()
                    told = True
                time.sleep(0.05)
        try:
            yield None
        finally:
            os.close(handle)

else:
    import fcntl

    @contextmanager
    def alone(
        folder: Path,
        waiting: Callable[[], None] = lambda: None,
        patience_s: float = _PATIENCE_S,  # noqa: ARG001 - Windows' way needs it
    ) -> Iterator[int | None]:
        """Wait until no other process changes the folder, and keep others waiting meanwhile.

        The folder itself is locked, so nothing is left in it, and a killed process holds nothing.

        Args:
            folder: what is changed.
            waiting: called once where the folder is not free at once.
            patience_s: seconds until waiting ends, on Windows only.

        Yields:
            What holds the lock: a program that inherits it goes on holding it when this process is killed.
        """
        handle = os.open(folder, os.O_RDONLY)
        try:
            # A file system without such locks (some network ones) is used without.
            with _unless_unsupported():
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    waiting()
                    fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle
        finally:
            os.close(handle)

    @contextmanager
    def _unless_unsupported() -> Iterator[None]:
        import errno

        try:
            yield
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL):
                raise


def holder_in(note: Path) -> str:
    """Return what a process wrote down of itself that has the folder."""
    try:
        return note.read_text("utf-8").strip()
    except OSError:
        return "another process"


def _in_use(folder: Path, patience_s: float) -> ToolError:
    return ToolError(
        "TOL016",
        f"another process has been changing the folder for {patience_s:.0f} s",
        where=str(folder),
        hint="wait for it, or end it",
    )
