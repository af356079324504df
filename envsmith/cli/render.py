"""What people see: text for them, one JSON envelope for programs."""

from __future__ import annotations

import json
import re
import sys
import textwrap
from collections.abc import Iterable, Sequence

import click

from envsmith.adapters import terminal
from envsmith.errors import EnvsmithError
from envsmith.model.report import Finding

SCHEMA_VERSION = 1
LABEL = 10
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def plain(text: str) -> str:
    """Return text without control characters: what an index or a file says must not drive the terminal."""
    return _CONTROL.sub("?", text)


def say(text: str, *, err: bool = False) -> None:
    """Print one line."""
    stream = sys.stderr if err else sys.stdout
    encoding = stream.encoding or "utf-8"
    click.echo(plain(text).encode(encoding, "replace").decode(encoding), err=err)


def labelled(label: str, text: str, note: str = "", *, err: bool = False) -> None:
    """Print a line with its label in the first column, wrapped below itself on a narrow terminal."""
    full = f"{text}  {note}" if note else text
    lines = textwrap.wrap(
        plain(full), max(terminal.width() - LABEL, 40), break_on_hyphens=False, break_long_words=False
    ) or [""]
    for number, line in enumerate(lines):
        say(f"{label if number == 0 else '':<{LABEL}}{line}", err=err)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, indent: int = LABEL) -> None:
    """Print rows in columns as wide as their widest value."""
    cells = [[plain(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    for row in cells:
        line = "  ".join(cell.ljust(size) for cell, size in zip(row, widths, strict=True))
        say(" " * indent + line.rstrip())


def findings(found: Iterable[Finding]) -> None:
    """Print findings, grouped by what they are about, and each hint once."""
    subject, hints = "", dict[str, None]()
    for finding in found:
        if finding.subject != subject:
            subject = finding.subject
            say(f"{subject} is stale")
        say(f"  {finding.message}   {finding.code}")
        hints[finding.hint] = None
    for hint in filter(None, hints):
        say(f"hint: {hint}")


def envelope(command: str, status: str, data: object, errors: Sequence[EnvsmithError] = ()) -> None:
    """Print the JSON envelope every command has."""
    values = {
        "schema_version": SCHEMA_VERSION,
        "command": command,
        "status": status,
        "data": data,
        "errors": [error.to_json() for error in errors],
    }
    click.echo(json.dumps(values, indent=2, ensure_ascii=True))


def error(problem: EnvsmithError, *, command: str, as_json: bool) -> None:
    """Print an error: to standard error for people, as the envelope for programs."""
    if as_json:
        envelope(command, "no" if problem.exit_code == 1 else "failed", None, [problem])
        return
    _error_lines(problem, indent="")


def _error_lines(problem: EnvsmithError, indent: str) -> None:
    say(f"{indent}{_red('error')} {problem.code}: {problem.message}", err=True)
    if problem.where:
        _detail("where", problem.where, indent)
    for label, text in problem.details:
        _detail(label, text, indent)
    for part in problem.parts if len(problem.parts) > 1 else ():
        _error_lines(part, indent + "  ")
    if problem.hint:
        say(f"{indent}hint: {problem.hint}", err=True)


def _detail(label: str, text: str, indent: str) -> None:
    for number, line in enumerate(text.splitlines() or [""]):
        say(f"{indent}  {label if number == 0 else '':<9} {line}", err=True)


def _red(word: str) -> str:
    return click.style(word, fg="red", bold=True) if terminal.has_colour() else word


def usage_error(problem: click.ClickException, *, as_json: bool) -> None:
    """Print what is wrong with a command line, and how to see what is right."""
    place = problem.ctx.command_path if isinstance(problem, click.UsageError) and problem.ctx else "envsmith"
    wrapped = EnvsmithError("USE001", problem.format_message(), where=place, hint=f"{place} --help")
    error(wrapped, command=place.removeprefix("envsmith").strip(), as_json=as_json)
