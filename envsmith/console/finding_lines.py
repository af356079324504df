"""What ``envsmith verify`` and ``envsmith doctor`` show of findings."""

from __future__ import annotations

from collections.abc import Sequence

import click

from envsmith.console import output as render
from envsmith.console import terminal
from envsmith.model.finding import SEVERITIES, Finding

_INDENT = 18
_COLOURS = {"error": "red", "warning": "yellow"}


def counted(count: int, word: str) -> str:
    """Write ``1 finding``, ``2 findings``."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def show(findings: Sequence[Finding], *, err: bool = False) -> None:
    """Print findings, errors first, each with its cure; a cure that several share is printed once, below the last."""
    ordered = sorted(findings, key=lambda item: SEVERITIES.index(item.severity))
    for number, item in enumerate(ordered):
        lines = [line for part in item.message.splitlines() for line in render.wrapped(part, _INDENT)]
        click.echo(f"{_word(item.severity)}{item.code:<8}  {lines[0]}", err=err)
        for line in lines[1:]:
            render.say(" " * _INDENT + line, err=err)
        following = ordered[number + 1].hint if number + 1 < len(ordered) else ""
        if item.hint and item.hint != following:
            for place, line in enumerate(item.hint.splitlines()):
                render.say(f"        {'cure' if place == 0 else '':<8}  {line}", err=err)


def _word(severity: str) -> str:
    text = f"{severity:<8}"
    colour = _COLOURS.get(severity)
    return click.style(text, fg=colour, bold=True) if colour and terminal.has_colour() else text
