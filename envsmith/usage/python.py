"""Reads lines of Python, or of what is like it: their numbers, their comments, and code too long to be parsed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from envsmith.usage.collector import Gathered
from envsmith.usage.module_matcher import Names

_NEED = re.compile(r"\b(?:need|requir|depend|wants?\b|must)", re.IGNORECASE)
_CIMPORT = re.compile(r"^\s*(?:from\s+([\w.]+)\s+)?cimport\s+([\w.]+)")


def lines_of(text: str) -> list[str]:
    """Part a text at Python's own line ends: str.splitlines knows more of them, and would count other lines."""
    return _plain_ends(text).split("\n")


def _plain_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def lines_with(words: Iterable[str], text: str) -> list[int]:
    """Return the numbers of the lines in which one of some words stands, in their order."""
    text = _plain_ends(text)
    numbers: list[int] = []
    number, place = 1, 0
    for offset in sorted(offset for word in words for offset in _offsets(word, text)):
        number += text.count("\n", place, offset)
        place = offset
        numbers.append(number)
    return list(dict.fromkeys(numbers))


def _offsets(word: str, text: str) -> Iterator[int]:
    offset = text.find(word)
    while offset >= 0:
        yield offset
        offset = text.find(word, offset + 1)


def read_comments(lines: list[str], numbers: Iterable[int], names: Names, gathered: Gathered) -> None:
    """Note the comments that claim a need of a sought module, among lines in which one is named."""
    for number in numbers:
        _, mark, comment = lines[number - 1].partition("#")
        for module in names.by_word(comment) if mark and _NEED.search(comment) else ():
            gathered.leftover(module, number, "comment", lines[number - 1])


def read_long(text: str, names: Names, gathered: Gathered) -> None:
    """Note what the lines of a text import or name: of code too long, or of another language, to be parsed."""
    lines = lines_of(text)
    numbers = lines_with(names.words, text)
    for number in numbers:
        code = lines[number - 1].partition("#")[0]
        match = _CIMPORT.match(code)
        candidates = [*(module for module, _ in names.in_code(code)), *(match.groups("") if match else ())]
        found = [module for module in dict.fromkeys(candidates) if names.means(module)]
        for module in found:
            gathered.use(module, number, "import", "certain")
        for word in () if found else names.in_words(code):
            gathered.use(word[0], number, "text", "string")
    read_comments(lines, numbers, names, gathered)
