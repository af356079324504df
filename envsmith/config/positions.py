"""TOML text with the line of every key, for places in error messages."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from envsmith.errors import ProfileError

KeyPath = tuple[str | int, ...]
"""Keys and list positions from the root: ``("python", 0)``."""

_DEEPEST = 50
# Keys that TOML allows without quotes.
_BARE = re.compile(r"[A-Za-z0-9_-]+")
# End of tomllib's messages.
_AT_LINE = re.compile(r" ?\(at line (\d+), column \d+\)")
# The scanner's tokens, for texts that tomllib has accepted: white space with comments, dotted keys, strings, and
# values without structure.
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(r"""(?:"(?:\\.|[^"\\\n])*"|'[^'\n]*'|[A-Za-z0-9_\-. \t])+""")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:""|")?'
    r"|'''.*?'''(?:''|')?"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'",
    re.DOTALL,
)
_PLAIN = re.compile(r"[^,\]}#\n]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class TomlDocument:
    """A parsed TOML text with the lines of its keys."""

    place: str
    """File name for messages."""
    data: Mapping[str, object]
    lines: Mapping[KeyPath, int] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def parse(cls, text: str, place: str) -> TomlDocument:
        """Parse a TOML text.

        Raises:
            ProfileError: PRF001 when the text is not TOML, with the line.
        """
        try:
            data = tomllib.loads(text)
            lines = _Scanner(text.replace("\r\n", "\n")).lines()
        except (ValueError, RecursionError) as error:
            raise _not_toml(text, place, error) from error
        return cls(place=place, data=MappingProxyType(data), lines=MappingProxyType(lines))

    def where(self, path: KeyPath) -> str:
        """Return the place of a key: ``profiles/x.toml:7: python[0]``.

        Falls back to the line of the nearest parent.
        """
        for length in range(len(path), 0, -1):
            if line := self.lines.get(path[:length]):
                return f"{self.place}:{line}: {format_path(path)}"
        return f"{self.place}: {format_path(path)}" if path else self.place


def format_path(path: KeyPath) -> str:
    """Format a path for people: ``tool.envsmith.python[0]``, with quotes where TOML needs them."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if _BARE.fullmatch(part) else repr(part))
    return text


def _not_toml(text: str, place: str, error: Exception) -> ProfileError:
    if isinstance(error, RecursionError):
        return ProfileError("PRF001", "nested too deeply", where=place, hint="write it flatter")
    message = str(error)
    at = _AT_LINE.search(message)
    line = int(at[1]) if at else text.count("\n") + 1 if "end of document" in message else 0
    reason = _AT_LINE.sub("", message)
    return ProfileError(
        "PRF001",
        f"not TOML: {reason}",
        where=f"{place}:{line}" if line else place,
        hint="correct the line: texts need quotes, lists need [ ]",
    )


def _deeper(path: KeyPath, part: str | int) -> KeyPath:
    if len(path) == _DEEPEST:
        raise RecursionError
    return (*path, part)


class _Scanner:
    """Scans a text that tomllib accepted, and records the line of each key and list item."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._breaks = [found.start() for found in re.finditer("\n", text)]
        self._lines: dict[KeyPath, int] = {}

    def lines(self) -> dict[KeyPath, int]:
        counts: dict[KeyPath, int] = {}
        table: KeyPath = ()
        self._blank()
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header(counts)
            else:
                self._pair(table)
            self._blank()
        return self._lines

    def _header(self, counts: dict[KeyPath, int]) -> KeyPath:
        line = self._line()
        double = self._text.startswith("[[", self._at)
        self._at += 2 if double else 1
        path = self._inside_arrays(tuple(self._key()), counts)
        self._at = self._text.index("]", self._at) + (2 if double else 1)
        for length in range(1, len(path) + 1):
            self._lines.setdefault(path[:length], line)
        if double:
            counts[path] = counts.get(path, -1) + 1
            path = (*path, counts[path])
            self._lines[path] = line
        return path

    @staticmethod
    def _inside_arrays(keys: tuple[str, ...], counts: Mapping[KeyPath, int]) -> KeyPath:
        """Insert the position of the newest table after each array of tables on the path."""
        path: KeyPath = ()
        for number, key in enumerate(keys):
            path = _deeper(path, key)
            if path in counts and number < len(keys) - 1:
                path = (*path, counts[path])
        return path

    def _pair(self, table: KeyPath) -> None:
        line = self._line()
        path = table
        for key in self._key():
            path = _deeper(path, key)
            self._lines.setdefault(path, line)
        self._at = self._text.index("=", self._at) + 1
        self._blank()
        self._value(path)

    def _key(self) -> Iterator[str]:
        match = _KEY.match(self._text, self._at)
        if match is None:  # tomllib accepted the text, so this is a bug of the scanner
            raise ValueError("a key could not be read")
        self._at = match.end()
        node: object = tomllib.loads(f"{match[0].strip()} = 0")
        while isinstance(node, dict):
            key, node = next(iter(node.items()))
            yield key

    def _value(self, path: KeyPath) -> None:
        opening = self._text[self._at : self._at + 1]
        if opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline_table(path)
        else:
            match = _STRING.match(self._text, self._at) or _PLAIN.match(self._text, self._at)
            self._at = match.end() if match else self._at

    def _array(self, path: KeyPath) -> None:
        self._at += 1
        position = 0
        self._blank()
        while self._text[self._at] != "]":
            inside = _deeper(path, position)
            self._lines[inside] = self._line()
            self._value(inside)
            position += 1
            self._separator()
        self._at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        self._blank()
        while self._text[self._at] != "}":
            self._pair(path)
            self._separator()
        self._at += 1

    def _separator(self) -> None:
        self._blank()
        if self._text[self._at] == ",":
            self._at += 1
            self._blank()

    def _blank(self) -> None:
        match = _BLANK.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _line(self) -> int:
        return bisect_right(self._breaks, self._at) + 1
