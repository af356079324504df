"""Problems: what is wrong with what people wrote, gathered so that all of it is reported at once.

Readers of single TOML values: each says what is wrong with a value, at its place, and goes on.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType

from envsmith.config.positions import KeyPath, TomlDocument
from envsmith.errors import ProfileError
from envsmith.model.naming import suggestion

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_KINDS = {
    str: "a text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "a table",
}


class Problems:
    """Gathers errors while the reading goes on."""

    def __init__(self) -> None:
        self._found: list[ProfileError] = []

    def add(self, error: ProfileError) -> None:
        """Note an error; of an error that has parts, the parts."""
        self._found.extend(part for part in error.parts if isinstance(part, ProfileError))
        if not error.parts:
            self._found.append(error)

    @contextmanager
    def gathering(self, place: str = "") -> Iterator[None]:
        """Note an error raised inside instead of letting it climb.

        Args:
            place: put before the error's own place.
        """
        try:
            yield
        except ProfileError as error:
            if place and not error.parts:
                error.at(place)
            self.add(error)

    def raise_if_any(self) -> None:
        """Report what was gathered.

        Raises:
            ProfileError: when there is a problem: its ``parts`` are the single problems, in the order found;
                the error itself speaks for the only one, or is PRF002 and gives their number.
        """
        if not self._found:
            return
        parts = tuple(self._found)
        if len(parts) == 1:
            only = parts[0]
            raise ProfileError(only.code, only.message, where=only.where, hint=only.hint, parts=parts)
        places = sorted({part.where.partition(":")[0] for part in parts} - {""})
        raise ProfileError(
            "PRF002",
            f"{len(parts)} problems",
            where=", ".join(places),
            hint="each is listed with its place and its own hint",
            parts=parts,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A place in a TOML text where a value is being read."""

    text: TomlDocument
    problems: Problems
    path: KeyPath = ()

    def at(self, key: str | int) -> Location:
        """Return the place of a key or list position inside."""
        return Location(text=self.text, problems=self.problems, path=(*self.path, key))

    @property
    def where(self) -> str:
        """The place as people read it."""
        return self.text.where(self.path)

    def problem(self, code: str, message: str, hint: str) -> None:
        """Note a problem here."""
        self.problems.add(ProfileError(code, message, where=self.where, hint=hint))


Reader = Callable[[object, Location], object]
"""Takes a value and its place; returns what was read, or None after noting the problem."""


def kind(value: object) -> str:
    """Name the kind of a TOML value: ``a text``, ``a list``."""
    return _KINDS.get(type(value), "a date or time")


def text(value: object, spot: Location) -> str | None:
    """Read one line of text without control characters."""
    if not isinstance(value, str):
        spot.problem("PRF004", f"must be a text, not {kind(value)}", 'put it in quotes: "..."')
    elif _CONTROL.search(value):
        spot.problem("PRF005", f"{value!r} has a line break or control character", "write it on one line")
    elif not value.strip():
        spot.problem("PRF005", "is empty", "leave the key out, or give it a value")
    else:
        return value
    return None


def flag(value: object, spot: Location) -> bool | None:
    """Read true or false."""
    if isinstance(value, bool):
        return value
    spot.problem("PRF004", f"must be true or false, not {kind(value)}", "write it without quotes")
    return None


def choice(*options: str) -> Reader:
    """Return a reader of one word out of some."""

    def read(value: object, spot: Location) -> str | None:
        if isinstance(value, str) and value in options:
            return value
        shown = repr(value) if isinstance(value, str) else kind(value)
        spot.problem("PRF005", f"{shown} is not allowed here", f"use one of: {', '.join(options)}")
        return None

    return read


def parsed(parse: Callable[[str], object]) -> Reader:
    """Return a reader of a text with a form of its own; ``parse`` raises ProfileError."""

    def read(value: object, spot: Location) -> object:
        found = text(value, spot)
        if found is None:
            return None
        with spot.problems.gathering(spot.where):
            return parse(found)
        return None

    return read


def listed(read_item: Reader, *, at_least: int = 0) -> Reader:
    """Return a reader of a list, all of whose items are read by one reader."""

    def read(value: object, spot: Location) -> tuple[object, ...] | None:
        if not isinstance(value, list):
            spot.problem("PRF004", f"must be a list, not {kind(value)}", "put it in brackets: [...]")
            return None
        if len(value) < at_least:
            spot.problem("PRF005", "is empty", "name at least one")
        items = (read_item(item, spot.at(number)) for number, item in enumerate(value))
        return tuple(item for item in items if item is not None)

    return read


def table(value: object, spot: Location) -> Mapping[str, object] | None:
    """Read a table as it is."""
    if isinstance(value, Mapping):
        return value
    spot.problem("PRF004", f"must be a table, not {kind(value)}", "write it as { key = value }")
    return None


def fields(value: object, spot: Location, readers: Mapping[str, Reader]) -> dict[str, object]:
    """Read a table whose keys are known; unknown keys are problems, and missing ones stay missing."""
    found: dict[str, object] = {}
    for key, item in (table(value, spot) or {}).items():
        inside = spot.at(key)
        if key not in readers:
            inside.problem("PRF003", f"unknown key {key!r}", suggestion(key, readers))
            continue
        result = readers[key](item, inside)
        if result is not None:
            found[key] = result
    return found


def anything(value: object, spot: Location) -> object:
    """Read any value that JSON could carry too, made unchangeable."""
    if isinstance(value, list):
        return tuple(anything(item, spot.at(number)) for number, item in enumerate(value))
    if isinstance(value, Mapping):
        return MappingProxyType({key: anything(item, spot.at(key)) for key, item in sorted(value.items())})
    if isinstance(value, (str, int)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    shown = str(value) if isinstance(value, float) else kind(value)
    spot.problem("PRF004", f"must not be {shown}", "use a text, number, true, false, list or table")
    return None


def table_of_anything(value: object, spot: Location) -> object:
    """Read a table of values that JSON could carry too."""
    return None if table(value, spot) is None else anything(value, spot)
