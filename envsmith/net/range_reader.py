"""Read parts of a remote file as if it were open, by HTTP ranges."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from envsmith.errors import ToolError
from envsmith.model.url import public_url

if TYPE_CHECKING:
    from envsmith.net.client import Response, WebClient

_TAIL = 1 << 17
_STEP = 1 << 18
MAX_TOTAL_BYTES = 48 * 1024 * 1024
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")


class RangeReader(io.RawIOBase):
    """A seekable, read-only file whose bytes are fetched when asked for, at most MAX_TOTAL_BYTES of them.

    Args:
        client: fetches.
        url: address of the file.

    Raises:
        ToolError: TOL034 when the server answers no ranges, or the file changes while it is read.
    """

    def __init__(self, client: WebClient, url: str) -> None:
        super().__init__()
        self._client = client
        self._url = url
        self._position = 0
        self._fetched = 0
        self._etag: str | None = None
        self._blocks: list[tuple[int, bytes]] = []
        answer = self._ask(f"bytes=-{_TAIL}", _TAIL)
        # A file smaller than the range may come whole.
        start, _, self._size = (0, 0, len(answer.body)) if answer.status == 200 else self._span(answer)
        self._etag = answer.headers.get("etag")
        self._blocks.append((start, answer.body))

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes."""
        return True

    def tell(self) -> int:
        """Return the position in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position; negative ones are refused as a file does."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError("a position before the start of the file")
        self._position = start + offset
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill the buffer from the position on, and return how many bytes that gave."""
        wanted = min(len(buffer), self._size - self._position)
        if wanted <= 0:
            return 0
        data = self._bytes_at(self._position, wanted)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def _bytes_at(self, start: int, count: int) -> bytes:
        for first, block in self._blocks:
            if first <= start < first + len(block):
                return block[start - first : start - first + count]
        last = min(self._size, start + max(count, _STEP)) - 1
        answer = self._ask(f"bytes={start}-{last}", last - start + 1)
        same = answer.status == 206 and self._span(answer) == (start, last, self._size)
        if not same or answer.headers.get("etag") != self._etag:
            raise self._refused("the file changed while it was read")
        self._blocks.append((start, answer.body))
        return answer.body[:count]

    def _ask(self, span: str, count: int) -> Response:
        self._fetched += count
        if self._fetched > MAX_TOTAL_BYTES:
            raise self._refused(f"more than {MAX_TOTAL_BYTES} bytes are needed to read its metadata")
        # Without identity a range could be cut out of a compressed form.
        headers = {"Range": span, "Accept-Encoding": "identity"}
        try:
            answer = self._client.get(self._url, headers, limit_bytes=count)
        except ToolError as error:
            if error.code != "TOL033":
                raise
            raise self._refused("the server sends the whole file where a part is asked for") from error
        if (
            answer.status not in {200, 206}
            or answer.headers.get("content-encoding", "identity") != "identity"
        ):
            raise self._refused(f"the server answered {answer.status} to a ranged request")
        return answer

    def _span(self, answer: Response) -> tuple[int, int, int]:
        match = _CONTENT_RANGE.fullmatch(answer.headers.get("content-range", ""))
        if match is None:
            raise self._refused("the server does not say which range it sent")
        first, last, size = (int(text) for text in match.groups())
        if not first <= last < size or last - first + 1 != len(answer.body):
            raise self._refused("the server sent another range than it says")
        return first, last, size

    def _refused(self, message: str) -> ToolError:
        return ToolError(
            "TOL034",
            message,
            where=public_url(self._url),
            hint="name a mirror that answers HTTP ranges with --index-base, or use --catalog embedded",
        )
