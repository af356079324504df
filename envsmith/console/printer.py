"""What people see: text for them, one JSON envelope for programs.

What ``envsmith verify`` and ``envsmith doctor`` show of findings.
"""

from __future__ import annotations

import json
import re
import sys
import textwrap
from collections.abc import Iterable, Sequence

import click

from envsmith.console import terminal
from envsmith.errors import EnvsmithError
from envsmith.model.finding import SEVERITIES, Finding

SCHEMA_VERSION = 1
LABEL = 10
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_INDENT = 18
_COLOURS = {"error": "red", "warning": "yellow"}


def plain(text: str) -> str:
    """Return text without control characters: what an index or a file says must not drive the terminal."""
    return _CONTROL.sub("?", text)


def say(text: str, *, err: bool = False) -> None:
    """Print one line."""
    _print(plain(text), err=err)


def _print(text: str, *, err: bool) -> None:
    stream = sys.stderr if err else sys.stdout
    encoding = stream.encoding or "utf-8"
    click.echo(text.encode(encoding, "replace").decode(encoding), err=err)


def wrapped(text: str, indent: int) -> list[str]:
    """Break a text into the lines that fit beside an indent, and no line where a pipe reads."""
    room = max(terminal.width() - indent, 30)
    return textwrap.wrap(plain(text), room, break_on_hyphens=False, break_long_words=False) or [""]


