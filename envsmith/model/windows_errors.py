"""Errors of Windows by their numbers: their usual reason and what to do, since Windows's texts are in its language.

Source: System Error Codes, Microsoft Learn (read 2026-11-30).
"""

from __future__ import annotations

import re

_OPEN = (
    "another program has the file open",
    "close it, such as Python, an editor or antivirus software, then run the command again",
)
FULL = 112
_FULL = ("there is not enough space on the disk", "free disk space, then run the command again")
KNOWN = {
    5: (
        "access is denied",
        "close programs that use the file, such as Python or an editor, and check its permissions and antivirus",
    ),
    32: _OPEN,
    33: _OPEN,
    39: _FULL,
    FULL: _FULL,
    206: (
        "the path is too long for Windows",
        "use a project folder with a shorter path, or enable long paths in Windows (`envsmith doctor lengths`)",
    ),
    225: (
        "antivirus software blocked the file",
        "look it up in the protection history of Windows Security; restore it only if you trust it",
    ),
    1224: _OPEN,
    1455: (
        "the paging file is too small",
        "close other programs, or let Windows manage the size of its paging file, then run the command again",
    ),
}
"""Number → reason and hint."""
_TOO_LONG = 206
# A path that is not found (3) where it is longer than Windows allows.
_LONG_PATH = re.compile(r"[A-Za-z]:[\\/][^`\"'\n]{250,}.*\(os error 3\)", re.DOTALL)
_NUMBER = re.compile(r"\(os error (\d+)\)")


def windows_error(error: Exception) -> int:
    """Return the number that Windows gave an error; 0 on other systems, and for errors of the C library."""
    return getattr(error, "winerror", None) or 0  # only on Windows, and only of an `OSError`


def is_full(number: int) -> bool:
    """Return whether an error means that the disk is full."""
    return KNOWN.get(number) == _FULL


def reason_of(error: Exception) -> str:
    """Return the reason of an error in English if it is known, otherwise in the words of the system."""
    reason, _ = KNOWN.get(windows_error(error), ("", ""))
    return reason or getattr(error, "strerror", None) or str(error)


def number_in(text: str) -> int:
    """Return the first known number in messages of a Rust program; 0 without one."""
    found = next((int(word) for word in _NUMBER.findall(text) if int(word) in KNOWN), 0)
    return _TOO_LONG if not found and _LONG_PATH.search(text) else found
