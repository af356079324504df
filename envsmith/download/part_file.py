"""Partly downloaded files: kept under a temporary name until their sha256 is verified, and resumed later."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from types import TracebackType
from typing import Self

from envsmith.errors import ToolError
from envsmith.files.atomic import fsync_directory, write_atomic
from envsmith.files.os_errors import retried, translate_os_errors
from envsmith.files.own_folder import open_own, read_own

FOLDER = ".envsmith-partial"
"""Subfolder of a wheelhouse for incomplete files."""
_BLOCK_BYTES = 1 << 20
_SYNC_BYTES = 64 << 20
_BUFFERS = 8
"""Blocks received, but not hashed yet, at most."""


class DiskError(ToolError):
    """An OS error in the wheelhouse, which would stop every other file of it as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartOrigin:
    """The server's description of the file whose bytes are kept."""

    etag: str = ""
    """A strong ETag; empty without one."""
    size_bytes: int | None = None


class BackgroundSync:
    """Flushes a growing file to the disk in a thread, so that the final fsync has little left to write.

    Measured on 2026-11-30 with a 700 MB file over loopback, five runs in turns: median 4.3 s, and 4.9 s without.

    Args:
        handle: of the file, open until `close` returns.
    """

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._unsynced_bytes = 0
        self._thread: threading.Thread | None = None

    def grew(self, count: int) -> None:
        """Add to the bytes written; start a flush after each 64 MB, unless one is running."""
        self._unsynced_bytes += count
        is_running = self._thread is not None and self._thread.is_alive()
        if self._unsynced_bytes >= _SYNC_BYTES and not is_running:
            self._unsynced_bytes = 0
            self._thread = threading.Thread(target=self._sync, daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Wait for a running flush."""
        if self._thread is not None:
            self._thread.join()

    def _sync(self) -> None:
        with suppress(OSError):  # the final fsync fails as well, and reports it
            os.fsync(self._handle)


class ParallelDigest:
    """A sha256 computed in a thread, while the next bytes are received and written.

    Measured on 2026-11-30 with a 2 GB file over loopback to memory, four runs in turns: 3.7 s, and 4.4 s without.

    Bytes are copied into a few buffers that are used again: received blocks kept for the thread would each need new
    memory, which takes longer than the copy.
    """

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._size = 0
        self._free: Queue[memoryview] = Queue()
        self._waiting: Queue[tuple[memoryview, int] | None] = Queue()
        self._thread: threading.Thread | None = None

    def update(self, data: bytes | memoryview) -> None:
        """Add bytes; the caller may change them afterwards."""
        self._size += len(data)
        if self._thread is None and self._size <= _BLOCK_BYTES:  # a thread takes longer for small files
            self._digest.update(data)
            return
        if self._thread is None:
            self._start()
        rest = memoryview(data)
        while rest:
            buffer = self._free.get()
            count = min(len(rest), _BLOCK_BYTES)
            buffer[:count] = rest[:count]
            self._waiting.put((buffer, count))
            rest = rest[count:]

    def hexdigest(self) -> str:
        """Return the sha256 of all bytes."""
        self._waiting.join()
        return self._digest.hexdigest()

    def close(self) -> None:
        """End the thread, after it has hashed all bytes."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()
            self._thread = None

    def _start(self) -> None:
        for _ in range(_BUFFERS):
            self._free.put(memoryview(bytearray(_BLOCK_BYTES)))
        self._thread = threading.Thread(target=self._hash, daemon=True)
        self._thread.start()

    def _hash(self) -> None:
        while (block := self._waiting.get()) is not None:
            buffer, count = block
            self._digest.update(buffer[:count])
            self._free.put(buffer)
            self._waiting.task_done()
        self._waiting.task_done()


class PartFile:
    """The bytes of one file so far, hashed while they are written, and kept after an interruption.

    Args:
        wheelhouse: its folder.
        sha256: of the complete file; the part is named by it.

    Raises:
        DiskError: TOL043 when the disk is full and TOL046 for any other OS error, from each method that writes.
    """

    def __init__(self, wheelhouse: Path, sha256: str) -> None:
        self._wheelhouse, self._expected_sha256 = wheelhouse, sha256
        self._path = part_path(wheelhouse, sha256)
        self._origin_file = self._path.with_suffix(".json")
        self.size = 0
        self.is_single_response = True
        """Whether all bytes come from one response, received in this run."""

    def __enter__(self) -> Self:
        with disk_errors(self._path):
            self._handle = open_own(self._path)
            self._digest, self._sync = ParallelDigest(), BackgroundSync(self._handle)
            while block := os.read(self._handle, _BLOCK_BYTES):
                self._digest.update(block)
                self.size += len(block)
        self.is_single_response = not self.size
        self.origin = _read_origin(self._origin_file) if self.size else PartOrigin()
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
        rest = memoryview(data)
        with disk_errors(self._path):
            while rest:
                count = os.write(self._handle, rest)
                self._digest.update(rest[:count])
                self._sync.grew(count)
                self.size += count
                rest = rest[count:]

    def begin_response(self, origin: PartOrigin) -> None:
        """Record the origin of the bytes written from now on."""
        self.is_single_response = self.size == 0
        if origin != self.origin:
            self.origin = origin
            with disk_errors(self._origin_file):
                text = json.dumps({"etag": origin.etag, "size": origin.size_bytes})
                write_atomic(self._origin_file, text)

    def restart(self) -> None:
        """Discard all bytes."""
        with disk_errors(self._path):
            os.ftruncate(self._handle, 0)
            os.lseek(self._handle, 0, os.SEEK_SET)
        self._digest.close()
        self._digest = ParallelDigest()
        self.size, self.is_single_response, self.origin = 0, True, PartOrigin()

    def discard(self) -> None:
        """Discard all bytes, and remove the file."""
        self._close()
        discard(self._wheelhouse, self._expected_sha256)

    @property
    def is_verified(self) -> bool:
        """Whether the sha256 is the expected one."""
        return self._digest.hexdigest() == self._expected_sha256

    def finish(self, final: Path) -> None:
        """Flush the bytes to the disk, and rename the file to its final name.

        Raises:
            AssertionError: when the sha256 is not the expected one.
        """
        if not self.is_verified:
            raise AssertionError(f"{final.name} is not verified")
        with disk_errors(final):
            os.fsync(self._handle)
            self._close()
            retried(self._path.replace, final)
            fsync_directory(final.parent)
            self._origin_file.unlink(missing_ok=True)

    def _close(self) -> None:
        handle, self._handle = self._handle, -1
        self._digest.close()
        self._sync.close()
        os.close(handle)


def part_path(wheelhouse: Path, sha256: str) -> Path:
    """Return the temporary path of a file."""
    return wheelhouse / FOLDER / f"{sha256}.part"


def part_size(wheelhouse: Path, sha256: str) -> int:
    """Return the number of bytes kept of a file."""
    try:
        return part_path(wheelhouse, sha256).lstat().st_size
    except OSError:
        return 0


def discard(wheelhouse: Path, sha256: str) -> None:
    """Remove the bytes kept of a file that no process is downloading."""
    path = part_path(wheelhouse, sha256)
    path.unlink(missing_ok=True)
    path.with_suffix(".json").unlink(missing_ok=True)


def sha256_of_file(path: Path) -> str:
    """Return the sha256 of a file.

    Raises:
        DiskError: TOL046 when it cannot be read.
    """
    with disk_errors(path, "read"), path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def disk_errors(place: Path, action: str = "write") -> AbstractContextManager[None]:
    """Raise TOL043 for a full disk and TOL046 for any other `OSError` in a wheelhouse."""
    return translate_os_errors(
        place,
        DiskError,
        ("TOL043", "TOL046"),
        action=action,
        result="downloaded files are kept",
        hint="correct the permissions, or choose another folder with -d",
    )


def _read_origin(path: Path) -> PartOrigin:
    """Read the recorded origin; empty if it is damaged, for the hash decides anyway."""
    try:
        values = json.loads(read_own(path))
        etag, size = values["etag"], values["size"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return PartOrigin()
    is_header_value = isinstance(etag, str) and etag.isascii() and etag.isprintable()
    return PartOrigin(
        etag=etag if is_header_value else "", size_bytes=size if isinstance(size, int) else None
    )