def labelled(label: str, text: str, note: str = "", *, err: bool = False) -> None:
    """Print a line with its label in the first column, wrapped below itself on a narrow terminal."""
    for number, line in enumerate(wrapped(f"{text}  {note}" if note else text, LABEL)):
        say(f"{label if number == 0 else '':<{LABEL}}{line}", err=err)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, indent: int = LABEL) -> None:
    """Print rows in columns as wide as their widest value.

    Where that is too wide, with a smaller indent, else with the last column wrapped, else each row as a small list.
    """
    cells = [[plain(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    room = terminal.width() - sum(widths[:-1]) - 2 * (len(widths) - 1)
    if room - indent < widths[-1]:
        indent = min(indent, 2)
    if room - indent < min(widths[-1], 30):
        _stacked(cells)
        return
    for row in cells:
        left = "".join(f"{cell:<{size}}  " for cell, size in zip(row[:-1], widths[:-1], strict=True))
        for number, line in enumerate(wrapped(row[-1], terminal.width() - room + indent)):
            say((" " * indent + (" " * len(left) if number else left) + line).rstrip())


def _stacked(cells: list[list[str]]) -> None:
    head = cells[0]
    for row in cells[1:]:
        say(row[0])
        values = (f"{name} {cell}" for name, cell in zip(head[1:], row[1:], strict=True) if cell)
        for line in wrapped(" · ".join(values), 4):
            say(f"    {line}")


def stale_targets(found: Iterable[Finding]) -> None:
    """Print findings, grouped by what they are about, subjects with the same ones together, and each hint once."""
    by_subject: dict[str, list[str]] = {}
    hints = dict[str, None]()
    for finding in found:
        by_subject.setdefault(finding.subject, []).append(f"{finding.message}   {finding.code}")
        hints[finding.hint] = None
    groups: dict[tuple[str, ...], list[str]] = {}
    for subject, lines in by_subject.items():
        groups.setdefault(tuple(lines), []).append(subject)
    for told, subjects in groups.items():
        for number, line in enumerate(wrapped(f"{_joined(subjects)} {_are(subjects)} stale", 2)):
            say(f"{'  ' if number else ''}{line}")
        for text in told:
            for number, line in enumerate(wrapped(text, 4)):
                say(f"{'    ' if number else '  '}{line}")
    for hint in filter(None, hints):
        say(f"hint: {hint}")


def size(count: float) -> str:
    """Write a number of bytes as people do, in powers of ten: ``7.9 MB``."""
    amount = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if abs(amount) < 999.5 or unit == "GB":
            digits = 0 if unit == "bytes" or abs(amount) >= 99.95 else 1
            return f"{amount:.{digits}f} {unit}"
        amount /= 1000
    raise AssertionError("the last unit returns")


def notes(found: Iterable[Finding]) -> None:
    """Print notes, each once with all that it is about, and each hint once."""
    by_message: dict[str, list[str]] = {}
    hints = dict[str, None]()
    for finding in found:
        if finding.severity == "note":
            by_message.setdefault(f"{finding.message}   {finding.code}", []).append(finding.subject)
            hints[finding.hint] = None
    for message, subjects in by_message.items():
        labelled("note", f"{_joined(subjects)}: {message}")
    for hint in filter(None, hints):
        say(f"hint: {hint}")


def _joined(subjects: Sequence[str]) -> str:
    """Name several targets of one profile with its name once."""
    profile = subjects[0].partition("/")[0]
    if len(subjects) == 1 or any(not subject.startswith(f"{profile}/") for subject in subjects):
        return ", ".join(subjects)
    return f"{profile}: " + ", ".join(subject.removeprefix(f"{profile}/") for subject in subjects)


def _are(subjects: Sequence[str]) -> str:
    return "is" if len(subjects) == 1 else "are"


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
    _error_lines(problem, [problem.where], indent="", shown=set())
    if problem.hint:
        _hint(problem.hint, indent="")


def _error_lines(problem: EnvsmithError, places: list[str], indent: str, shown: set[tuple[str, str]]) -> None:
    """Print an error and its parts; what an earlier part said already is left out of the later ones."""
    head = wrapped(f"error {problem.code}: {problem.message}", len(indent) + 2)
    _print(f"{indent}{_red('error')}{head[0].removeprefix('error')}", err=True)
    for line in head[1:]:
        say(f"{indent}  {line}", err=True)
    for place in filter(None, places):
        _detail("where", place, indent)
    for label, text in problem.details:
        if (label, text) not in shown:
            _detail(label, text, indent)
    shown.update(problem.details)
    told: set[tuple[str, str]] = set()
    for part, where in _alike(problem.parts if len(problem.parts) > 1 else ()):
        _error_lines(part, where, indent + "  ", told)
        if part.hint and ("hint", part.hint) not in told:
            _hint(part.hint, indent + "  ")
        told.add(("hint", part.hint))


def _alike(parts: Iterable[EnvsmithError]) -> list[tuple[EnvsmithError, list[str]]]:
    """Put parts together that differ in nothing but their place."""
    found: dict[tuple[object, ...], tuple[EnvsmithError, list[str]]] = {}
    for part in parts:
        key = (part.code, part.message, part.details, part.hint, part.parts)
        found.setdefault(key, (part, []))[1].append(part.where)
    return list(found.values())


def _detail(label: str, text: str, indent: str) -> None:
    lines = [line for part in text.splitlines() or [""] for line in wrapped(part, len(indent) + 12)]
    for number, line in enumerate(lines):
        say(f"{indent}  {label if number == 0 else '':<9} {line}", err=True)


def _hint(text: str, indent: str) -> None:
    for number, line in enumerate(wrapped(f"hint: {text}", len(indent) + 6)):
        say(f"{indent}{'      ' if number else ''}{line}", err=True)


def _red(word: str) -> str:
    return click.style(word, fg="red", bold=True) if terminal.has_colour() else word


def usage_error(problem: click.ClickException, *, as_json: bool) -> None:
    """Print what is wrong with a command line, and how to see what is right."""
    place = problem.ctx.command_path if isinstance(problem, click.UsageError) and problem.ctx else "envsmith"
    wrapped = EnvsmithError("USE001", problem.format_message(), where=place, hint=f"{place} --help")
    error(wrapped, command=place.removeprefix("envsmith").strip(), as_json=as_json)


def counted(count: int, word: str) -> str:
    """Write ``1 finding``, ``2 findings``."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def findings(findings: Sequence[Finding], *, err: bool = False) -> None:
    """Print findings, errors first, each with its fix; a fix shared by several is printed once, after the last."""
    ordered = sorted(findings, key=lambda item: SEVERITIES.index(item.severity))
    for number, item in enumerate(ordered):
        lines = [line for part in item.message.splitlines() for line in wrapped(part, _INDENT)]
        click.echo(f"{_word(item.severity)}{item.code:<8}  {lines[0]}", err=err)
        for line in lines[1:]:
            say(" " * _INDENT + line, err=err)
        following = ordered[number + 1].hint if number + 1 < len(ordered) else ""
        if item.hint and item.hint != following:
            for place, line in enumerate(item.hint.splitlines()):
                say(f"        {'fix' if place == 0 else '':<8}  {line}", err=err)


def _word(severity: str) -> str:
    text = f"{severity:<8}"
    colour = _COLOURS.get(severity)
    return click.style(text, fg=colour, bold=True) if colour and terminal.has_colour() else text
