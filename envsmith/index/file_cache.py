"""Files that envsmith fetched to hash them, kept by that hash: an index forgets nightlies, and a lock does not."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


class KeptFiles:
    """A folder of the cache, ``<sha256>/<filename>``; nothing fails for want of it.

    Args:
        folder: made when the first file is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, sha256: str, filename: str) -> Path | None:
        """Return where a file lies; None where it was never kept, or is gone."""
        path = self._folder / sha256 / filename
        return path if path.is_file() else None

    @contextmanager
    def coming(self) -> Iterator[Coming]:
        """Lend a place to write a file to while its hash is not known yet."""
        coming = Coming(self._folder)
        try:
            yield coming
        finally:
            coming.close()


class Coming:
    """A file being written, given up in silence when the disk refuses: its hash is wanted first of all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stream: IO[bytes] | None = None
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            self._stream = tempfile.NamedTemporaryFile(dir=folder, prefix=".new-", delete=False)  # noqa: SIM115

    def write(self, data: bytes) -> None:
        """Append bytes."""
        if self._stream:
            try:
                self._stream.write(data)
            except OSError:
                self.close()

    def keep(self, sha256: str, filename: str) -> bool:
        """Give the file its place, and say whether it is there."""
        stream, self._stream = self._stream, None
        if stream is None:
            return False
        final = self._folder / sha256 / filename
        try:
            with stream:
                stream.flush()
                os.fsync(stream.fileno())
            final.parent.mkdir(exist_ok=True)
            Path(stream.name).replace(final)
        except OSError:
            Path(stream.name).unlink(missing_ok=True)
            return False
        return True

    def close(self) -> None:
        """Throw away what was not kept."""
        stream, self._stream = self._stream, None
        if stream:
            with suppress(OSError):
                stream.close()
            Path(stream.name).unlink(missing_ok=True)
