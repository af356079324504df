"""Keeps two processes from changing one folder at the same time."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from envsmith.errors import ToolError

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
