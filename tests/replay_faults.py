"""What can go wrong between a client and an index."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something that goes wrong, for the next ``times`` requests of a path."""

    kind: str
    times: int = 1_000_000
    number: float = 0
    text: str = ""

    @classmethod
    def status(cls, code: int, times: int = 1_000_000) -> Fault:
        """Answer with a status and no more."""
        return cls(kind="status", number=code, times=times)

    @classmethod
    def slow(cls, seconds: float, times: int = 1_000_000) -> Fault:
        """Wait before answering (or until the server ends)."""
        return cls(kind="slow", number=seconds, times=times)

    @classmethod
    def drip(cls, seconds: float, times: int = 1_000_000) -> Fault:
        """Send the body byte by byte, with a pause before each."""
        return cls(kind="drip", number=seconds, times=times)

    @classmethod
    def cut(cls, times: int = 1_000_000) -> Fault:
        """Announce the whole body, send half and close the connection."""
        return cls(kind="cut", times=times)

    @classmethod
    def truncated(cls, times: int = 1_000_000) -> Fault:
        """Send half the body as if it were whole."""
        return cls(kind="truncated", times=times)

    @classmethod
    def body(cls, text: str, times: int = 1_000_000) -> Fault:
        """Send another body."""
        return cls(kind="body", text=text, times=times)

    @classmethod
    def content_type(cls, text: str, times: int = 1_000_000) -> Fault:
        """Name another content type."""
        return cls(kind="content_type", text=text, times=times)

    @classmethod
    def redirect(cls, location: str, times: int = 1_000_000) -> Fault:
        """Send the client elsewhere."""
        return cls(kind="redirect", text=location, times=times)

    @classmethod
    def ranges_ignored(cls, times: int = 1_000_000) -> Fault:
        """Answer a ranged request with the whole file."""
        return cls(kind="ranges_ignored", times=times)


def next_fault(faults: list[Fault]) -> Fault | None:
    """Take the fault for the next request off a queue."""
    if not faults:
        return None
    first = faults[0]
    if first.times <= 1:
        faults.pop(0)
    else:
        faults[0] = replace(first, times=first.times - 1)
    return first
