"""Files that are still coming: under a name of their own until all their bytes are proved.

Brings a growing file to the disk while it grows, so that the end of the file need not wait for all of it.

A sha256 that is worked out beside the caller: bytes are received and written while others are hashed.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from types import TracebackType
from typing import Self

from envsmith.errors import ToolError
from envsmith.files.atomic import fsync_directory

_STEP_BYTES = 64 << 20
_BUFFER_BYTES = 1 << 20
_BUFFERS = 8
"""Most pieces not hashed yet."""
_ALONE_BYTES = 1 << 20
"""Files up to that size are hashed by the caller's own thread: starting another would take longer."""
FOLDER = ".envsmith-partial"
"""Inside a wheelhouse: what is not whole yet."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_BLOCK = 1 << 20


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


class DiskError(ToolError):
    """The disk refuses; no other file of the folder can escape that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartOrigin:
    """What a server said of the file whose bytes are here."""

    etag: str = ""
    """Empty where it gave none that vouches for each byte."""
    size_bytes: int | None = None


class PartFile:
    """The bytes of one file so far, hashed as they come; kept when the work breaks off, and gone on with later.

    Args:
        house: the wheelhouse.
        sha256: of the whole file; the name of the part is made of it.

    Raises:
        DiskError: TOL043 and TOL046, from every method that writes.
    """

    def __init__(self, house: Path, sha256: str) -> None:
        self._house, self._wanted = house, sha256
        self._path = part_path(house, sha256)
        self._note = self._path.with_suffix(".json")
        self.size = 0
        self.is_of_one_piece = True
        """Whether all bytes came in one answer of a server, in this run."""

    def __enter__(self) -> Self:
        with refusals(self._path):
            self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
            self._digest, self._sync = ParallelDigest(), EarlySync(self._handle)
            while block := os.read(self._handle, _BLOCK):
                self._digest.update(block)
                self.size += len(block)
        self.is_of_one_piece = not self.size
        self.origin = _read_note(self._note) if self.size else PartOrigin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._handle >= 0 and not self.size:
            self.discard()
        elif self._handle >= 0:
            self._close()

    def write(self, data: bytes) -> None:
        """Append bytes."""
        left = memoryview(data)
        with refusals(self._path):
            while left:
                count = os.write(self._handle, left)
                self._digest.update(left[:count])
                self._sync.grew(count)
                self.size += count
                left = left[count:]

    def begin_piece(self, origin: PartOrigin) -> None:
        """Hear that what is written from now on comes from another answer of a server."""
        self.is_of_one_piece = self.size == 0
        if origin != self.origin:
            self.origin = origin
            with refusals(self._note):
                self._note.write_text(json.dumps({"etag": origin.etag, "size": origin.size_bytes}), "utf-8")

    def restart(self) -> None:
        """Throw away what there is."""
        with refusals(self._path):
            os.ftruncate(self._handle, 0)
            os.lseek(self._handle, 0, os.SEEK_SET)
        self._digest.close()
        self._digest = ParallelDigest()
        self.size, self.is_of_one_piece, self.origin = 0, True, PartOrigin()

    def discard(self) -> None:
        """Throw away what there is, file and all."""
        self._close()
        discard(self._house, self._wanted)

    @property
    def is_proved(self) -> bool:
        """Whether the bytes are those of the lock."""
        return self._digest.hexdigest() == self._wanted

    def become(self, final: Path) -> None:
        """Bring the bytes to the disk, and give the file its name; only what is proved gets so far.

        Raises:
            AssertionError: when the bytes are not the lock's.
        """
        if not self.is_proved:
            raise AssertionError(f"{final.name} is not proved")
        with refusals(final):
            os.fsync(self._handle)
            self._close()
            self._path.replace(final)
            fsync_directory(final.parent)
            self._note.unlink(missing_ok=True)

    def _close(self) -> None:
        handle, self._handle = self._handle, -1
        self._digest.close()
        self._sync.close()
        os.close(handle)


def part_path(house: Path, sha256: str) -> Path:
    """Return where the bytes of a file lie until they are proved."""
    return house / FOLDER / f"{sha256}.part"


def part_size(house: Path, sha256: str) -> int:
    """Return how many bytes of a file lie there from before."""
    try:
        return part_path(house, sha256).stat().st_size
    except OSError:
        return 0


def discard(house: Path, sha256: str) -> None:
    """Throw away what there is of a file that nobody is fetching."""
    path = part_path(house, sha256)
    path.unlink(missing_ok=True)
    path.with_suffix(".json").unlink(missing_ok=True)


def sha256_of_file(path: Path) -> str:
    """Return the sha256 of a file.

    Raises:
        DiskError: TOL046 when it cannot be read.
    """
    with refusals(path), path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def refusals(place: Path) -> Iterator[None]:
    """Say in words what the disk refuses."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskError(
                "TOL043",
                f"the disk is full: {error.strerror}",
                where=str(place),
                hint="make room, and run the command again: what was fetched is kept",
            ) from error
        raise DiskError(
            "TOL046",
            f"the system refuses: {error.strerror or error}",
            where=str(error.filename or place),
            hint="correct the permissions, or name another folder with -d",
        ) from error


def _read_note(path: Path) -> PartOrigin:
    """Read what the server said; nothing where that was not written to its end, for the hash judges anyway."""
    try:
        values = json.loads(path.read_text("utf-8"))
        etag, size = values["etag"], values["size"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return PartOrigin()
    is_fit = isinstance(etag, str) and etag.isascii() and etag.isprintable()
    return PartOrigin(etag=etag if is_fit else "", size_bytes=size if isinstance(size, int) else None)
