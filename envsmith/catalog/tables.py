"""Tables: read a TOML file of facts row by row, naming file and row where one is malformed."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from envsmith.errors import CatalogError, EnvsmithError

T = TypeVar("T")
_HINT = "envsmith's own tables are tested; reinstall it, or correct the row if you changed it"


class Row:
    """One row while it is read: every value is asked for by name, and what was not asked for is an error.

    Args:
        place: where it stands, ``backends.toml: row 3``.
        values: as TOML gives them.
    """

    def __init__(self, place: str, values: dict[str, object]) -> None:
        self._place = place
        self._values = values
        self._asked: set[str] = set()

    def error(self, key: str, message: str) -> CatalogError:
        """Return the error of one value."""
        return CatalogError("CAT022", message, where=f"{self._place}: {key}", hint=_HINT)

    def has(self, key: str) -> bool:
        """Say whether the row has a value of this name."""
        self._asked.add(key)
        return key in self._values

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text.

        Raises:
            CatalogError: CAT022 when it is missing and has no default, or is empty or no text.
        """
        if not self.has(key) and default is not None:
            return default
        value = self._values.get(key)
        if not isinstance(value, str) or not value.strip():
            raise self.error(key, f"{value!r} is not a text" if value is not None else "is missing")
        return value

    def number(self, key: str) -> int | None:
        """Return a number, None where there is none.

        Raises:
            CatalogError: CAT022 when it is something else.
        """
        value = self._values[key] if self.has(key) else None
        if value is not None and type(value) is not int:
            raise self.error(key, f"{value!r} is not a number")
        return value

    def flag(self, key: str) -> bool:
        """Return true or false.

        Raises:
            CatalogError: CAT022 when it is missing or something else.
        """
        value = self._values[key] if self.has(key) else None
        if not isinstance(value, bool):
            raise self.error(key, f"{value!r} is neither true nor false")
        return value

    def read(self, key: str, parse: Callable[[str], T]) -> T:
        """Return a text parsed.

        Raises:
            CatalogError: CAT022 when it is missing or cannot be parsed.
        """
        return self._parse(key, self.text(key), parse)

    def maybe(self, key: str, parse: Callable[[str], T]) -> T | None:
        """Return a text parsed, None where there is none.

        Raises:
            CatalogError: CAT022 when it cannot be parsed.
        """
        return self.read(key, parse) if self.has(key) else None

    def each(self, key: str, parse: Callable[[str], T]) -> tuple[T, ...]:
        """Return a list of texts, each parsed; empty where there is none.

        Raises:
            CatalogError: CAT022 when it is no list of texts, or one of them cannot be parsed.
        """
        values = self._values[key] if self.has(key) else []
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise self.error(key, f"{values!r} is not a list of texts")
        return tuple(self._parse(key, value, parse) for value in values)

    def origin(self) -> dict[str, str]:
        """Return where and when the row was read: every row of every table has both.

        Raises:
            CatalogError: CAT022 when one is missing, or the date is none.
        """
        return {"source": self.text("source"), "retrieved": self.read("retrieved", date)}

    def close(self) -> None:
        """End the reading of the row.

        Raises:
            CatalogError: CAT022 when it has a value that was not asked for.
        """
        if unknown := sorted(set(self._values) - self._asked):
            raise self.error(unknown[0], f"unknown; allowed are {', '.join(sorted(self._asked))}")

    def _parse(self, key: str, text: str, parse: Callable[[str], T]) -> T:
        try:
            return parse(text)
        # packaging's errors are ValueErrors
        except (ValueError, EnvsmithError) as error:
            raise self.error(key, f"{text!r} cannot be read: {error}") from error


def date(text: str) -> str:
    """Return a day as written, ``2026-11-20``.

    Raises:
        ValueError: when it is none.
    """
    if dt.date.fromisoformat(text).isoformat() != text:
        raise ValueError("not written as 2026-11-20")
    return text


def read_table(path: Path, key: str, build: Callable[[Row], T]) -> tuple[T, ...]:
    """Read the rows ``[[key]]`` of a file, in their order.

    Raises:
        CatalogError: CAT022 when the file is missing or no TOML, holds anything else, or a row is malformed.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CatalogError("CAT022", f"cannot be read: {error}", where=path.name, hint=_HINT) from error
    rows = data.pop(key, None)
    if data or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise CatalogError("CAT022", f"does not consist of rows [[{key}]]", where=path.name, hint=_HINT)
    return tuple(_build(f"{path.name}: row {number}", row, build) for number, row in enumerate(rows, 1))


def _build(place: str, values: dict[str, object], build: Callable[[Row], T]) -> T:
    first = next((value for value in values.values() if isinstance(value, str)), "")
    row = Row(f"{place} ({first})" if first else place, values)
    built = build(row)
    row.close()
    return built
