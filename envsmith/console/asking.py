"""Asks before something is changed."""

from __future__ import annotations

import click

from envsmith.console import terminal
from envsmith.errors import EnvsmithError


def agrees(question: str, *, where: str, otherwise: str) -> bool:
    """Ask on the terminal, and return the answer.

    Args:
        question: without its question mark.
        where: the command.
        otherwise: what is said where nobody can be asked: what is not done, and why it would be asked.

    Raises:
        EnvsmithError: USE002 where nobody can be asked.
    """
    if not terminal.can_ask():
        raise EnvsmithError(
            "USE002",
            f"{otherwise}, and there is no terminal to ask at",
            where=where,
            hint="look at the lines above, then add --yes",
        )
    return click.confirm(f"{question}?", err=True)
