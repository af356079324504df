"""Hashes of wheels without a published hash: the wheels are downloaded and cached by their hash."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from envsmith.errors import ToolError
from envsmith.files.os_errors import retried
from envsmith.model.listing import HOST
from envsmith.model.progress import Progress
from envsmith.model.url import to_mirror
from envsmith.model.wheel import Wheel
from envsmith.net.client import describe_network_error

_PYTORCH = f"{HOST}/whl"
# Signatures of the first file and of the end record, which has 22 bytes and a comment of at most 65,535.
# Source: APPNOTE.TXT 6.3.10 of the ZIP format, 4.3.7 and 4.3.16 (read 2026-11-21).
_ZIP_START, _ZIP_END, _MOST_END_BYTES = b"PK\x03\x04", b"PK\x05\x06", 22 + 0xFFFF


class FileCache:
    """Cache of downloaded files, ``<sha256>/<filename>``; write errors are ignored.

    Args:
        folder: created with the first file.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, sha256: str, filename: str) -> Path | None:
        """Return the path of a cached file, or None."""
        path = self._folder / sha256 / filename
        return path if path.is_file() else None

    @contextmanager
    def pending(self) -> Iterator[PendingFile]:
        """Open a file for bytes whose hash is not known yet."""
        pending = PendingFile(self._folder)
        try:
            yield pending
        finally:
            pending.close()


class PendingFile:
    """A file in the cache while it is written; after a write error it is dropped, for the hash matters more."""

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

    def commit(self, sha256: str, filename: str) -> bool:
        """Move the file to its place in the cache, and say whether that worked."""
        stream, self._stream = self._stream, None
        if stream is None:
            return False
        final = self._folder / sha256 / filename
        try:
            with stream:
                stream.flush()
                os.fsync(stream.fileno())
            final.parent.mkdir(exist_ok=True)
            retried(Path(stream.name).replace, final)
        except OSError:
            Path(stream.name).unlink(missing_ok=True)
            return False
        return True

    def close(self) -> None:
        """Delete the file unless it was committed."""
        stream, self._stream = self._stream, None
        if stream:
            with suppress(OSError):
                stream.close()
            Path(stream.name).unlink(missing_ok=True)


class Downloads:
    """Downloads and hashes wheels, and caches them: the nightly index drops wheels that locks still pin.

    Args:
        progress: shows the download.
        cache: gets the wheels.
        base: address of PyTorch's index, or of a mirror.
    """

    def __init__(self, progress: Progress, cache: FileCache, base: str = _PYTORCH) -> None:
        self._progress = progress
        self._cache = cache
        self._base = base.rstrip("/")

    def sha256(self, wheel: Wheel) -> str:
        """Download a wheel and return its hash.

        Raises:
            ToolError: TOL026 when they cannot be fetched, or the connection ends early.
        """
        import requests

        try:
            with requests.get(self._served(wheel), timeout=(10, 60), stream=True) as response:
                if not response.ok:
                    raise _unreachable(wheel, f"the server answered {response.status_code}")
                if leaves_https([hop.url for hop in (*response.history, response)]):
                    raise _unreachable(wheel, "a redirect leads from https to http")
                total = int(response.headers.get("Content-Length", "0"))
                with self._cache.pending() as pending:
                    sha256 = self._hash(wheel, response.iter_content(1 << 20), total, pending)
                    pending.commit(sha256, wheel.filename)
        except (requests.RequestException, ValueError) as error:
            raise _unreachable(wheel, describe_network_error(error)) from error
        return sha256

    def _hash(self, wheel: Wheel, chunks: Iterable[bytes], total: int, pending: PendingFile) -> str:
        """Hash and write the chunks, and check that they are a complete wheel."""
        digest = hashlib.sha256()
        received, head, tail = 0, b"", b""
        for chunk in chunks:
            digest.update(chunk)
            pending.write(chunk)
            received += len(chunk)
            head = head or chunk[:4]
            tail = (tail + chunk)[-_MOST_END_BYTES:]
            self._progress.started(wheel.filename, f"hashing {received >> 20} of {total >> 20} MB")
        if total and received != total:
            raise _unreachable(wheel, f"received {received} of {total} bytes")
        if head != _ZIP_START or _ZIP_END not in tail:
            # The hash of a login page, or of half a file of unknown length, must not pass for the wheel's.
            raise _unreachable(wheel, "the answer is not a complete wheel")
        return digest.hexdigest()

    def _served(self, wheel: Wheel) -> str:
        """Return the address to download from: recorded addresses are PyTorch's, also for mirrors."""
        return to_mirror(wheel.url, _PYTORCH, self._base)


def leaves_https(urls: Sequence[str]) -> bool:
    """Say whether a chain of redirects that starts with https leaves it."""
    return urls[0].startswith("https:") and not all(url.startswith("https:") for url in urls)


class NoDownloads:
    """Hasher of commands that must not use the network: all hashes stay unknown."""

    def sha256(self, wheel: Wheel) -> None:
        """Return None."""


def _unreachable(wheel: Wheel, cause: str) -> ToolError:
    return ToolError(
        "TOL026",
        f"{wheel.index} publishes no hash for {wheel.filename}, and it cannot be downloaded and hashed: {cause}",
        where=wheel.index,
        hint="lock with access to PyTorch's server, or require a stable build",
    )
