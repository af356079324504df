"""The terminal people sit at, if there is one."""

from __future__ import annotations

import os
import shutil
import sys

NO_LIMIT = 10_000


def width() -> int:
    """Return the columns to write into: the terminal's, and no limit on a pipe."""
    return shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else NO_LIMIT


def has_colour() -> bool:
    """Say whether standard error shows colour.

    Source: no-color.org (read 2026-11-21): NO_COLOR counts when it is set and not empty.
    """
    return not os.environ.get("NO_COLOR") and sys.stderr.isatty()


def can_ask() -> bool:
    """Say whether somebody can read a question and answer it."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
