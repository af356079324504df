"""The terminal people sit at, if there is one.

Asks before something is changed.
"""

from __future__ import annotations

import os
import shutil
import sys

import click

from envsmith.errors import EnvsmithError

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


def agrees(question: str, *, where: str, otherwise: str) -> bool:
    """Ask on the terminal, and return the answer.

    Args:
        question: without its question mark.
        where: the command.
        otherwise: what is said where nobody can be asked: what is not done, and why it would be asked.

    Raises:
        EnvsmithError: USE002 where nobody can be asked.
    """
    if not can_ask():
        raise EnvsmithError(
            "USE002",
            f"{otherwise}, and there is no terminal to ask at",
            where=where,
            hint="look at the lines above, then add --yes",
        )
    return click.confirm(f"{question}?", err=True)
