"""Random access to remote files by HTTP range requests."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from envsmith.errors import ToolError
from envsmith.model.url import redact_url
from envsmith.net.client import TooLargeError

if TYPE_CHECKING:
    from envsmith.net.client import Response, WebClient

# The directory of a wheel is at its end; most fit into the tail, and METADATA into one further step.
TAIL_BYTES = 1 << 17
_STEP_BYTES = 1 << 18
MAX_TOTAL_BYTES = 48 * 1024 * 1024
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")  # FIRST-LAST/SIZE


class RangeReader(io.RawIOBase):
    """A seekable, read-only file fetched on demand, at most MAX_TOTAL_BYTES of it.

    Args:
        client: sends the requests.
        url: address of the file.

    Raises:
        ToolError: TOL034 when the server does not support ranges, or the file changes while it is read.
    """

    def __init__(self, client: WebClient, url: str) -> None:
        super().__init__()
        self._client = client
        self._url = url
        self._position = 0
        self._fetched_bytes = 0
        self._etag: str | None = None
        self._blocks: list[tuple[int, bytes]] = []
        answer = self._request(f"bytes=-{TAIL_BYTES}", TAIL_BYTES)
        # A file smaller than the range may come whole.
        start, _, self._size = (0, 0, len(answer.body)) if answer.status == 200 else self._range(answer)
        self._etag = answer.headers.get("etag")
        self._blocks.append((start, answer.body))

    def readable(self) -> bool:
        """Return true."""
        return True

    def seekable(self) -> bool:
        """Return true."""
        return True

    def tell(self) -> int:
        """Return the position in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position; a negative one is a ValueError, as for a file."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError("a position before the start of the file")
        self._position = start + offset
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill the buffer from the position on, and return the number of bytes read."""
        count = min(len(buffer), self._size - self._position)
        if count <= 0:
            return 0
        data = self._bytes_at(self._position, count)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def _bytes_at(self, start: int, count: int) -> bytes:
        for first, block in self._blocks:
            if first <= start < first + len(block):
                return block[start - first : start - first + count]
        last = min(self._size, start + max(count, _STEP_BYTES)) - 1
        answer = self._request(f"bytes={start}-{last}", last - start + 1)
        same = answer.status == 206 and self._range(answer) == (start, last, self._size)
        if not same or answer.headers.get("etag") != self._etag:
            raise self._error("the file changed while it was read")
        self._blocks.append((start, answer.body))
        return answer.body[:count]

    def _request(self, byte_range: str, count: int) -> Response:
        self._fetched_bytes += count
        if self._fetched_bytes > MAX_TOTAL_BYTES:
            raise self._error(f"reading its metadata takes more than {MAX_TOTAL_BYTES} bytes")
        # Without identity the server could cut the range out of a compressed form.
        headers = {"Range": byte_range, "Accept-Encoding": "identity"}
        try:
            answer = self._client.get(self._url, headers, limit_bytes=count)
        except TooLargeError as error:
            raise self._error("the server sends the whole file instead of a range") from error
        if (
            answer.status not in {200, 206}
            or answer.headers.get("content-encoding", "identity") != "identity"
        ):
            raise self._error(f"the server answered {answer.status} to a range request")
        return answer

    def _range(self, answer: Response) -> tuple[int, int, int]:
        """Return first and last byte and the size of the file, from a response's Content-Range."""
        match = _CONTENT_RANGE.fullmatch(answer.headers.get("content-range", ""))
        if match is None:
            raise self._error("the answer has no valid Content-Range")
        first, last, size = (int(text) for text in match.groups())
        if not first <= last < size or last - first + 1 != len(answer.body):
            raise self._error("the answer does not match its Content-Range")
        return first, last, size

    def _error(self, message: str) -> ToolError:
        return ToolError(
            "TOL034",
            message,
            where=redact_url(self._url),
            hint="name a mirror that supports HTTP ranges with --index-base, or use --catalog embedded",
        )
