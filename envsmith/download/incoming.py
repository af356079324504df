"""What comes of one file: each answer of a server is judged before its bytes join those that are here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from envsmith.download.part_file import Origin, PartFile
from envsmith.errors import ToolError

_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
_ABSENT = frozenset({401, 403, 404, 410, 451})
_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})


class BrokenError(Exception):
    """The answer ended early or said to come later."""

    def __init__(self, why: str, wait_s: float = 0.0) -> None:
        super().__init__(why)
        self.why = why
        self.wait_s = wait_s


class AbsentError(ToolError):
    """The server does not have the file, or does not give it to us."""


@dataclass(slots=True, kw_only=True)
class Incoming:
    """Takes the answers for one file, and judges whether they go on where the last one ended."""

    part: PartFile
    size_bytes: int | None
    heard: Callable[[int], None]
    where: str

    @property
    def is_whole(self) -> bool:
        """Whether nothing need be fetched: as many bytes as the file has, or already the right ones."""
        if self.size_bytes is None:
            return self.part.size > 0 and self.part.is_proved
        return self.part.size == self.size_bytes

    @property
    def is_at_end(self) -> bool:
        """Whether as many bytes are here as the server said; where it said nothing the hash alone can tell."""
        return self._expected is None or self.part.size >= self._expected

    def begin(self, status: int, headers: Mapping[str, str]) -> bool:
        """Take note of an answer's head, and say whether its body is to be read."""
        if status in _ABSENT:
            raise AbsentError(
                "TOL047",
                f"the server answered {status}",
                where=self.where,
                hint="check your permission to read it; name a mirror that has it with --rewrite",
            )
        if status in _LATER:
            raise BrokenError(f"the server answered {status}", _retry_after(headers))
        if status == 206:
            return self._goes_on(headers)
        if status == 416:
            return self._is_past_the_end(headers)
        if status != 200:
            raise unreachable(f"the server answered {status}", self.where)
        if self.part.size:
            self.restart()
        self._begin(headers, length(headers))
        return True

    def add(self, chunk: bytes) -> None:
        """Keep bytes, but never more than the file can have."""
        if self._expected is not None and self.part.size + len(chunk) > self._expected:
            raise other_file(f"it sends more than {self._expected} bytes", self.where)
        self.part.write(chunk)
        self.heard(len(chunk))

    def restart(self) -> None:
        """Begin anew: what is here does not belong to what the server has."""
        self.heard(-self.part.size)
        self.part.restart()

    @property
    def _expected(self) -> int | None:
        return self.part.origin.size_bytes if self.size_bytes is None else self.size_bytes

    def _goes_on(self, headers: Mapping[str, str]) -> bool:
        found = _RANGE.fullmatch(headers.get("Content-Range", "").strip())
        total = int(found[3]) if found and found[3] != "*" else None
        known = self.part.origin
        is_same = "" in (known.etag, _etag(headers)) or known.etag == _etag(headers)
        is_same = is_same and (None in (known.size_bytes, total) or known.size_bytes == total)
        if found is None or int(found[1]) != self.part.size or not is_same:
            self.restart()
            raise BrokenError("the file changed, or another part than asked for came")
        self._begin(headers, total)
        return True

    def _is_past_the_end(self, headers: Mapping[str, str]) -> bool:
        total = headers.get("Content-Range", "").strip().removeprefix("bytes */")
        if self.part.size and total == str(self.part.size) and self.part.is_proved:
            self.part.origin = Origin(size_bytes=self.part.size)
            return False
        self.restart()
        raise BrokenError("the server has no such part of the file")

    def _begin(self, headers: Mapping[str, str], total: int | None) -> None:
        if None not in (total, self.size_bytes) and total != self.size_bytes:
            raise other_file(f"it has {total} bytes, and the lock's has {self.size_bytes}", self.where)
        self.part.begin_piece(Origin(etag=_etag(headers), size_bytes=total))


def _etag(headers: Mapping[str, str]) -> str:
    """Return an ETag that vouches for each byte (RFC 9110, 8.8.1 and 13.1.5, read 2026-11-21); else nothing."""
    text = headers.get("ETag", "").strip()
    return text if re.fullmatch(r'"[\x21\x23-\x7e]{0,200}"', text) else ""


def length(headers: Mapping[str, str]) -> int | None:
    """Return how long a server says its answer is; None where it does not say."""
    text = headers.get("Content-Length", "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _retry_after(headers: Mapping[str, str]) -> float:
    text = headers.get("Retry-After", "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0.0


def unreachable(why: str, where: str) -> ToolError:
    """Return the error for a server that does not give the file, for now."""
    return ToolError(
        "TOL047",
        why,
        where=where,
        hint="run the command again when the server answers: what was fetched is kept; --rewrite names a mirror",
    )


def other_file(why: str, where: str) -> ToolError:
    """Return the error for a server that has other bytes than the lock says."""
    return ToolError(
        "TOL048",
        f"the server has another file: {why}",
        where=where,
        hint="do not use what that server has; another mirror can be named with --rewrite",
    )
