"""Hashes wheels that no index publishes a hash for, by downloading them.

Files that envsmith fetched to hash them, kept by that hash: an index forgets nightlies, and a lock does not.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from envsmith.errors import ToolError
from envsmith.model.listing import HOST
from envsmith.model.progress import Progress
from envsmith.model.url import on_mirror
from envsmith.model.wheel import Wheel
from envsmith.net.client import describe_network_error

_PYTORCH = f"{HOST}/whl"
# Source: APPNOTE.TXT 6.3.10 of the ZIP format, 4.3.7 and 4.3.16 (read 2026-11-21): an end has 22 bytes and a comment.
_ZIP_BEGINS, _ZIP_ENDS, _MOST_OF_AN_END = b"PK\x03\x04", b"PK\x05\x06", 22 + 0xFFFF


class FileCache:
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
    def coming(self) -> Iterator[PendingFile]:
        """Lend a place to write a file to while its hash is not known yet."""
        coming = PendingFile(self._folder)
        try:
            yield coming
        finally:
            coming.close()


class PendingFile:
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


class Downloads:
    """Streams a wheel, hashes its bytes and keeps them: the index may forget a nightly before its lock does.

    Args:
        progress: hears how far it is.
        kept: gets the bytes.
        base: what stands for ``https://download.pytorch.org/whl``.
    """

    def __init__(self, progress: Progress, kept: FileCache, base: str = _PYTORCH) -> None:
        self._progress = progress
        self._kept = kept
        self._base = base.rstrip("/")

    def sha256(self, wheel: Wheel) -> str:
        """Return the hash of the bytes that are served under the wheel's address now.

        Raises:
            ToolError: TOL026 when they cannot be fetched, or the connection ends early.
        """
        import requests

        try:
            with requests.get(self._served(wheel), timeout=(10, 60), stream=True) as response:
                if not response.ok:
                    raise _unreachable(wheel, f"the server answers with status {response.status_code}")
                if leaves_https([hop.url for hop in (*response.history, response)]):
                    raise _unreachable(wheel, "a redirect leads from https to http")
                total = int(response.headers.get("Content-Length", "0"))
                with self._kept.coming() as coming:
                    sha256 = self._hash(wheel, response.iter_content(1 << 20), total, coming)
                    coming.keep(sha256, wheel.filename)
        except (requests.RequestException, ValueError) as error:
            raise _unreachable(wheel, describe_network_error(error)) from error
        return sha256

    def _hash(self, wheel: Wheel, chunks: Iterable[bytes], total: int, coming: PendingFile) -> str:
        """Hash what comes, when it is one whole wheel."""
        digest = hashlib.sha256()
        received, head, tail = 0, b"", b""
        for chunk in chunks:
            digest.update(chunk)
            coming.write(chunk)
            received += len(chunk)
            head = head or chunk[:4]
            tail = (tail + chunk)[-_MOST_OF_AN_END:]
            self._progress.started(wheel.filename, f"hashing {received >> 20} of {total >> 20} MB")
        if total and received != total:
            raise _unreachable(wheel, f"{received} of {total} bytes came")
        if head != _ZIP_BEGINS or _ZIP_ENDS not in tail:
            # A page that asks to log in, or half a file of unknown length, must not become the wheel's hash.
            raise _unreachable(wheel, "what came is no whole wheel")
        return digest.hexdigest()

    def _served(self, wheel: Wheel) -> str:
        """Return where the file can be had: rows carry PyTorch's own address, whoever serves them."""
        return on_mirror(wheel.url, _PYTORCH, self._base)


def leaves_https(urls: Sequence[str]) -> bool:
    """Say whether a way that began with https goes on without: then anybody may have sent the bytes."""
    return urls[0].startswith("https:") and not all(url.startswith("https:") for url in urls)


class NoDownloads:
    """Hashes nothing: for commands that must not use the network."""

    def sha256(self, wheel: Wheel) -> None:
        """Return None: the hash stays unknown."""


def _unreachable(wheel: Wheel, why: str) -> ToolError:
    return ToolError(
        "TOL026",
        f"{wheel.index} publishes no hash for {wheel.filename}, and it cannot be fetched to be hashed: {why}",
        where=wheel.index,
        hint="lock where PyTorch's server can be reached, or ask for a stable build",
    )
