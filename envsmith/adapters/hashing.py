"""Hashes wheels that no index publishes a hash for, by downloading them."""

from __future__ import annotations

import hashlib

from envsmith.errors import ToolError
from envsmith.model.wheel import Wheel
from envsmith.ports import Progress


class Downloads:
    """Streams a wheel and hashes its bytes; nothing is kept of it.

    Args:
        progress: hears how far it is.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def sha256(self, wheel: Wheel) -> str:
        """Return the hash of the bytes that the wheel's address serves now.

        Raises:
            ToolError: TOL026 when they cannot be fetched, or the connection ends early.
        """
        import requests

        digest = hashlib.sha256()
        received = 0
        try:
            with requests.get(wheel.url, timeout=(10, 60), stream=True) as response:
                response.raise_for_status()
                total = int(response.headers.get("Content-Length", "0"))
                for chunk in response.iter_content(1 << 20):
                    digest.update(chunk)
                    received += len(chunk)
                    self._progress.started(wheel.filename, f"hashing {received >> 20} of {total >> 20} MB")
        except (requests.RequestException, ValueError) as error:
            raise _unreachable(wheel, str(error)) from error
        if total and received != total:
            raise _unreachable(wheel, f"{received} of {total} bytes came")
        return digest.hexdigest()


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
