"""Printing: text, tables, findings and errors for people, the JSON envelope for programs."""

from __future__ import annotations

import json
import re
import sys
import textwrap
from collections.abc import Iterable, Sequence

import click

from envsmith.console import terminal
from envsmith.errors import EnvsmithError
from envsmith.host.project_folder import user_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envsmith.model.finding import Finding

SCHEMA_VERSION = 1
LABEL = 10
# All control characters (C0, DEL, C1) but tab and line feed, and those that end lines or change the reading order.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_FINDING_INDENT = 18
_STAND_INS = {
    **dict(zip("·×●▸│─", "-x*>|-", strict=True)),
    "→": "->",
    "←": "<-",
    "…": "...",
    "≥": ">=",
    "≤": "<=",
    "≠": "!=",
}
"""Characters of our own output → what is printed where the encoding lacks them, as code page 437 or 949 does."""
_COLOURS = {"error": "red", "warning": "yellow"}


def plain(text: str) -> str:
    """Replace control characters, so that text from an index or a file cannot control the terminal."""
    return _CONTROL.sub("?", text)


def say(text: str, *, err: bool = False) -> None:
    """Print one line."""
    _print(plain(text), err=err)


def _print(text: str, *, err: bool) -> None:
    """Print a line; characters that the stream's encoding lacks become ASCII ones, or question marks."""
    stream = sys.stderr if err else sys.stdout
    encoding = stream.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        kept = (_ascii(character, encoding) for character in text)
        text = "".join(kept).encode(encoding, "replace").decode(encoding)
    click.echo(text, err=err)


def document(text: str, encoding: str = "utf-8") -> None:
    """Print a text for programs to read, on every system the same bytes: line feeds, and UTF-8 by default."""
    if sys.platform == "win32" and not sys.stdout.isatty():
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode(encoding, "replace"))
        sys.stdout.buffer.flush()
    else:
        click.echo(text, nl=False)


def _ascii(character: str, encoding: str) -> str:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return _STAND_INS.get(character, character)
    return character


def wrapped(text: str, indent: int) -> list[str]:
    """Wrap a text to the terminal's width minus an indent; pipes get one line."""
    columns = max(terminal.width() - indent, 30)
    return textwrap.wrap(plain(text), columns, break_on_hyphens=False, break_long_words=False) or [""]


