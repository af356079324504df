"""A sha256 that is worked out beside the caller: bytes are received and written while others are hashed."""

from __future__ import annotations

import hashlib
import threading
from queue import Queue

_BUFFER_BYTES = 1 << 20
_BUFFERS = 8
"""Most pieces not hashed yet."""
_ALONE_BYTES = 1 << 20
"""Files up to that size are hashed by the caller's own thread: starting another would take longer."""


class ParallelDigest:
    """Hashes what it is given, in order; to be closed.

    What waits to be hashed is copied into a few buffers that are used again and again: pieces that outlive the next
    receive lie in new memory each, and the system takes longer to give that than the copy does.
    """

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._size = 0
        self._free: Queue[memoryview] = Queue()
        self._waiting: Queue[tuple[memoryview, int] | None] = Queue()
        self._thread: threading.Thread | None = None

    def update(self, data: bytes | memoryview) -> None:
        """Hash bytes after those before; they may change as soon as this returns."""
        self._size += len(data)
        if self._thread is None and self._size <= _ALONE_BYTES:
            self._digest.update(data)
            return
        if self._thread is None:
            self._begin()
        left = memoryview(data)
        while left:
            buffer = self._free.get()
            count = min(len(left), _BUFFER_BYTES)
            buffer[:count] = left[:count]
            self._waiting.put((buffer, count))
            left = left[count:]

    def hexdigest(self) -> str:
        """Return the sha256 of all that was given."""
        self._waiting.join()
        return self._digest.hexdigest()

    def close(self) -> None:
        """End the thread; what was given is hashed before."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()
            self._thread = None

    def _begin(self) -> None:
        for _ in range(_BUFFERS):
            self._free.put(memoryview(bytearray(_BUFFER_BYTES)))
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while (piece := self._waiting.get()) is not None:
            buffer, count = piece
            self._digest.update(buffer[:count])
            self._free.put(buffer)
            self._waiting.task_done()
        self._waiting.task_done()
