"""Brings a growing file to the disk while it grows, so that the end of the file need not wait for all of it."""

from __future__ import annotations

import os
import threading
from contextlib import suppress

_STEP_BYTES = 64 << 20


class EarlySync:
    """Flushes a file again and again beside the caller; to be closed before the file is.

    Args:
        handle: of the file.
    """

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._new_bytes = 0
        self._due = threading.Event()
        self._is_over = False
        self._thread: threading.Thread | None = None

    def grew(self, count: int) -> None:
        """Hear that bytes were written; the disk is told to take them when there are many."""
        self._new_bytes += count
        if self._new_bytes >= _STEP_BYTES:
            self._new_bytes = 0
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()
            self._due.set()

    def close(self) -> None:
        """End the thread."""
        if self._thread is not None:
            self._is_over = True
            self._due.set()
            self._thread.join()
            self._thread = None

    def _work(self) -> None:
        while True:
            self._due.wait()
            self._due.clear()
            if self._is_over:
                return
            # What goes wrong here goes wrong again at the end, where it is told.
            with suppress(OSError):
                os.fsync(self._handle)