def labelled(label: str, text: str, note: str = "", *, err: bool = False) -> None:
    """Print a line with a label in the first column; wrapped lines are indented."""
    for number, line in enumerate(wrapped(f"{text}  {note}" if note else text, LABEL)):
        say(f"{label if number == 0 else '':<{LABEL}}{line}", err=err)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, indent: int = LABEL) -> None:
    """Print rows in columns as wide as their widest value.

    If the terminal is too narrow, reduce the indent, then wrap the last column, then print each row as a list.
    """
    cells = [[plain(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    last = terminal.width() - sum(widths[:-1]) - 2 * (len(widths) - 1)
    if last - indent < widths[-1]:
        indent = min(indent, 2)
    if last - indent < min(widths[-1], 30):
        _stacked(cells)
        return
    for row in cells:
        left = "".join(f"{cell:<{size}}  " for cell, size in zip(row[:-1], widths[:-1], strict=True))
        for number, line in enumerate(wrapped(row[-1], terminal.width() - last + indent)):
            say((" " * indent + (" " * len(left) if number else left) + line).rstrip())


def _stacked(cells: list[list[str]]) -> None:
    head = cells[0]
    for row in cells[1:]:
        say(row[0])
        values = (f"{name} {cell}" for name, cell in zip(head[1:], row[1:], strict=True) if cell)
        for line in wrapped(" · ".join(values), 4):
            say(f"    {line}")


def stale_targets(found: Iterable[Finding]) -> None:
    """Print findings about stale locks: subjects with equal findings together, each hint once."""
    by_subject: dict[str, list[str]] = {}
    hints = dict[str, None]()
    for finding in found:
        by_subject.setdefault(finding.subject, []).append(f"{finding.message}   {finding.code}")
        hints[finding.hint] = None
    groups: dict[tuple[str, ...], list[str]] = {}
    for subject, lines in by_subject.items():
        groups.setdefault(tuple(lines), []).append(subject)
    for lines_of_group, subjects in groups.items():
        for number, line in enumerate(wrapped(f"{_joined(subjects)} {_are(subjects)} stale", 2)):
            say(f"{'  ' if number else ''}{line}")
        for text in lines_of_group:
            for number, line in enumerate(wrapped(text, 4)):
                say(f"{'    ' if number else '  '}{line}")
    for hint in filter(None, hints):
        say(f"hint: {hint}")


def size(count: float) -> str:
    """Return a number of bytes in decimal units: ``7.9 MB``."""
    amount = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if abs(amount) < 999.5 or unit == "GB":
            digits = 0 if unit == "bytes" or abs(amount) >= 99.95 else 1
            return f"{amount:.{digits}f} {unit}"
        amount /= 1000
    raise AssertionError("the last unit returns")


def notes(found: Iterable[Finding]) -> None:
    """Print the warnings and notes, each once with all its subjects, and each hint once."""
    by_message: dict[tuple[str, str], list[str]] = {}
    hints = dict[str, None]()
    for finding in sorted(found, key=lambda item: item.severity, reverse=True):  # warnings before notes
        if finding.severity != "error":
            message = f"{finding.message}   {finding.code}"
            by_message.setdefault((finding.severity, message), []).append(finding.subject)
            hints[finding.hint] = None
    for (severity, message), subjects in by_message.items():
        labelled(severity, f"{_joined(subjects)}: {message}")
    for hint in filter(None, hints):
        say(f"hint: {hint}")


def _joined(subjects: Sequence[str]) -> str:
    """Join subjects; targets of one profile share its name."""
    profile = subjects[0].partition("/")[0]
    if len(subjects) == 1 or any(not subject.startswith(f"{profile}/") for subject in subjects):
        return ", ".join(subjects)
    return f"{profile}: " + ", ".join(subject.removeprefix(f"{profile}/") for subject in subjects)


def _are(subjects: Sequence[str]) -> str:
    return "is" if len(subjects) == 1 else "are"


def envelope(command: str, status: str, data: object, errors: Sequence[EnvsmithError] = ()) -> None:
    """Print the JSON envelope of a command."""
    values = {
        "schema_version": SCHEMA_VERSION,
        "command": command,
        "status": status,
        "data": data,
        "errors": [error.to_json() for error in errors],
    }
    document(json.dumps(values, indent=2, ensure_ascii=True) + "\n")


def error(problem: EnvsmithError, *, command: str, as_json: bool) -> None:
    """Print an error to standard error, or as the JSON envelope."""
    if as_json:
        envelope(command, "no" if problem.exit_code == 1 else "failed", None, [problem])
        return
    _error_lines(problem, [problem.where], indent="", shown=set())
    if problem.hint:
        _hint(problem.hint, indent="")


def _error_lines(problem: EnvsmithError, places: list[str], indent: str, shown: set[tuple[str, str]]) -> None:
    """Print an error and its parts, without the details and hints that an earlier part has printed."""
    head = wrapped(f"error {problem.code}: {problem.message}", len(indent) + 2)
    _print(f"{indent}{_red('error')}{head[0].removeprefix('error')}", err=True)
    for line in head[1:]:
        say(f"{indent}  {line}", err=True)
    for place in filter(None, places):
        _detail("where", user_path(place), indent)
    for label, text in problem.details:
        if (label, text) not in shown:
            _detail(label, text, indent)
    shown.update(problem.details)
    printed: set[tuple[str, str]] = set()
    for part, where in _by_place(problem.parts if len(problem.parts) > 1 else ()):
        _error_lines(part, where, indent + "  ", printed)
        if part.hint and ("hint", part.hint) not in printed:
            _hint(part.hint, indent + "  ")
        printed.add(("hint", part.hint))


def _by_place(parts: Iterable[EnvsmithError]) -> list[tuple[EnvsmithError, list[str]]]:
    """Merge parts that differ only in their place."""
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
    """Print an error of the command line, with the command's help as the hint."""
    place = problem.ctx.command_path if isinstance(problem, click.UsageError) and problem.ctx else "envsmith"
    shown = EnvsmithError("USE001", problem.format_message(), where=place, hint=f"{place} --help")
    error(shown, command=place.removeprefix("envsmith").strip(), as_json=as_json)


def counted(count: int, word: str) -> str:
    """Return ``1 finding``, ``2 findings``."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def findings(found: Sequence[Finding], *, err: bool = False) -> None:
    """Print findings, worst first, each with its fix; consecutive findings with the same fix share the line."""
    from envsmith.model.finding import SEVERITIES  # imported here: slow, and every command prints

    ordered = sorted(found, key=lambda item: SEVERITIES.index(item.severity))
    for number, item in enumerate(ordered):
        lines = [line for part in item.message.splitlines() for line in wrapped(part, _FINDING_INDENT)]
        click.echo(f"{_word(item.severity)}{item.code:<8}  {lines[0]}", err=err)
        for line in lines[1:]:
            say(" " * _FINDING_INDENT + line, err=err)
        following = ordered[number + 1].hint if number + 1 < len(ordered) else ""
        if item.hint and item.hint != following:
            for place, line in enumerate(item.hint.splitlines()):
                say(f"        {'fix' if place == 0 else '':<8}  {line}", err=err)


def _word(severity: str) -> str:
    text = f"{severity:<8}"
    colour = _COLOURS.get(severity)
    return click.style(text, fg=colour, bold=True) if colour and terminal.has_colour() else text
