"""Failures: what programs print when they die of their environment, and what helps."""

from __future__ import annotations

import re
from dataclasses import dataclass

from envsmith.catalog.facts import Fact
from envsmith.catalog.tables import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure(Fact):
    """One way to fail."""

    name: str
    pattern: re.Pattern[str]
    cause: str
    cure: str
    asks: tuple[str, ...]
    """What one must know to help: keys of `envsmith report --format json`."""

    def line(self, text: str) -> str:
        """Return the line of a text that it is recognised by; empty where there is none."""
        found = self.pattern.search(text)
        if found is None:
            return ""
        begin = text.rfind("\n", 0, found.start()) + 1
        end = text.find("\n", found.end())
        return " ".join(text[begin : end if end >= 0 else len(text)].split())


def read(row: Row) -> Failure:
    """Read a row of failures.toml."""
    return Failure(
        name=row.text("name"),
        pattern=row.read("pattern", _pattern),
        cause=row.text("cause"),
        cure=row.text("cure"),
        asks=row.each("asks", str),
        **row.origin(),
    )


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise ValueError(str(error)) from error
