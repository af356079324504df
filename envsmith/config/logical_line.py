"""LogicalLine: a line of a requirements file, continuations joined and comments taken off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_BREAK = re.compile(r"\r\n|\n|\r")
_COMMENT = re.compile(r"(?:^|\s)#.*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogicalLine:
    """What stands between two line ends that count."""

    text: str
    """Never blank; without comment."""
    number: int
    """Of the first line it was made from."""
    last: int
    """Of the last line it was made from; a comment line that ended the joining is not counted."""


def split(text: str) -> Iterator[LogicalLine]:
    r"""Yield the logical lines of a requirements file.

    A backslash at a line's end joins the next line to it; a comment line ends the joining.

    Source: pip's documentation, "Requirements File Format" (read 2026-11-21).
    """
    pending: list[str] = []
    first = number = 0
    for number, line in enumerate(_BREAK.split(text), start=1):
        first = first if pending else number
        is_comment = line.lstrip().startswith("#")
        if line.endswith("\\") and not is_comment:
            pending.append(line[:-1])
            continue
        last = number - 1 if is_comment and pending else number
        yield from _line([*pending, "" if is_comment else line], first, last)
        pending = []
    yield from _line(pending, first, number)


def _line(parts: list[str], first: int, last: int) -> Iterator[LogicalLine]:
    text = _COMMENT.sub("", "".join(parts)).strip()
    if text:
        yield LogicalLine(text=text, number=first, last=last)
