"""Reader of TOML tables: rows with checked values; errors name the file and the row."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypeVar

from envsmith.errors import CatalogError, EnvsmithError

T = TypeVar("T")
_HINT = "reinstall envsmith, whose own tables are tested; or correct the row if you changed it"
_PROVENANCE = frozenset({"source", "retrieved", "note"})


class Row:
    """One row while it is read: values are read by name, and a value that is never read is an error.

    Args:
        place: file and row, ``backends.toml: row 3``.
        values: as TOML gives them.
    """

    def __init__(self, place: str, values: dict[str, object]) -> None:
        self._place = place
        self._values = values
        self._read: set[str] = set()

    def error(self, key: str, message: str) -> CatalogError:
        """Return the error for one value."""
        return CatalogError("CAT022", message, where=f"{self._place}: {key}", hint=_HINT)

    def has(self, key: str) -> bool:
        """Say whether the row has a value."""
        self._read.add(key)
        return key in self._values

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text.

        Raises:
            CatalogError: CAT022 when it is missing without a default, empty, or not a text.
        """
        if not self.has(key) and default is not None:
            return default
        value = self._values.get(key)
        if not isinstance(value, str) or not value.strip():
            raise self.error(key, f"{value!r} is not a text" if value is not None else "is missing")
        return value

    def number(self, key: str) -> int | None:
        """Return an integer, or None if it is missing.

        Raises:
            CatalogError: CAT022 when it is not an integer.
        """
        value = self._values[key] if self.has(key) else None
        if value is not None and type(value) is not int:
            raise self.error(key, f"{value!r} is not a number")
        return value

    def flag(self, key: str) -> bool:
        """Return a boolean.

        Raises:
            CatalogError: CAT022 when it is missing or not a boolean.
        """
        value = self._values[key] if self.has(key) else None
        if not isinstance(value, bool):
            raise self.error(key, f"{value!r} is neither true nor false")
        return value

    def read(self, key: str, parse: Callable[[str], T]) -> T:
        """Return a parsed text.

        Raises:
            CatalogError: CAT022 when it is missing or cannot be parsed.
        """
        return self._parse(key, self.text(key), parse)

    def maybe(self, key: str, parse: Callable[[str], T]) -> T | None:
        """Return a parsed text, or None if it is missing.

        Raises:
            CatalogError: CAT022 when it cannot be parsed.
        """
        return self.read(key, parse) if self.has(key) else None

    def each(self, key: str, parse: Callable[[str], T]) -> tuple[T, ...]:
        """Return a list of parsed texts, empty if it is missing.

        Raises:
            CatalogError: CAT022 when it is not a list of texts, or one cannot be parsed.
        """
        values = self._values[key] if self.has(key) else []
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise self.error(key, f"{values!r} is not a list of texts")
        return tuple(self._parse(key, value, parse) for value in values)

    def origin(self) -> dict[str, str]:
        """Return source and date of the row, which every row has.

        Raises:
            CatalogError: CAT022 when one is missing, or the date is malformed.
        """
        return {"source": self.text("source"), "retrieved": self.read("retrieved", date)}

    def close(self) -> None:
        """Refuse values that were not read.

        Raises:
            CatalogError: CAT022 when there is one.
        """
        if unknown := sorted(set(self._values) - self._read):
            raise self.error(unknown[0], f"unknown; allowed are {', '.join(sorted(self._read))}")

    def _parse(self, key: str, text: str, parse: Callable[[str], T]) -> T:
        try:
            return parse(text)
        # The errors of packaging are ValueErrors.
        except (ValueError, EnvsmithError) as error:
            raise self.error(key, f"{text!r} cannot be read: {error}") from error


def date(text: str) -> str:
    """Return a date, ``2026-11-20``.

    Raises:
        ValueError: when it is malformed.
    """
    if dt.date.fromisoformat(text).isoformat() != text:
        raise ValueError("not written as 2026-11-20")
    return text


def read_table(
    path: Path, key: str, build: Callable[[Row], T], identity: Collection[str] = ()
) -> tuple[T, ...]:
    """Read the rows ``[[key]]`` of a file, in their order.

    Args:
        path: of the file.
        key: name of its one array of tables.
        build: makes a value of a row.
        identity: columns in which no two rows may be equal; by default all but source, date and note.

    Raises:
        CatalogError: CAT022 when the file is missing or not TOML, contains anything else, or a row is malformed or a
            duplicate.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CatalogError("CAT022", f"cannot be read: {error}", where=path.name, hint=_HINT) from error
    rows = data.pop(key, None)
    if data or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise CatalogError("CAT022", f"does not consist of rows [[{key}]]", where=path.name, hint=_HINT)
    built: list[T] = []
    numbers: dict[str, int] = {}
    for number, values in enumerate(rows, 1):
        row = Row(_place(path, number, values), values)
        built.append(build(row))
        row.close()
        columns = sorted(identity or values.keys() - _PROVENANCE)
        first = numbers.setdefault(repr([(name, values.get(name)) for name in columns]), number)
        if first != number:
            raise row.error(", ".join(columns), f"same as row {first}")
    return tuple(built)


def _place(path: Path, number: int, values: dict[str, object]) -> str:
    first = next((value for value in values.values() if isinstance(value, str)), "")
    return f"{path.name}: row {number}" + (f" ({first})" if first else "")
