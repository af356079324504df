"""Lets one process at a time work at a thing that a file name stands for; who finds it taken goes elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
