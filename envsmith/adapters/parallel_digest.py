"""A sha256 that is worked out beside the caller: bytes are received and written while others are hashed."""

from __future__ import annotations

import hashlib
import threading
from queue import Queue

_WAITING = 16
"""Most pieces not hashed yet; each is what one receive brought, a megabyte at most."""
_ALONE_BYTES = 1 << 20
"""Files up to that size are hashed by the caller's own thread: starting another would take longer."""


class ParallelDigest:
    """Hashes what it is given, in order; to be closed."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._size = 0
        self._queue: Queue[bytes | memoryview | None] = Queue(_WAITING)
        self._thread: threading.Thread | None = None

    def update(self, data: bytes | memoryview) -> None:
        """Hash bytes after those before; they must not change meanwhile."""
        self._size += len(data)
        if self._thread is None and self._size <= _ALONE_BYTES:
            self._digest.update(data)
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, daemon=True)
            self._thread.start()
        self._queue.put(data)

    def hexdigest(self) -> str:
        """Return the sha256 of all that was given."""
        self._queue.join()
        return self._digest.hexdigest()

    def close(self) -> None:
        """End the thread; what was given is hashed before."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None

    def _work(self) -> None:
        while (data := self._queue.get()) is not None:
            self._digest.update(data)
            self._queue.task_done()
        self._queue.task_done()
