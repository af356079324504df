"""Keeps two processes from changing one folder at the same time."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from envsmith.errors import ToolError

BUSY = ".envsmith-busy"
"""Marks a folder in use, on Windows only; it vanishes with the process."""
_PATIENCE_S = 30.0

if sys.platform == "win32":
    import time

    @contextmanager
    def alone(folder: Path) -> Iterator[None]:
        """Wait until no other process changes the folder, and keep others waiting meanwhile.

        Raises:
            ToolError: TOL016 when the folder stays in use.
        """
        flags = os.O_CREAT | os.O_EXCL | os.O_TEMPORARY
        until = time.monotonic() + _PATIENCE_S
        while True:
            try:
                handle = os.open(folder / BUSY, flags)
                break
            except (FileExistsError, PermissionError) as error:
                if time.monotonic() > until:
                    raise _in_use(folder) from error
                time.sleep(0.05)
        try:
            yield
        finally:
            os.close(handle)

else:
    import fcntl

    @contextmanager
    def alone(folder: Path) -> Iterator[None]:
        """Wait until no other process changes the folder, and keep others waiting meanwhile.

        The folder itself is locked, so nothing is left in it, and a killed process holds nothing.
        """
        handle = os.open(folder, os.O_RDONLY)
        try:
            # A file system without such locks (some network ones) is used without.
            with _unless_unsupported():
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield
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


def _in_use(folder: Path) -> ToolError:
    return ToolError(
        "TOL016",
        f"another process has been changing the folder for {_PATIENCE_S:.0f} s",
        where=str(folder),
        hint="wait for it, or end it",
    )
