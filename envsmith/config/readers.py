"""Readers of TOML values: parse, describe as JSON Schema, and collect all problems with their places."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from envsmith.config.positions import KeyPath, TomlDocument
from envsmith.errors import ProfileError
from envsmith.model.naming import suggestion

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_CONTROL_ECMA = r"\u0000-\u001f\u007f-\u009f"
# An absolute path, a drive, or a parent folder, with the separators of any system.
_OUTSIDE = re.compile(r"^[/\\]|^[^/\\]*:|(?:^|[/\\])\.\.(?:[/\\]|$)")
_NAMED_GROUP = re.compile(r"\(\?P<\w+>")
# Inline flags, Python's own groups and anchors, atomic groups and possessive quantifiers.
_PYTHON_ONLY = re.compile(r"\(\?[aiLmsuxP>(]|\\[AZ]|[*+?}]\+")
_KINDS = {
    str: "a text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "a table",
}


class Problems:
    """Collector of errors: reading continues, and all are reported at once."""

    def __init__(self) -> None:
        self._found: list[ProfileError] = []

    def add(self, error: ProfileError) -> None:
        """Add an error; if it has parts, add the parts."""
        self._found.extend(part for part in error.parts if isinstance(part, ProfileError))
        if not error.parts:
            self._found.append(error)

    @contextmanager
    def collecting(self, place: str = "") -> Iterator[None]:
        """Add an error raised inside instead of propagating it.

        Args:
            place: prefix of the error's own place.
        """
        try:
            yield
        except ProfileError as error:
            if place and not error.parts:
                error.at(place)
            self.add(error)

    def raise_if_any(self) -> None:
        """Raise the collected errors.

        Raises:
            ProfileError: when there is a problem: ``parts`` are the single problems, in order; the error itself is
                the only one, or PRF002 with their number.
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
            hint="each problem is listed with its place and hint",
            parts=parts,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """The place of a value in a TOML text."""

    text: TomlDocument
    problems: Problems
    path: KeyPath = ()

    def at(self, key: str | int) -> Location:
        """Return the place of a key or list position inside."""
        return Location(text=self.text, problems=self.problems, path=(*self.path, key))

    @property
    def where(self) -> str:
        """The place in the form of messages."""
        return self.text.where(self.path)

    def problem(self, code: str, message: str, hint: str) -> None:
        """Add a problem at this place."""
        self.problems.add(ProfileError(code, message, where=self.where, hint=hint))


DRAFT = "http://json-schema.org/draft-07/schema#"
"""Draft of JSON Schema supported by editors: SchemaStore requires it (read 2026-11-30)."""
T = TypeVar("T")
Schema = Mapping[str, object]
"""A part of a JSON Schema, draft 7."""


@dataclass(frozen=True, slots=True)
class Reader(Generic[T]):
    """Reads one kind of TOML value, and describes it as JSON Schema."""

    read: Callable[[object, Location], T | None]
    """Takes a value and its place; returns the result, or None after recording the problem."""
    schema: Schema
    """Accepts the readable values, as far as the form of one value decides."""

    def __call__(self, value: object, location: Location) -> T | None:
        """Read a value."""
        return self.read(value, location)


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a table: its reader, and its description for people and editors."""

    reader: Reader[Any]
    description: str
    default: object = None
    """The value without the key; None if there is none."""
    examples: tuple[str, ...] = ()

    def to_schema(self) -> dict[str, object]:
        """Return the schema of the key's value."""
        schema = {"description": self.description, **self.reader.schema}
        if self.default is not None:
            schema["default"] = self.default
        if self.examples:
            is_list = schema.get("type") == "array"
            schema["examples"] = [list(self.examples)] if is_list else list(self.examples)
        return schema


def type_name(value: object) -> str:
    """Name the kind of a TOML value: ``a text``, ``a list``."""
    return _KINDS.get(type(value), "a date or time")


def _text(value: object, location: Location) -> str | None:
    if not isinstance(value, str):
        location.problem("PRF004", f"must be a text, not {type_name(value)}", 'put it in quotes: "..."')
    elif _CONTROL.search(value):
        location.problem("PRF005", f"{value!r} has a line break or control character", "write it on one line")
    elif not value.strip():
        location.problem("PRF005", "is empty", "remove the key, or give it a value")
    else:
        return value
    return None


def _flag(value: object, location: Location) -> bool | None:
    if isinstance(value, bool):
        return value
    location.problem("PRF004", f"must be true or false, not {type_name(value)}", "write it without quotes")
    return None


text: Reader[str] = Reader(
    _text, {"type": "string", "pattern": f"^[^{_CONTROL_ECMA}]*[^{_CONTROL_ECMA}\\s][^{_CONTROL_ECMA}]*$"}
)
"""Reads one line of text without control characters."""
flag: Reader[bool] = Reader(_flag, {"type": "boolean"})
"""Reads true or false."""


def choice(*options: str) -> Reader[str]:
    """Return a reader of one word out of some."""

    def read(value: object, location: Location) -> str | None:
        if isinstance(value, str) and value in options:
            return value
        shown = repr(value) if isinstance(value, str) else type_name(value)
        location.problem("PRF005", f"{shown} is not allowed here", f"use one of: {', '.join(options)}")
        return None

    return Reader(read, {"enum": list(options)})


def parsed(parse: Callable[[str], T], schema: Schema | None = None) -> Reader[T]:
    """Return a reader of a text with a syntax of its own.

    Args:
        parse: returns the result; raises ProfileError if the text is malformed.
        schema: accepts the well-formed texts; by default any line of text.
    """

    def read(value: object, location: Location) -> T | None:
        found = text(value, location)
        if found is None:
            return None
        with location.problems.collecting(location.where):
            return parse(found)
        return None

    return Reader(read, schema or text.schema)


def listed(read_item: Reader[T], *, at_least: int = 0) -> Reader[tuple[T, ...]]:
    """Return a reader of a list whose items have one reader."""

    def read(value: object, location: Location) -> tuple[T, ...] | None:
        if not isinstance(value, list):
            location.problem("PRF004", f"must be a list, not {type_name(value)}", "put it in brackets: [...]")
            return None
        if len(value) < at_least:
            location.problem("PRF005", "is empty", "name at least one")
        items = (read_item(item, location.at(number)) for number, item in enumerate(value))
        return tuple(item for item in items if item is not None)

    limit = {"minItems": at_least} if at_least else {}
    return Reader(read, {"type": "array", "items": read_item.schema, **limit})


def table(value: object, location: Location) -> Mapping[str, object] | None:
    """Read a table unchanged."""
    if isinstance(value, Mapping):
        return value
    location.problem("PRF004", f"must be a table, not {type_name(value)}", "write it as { key = value }")
    return None


def fields(value: object, location: Location, keys: Mapping[str, Key]) -> dict[str, object]:
    """Read a table with known keys; unknown keys are problems, and missing ones stay missing."""
    found: dict[str, object] = {}
    for key, item in (table(value, location) or {}).items():
        inside = location.at(key)
        if key not in keys:
            inside.problem("PRF003", f"unknown key {key!r}", suggestion(key, keys))
            continue
        result = keys[key].reader(item, inside)
        if result is not None:
            found[key] = result
    return found


def fields_schema(keys: Mapping[str, Key], **more: object) -> dict[str, object]:
    """Return the schema of a table that `fields` reads.

    Args:
        keys: the keys of the table.
        more: further rules, such as ``required``.
    """
    properties = {name: key.to_schema() for name, key in keys.items()}
    return {"type": "object", "properties": properties, "additionalProperties": False, **more}


def table_schema(values: Schema, names: Schema | None = None) -> dict[str, object]:
    """Return the schema of a table with free keys.

    Args:
        values: accepts each value.
        names: accepts each key; by default any.
    """
    limit = {"propertyNames": names} if names else {}
    return {"type": "object", "additionalProperties": values, **limit}


def schema_json(schema: Schema) -> str:
    """Return a schema as the text of its file; ASCII, so that every terminal and editor reads it alike."""
    return json.dumps(schema, indent=2) + "\n"


def pattern_schema(
    pattern: re.Pattern[str], *, never: re.Pattern[str] | None = None, **more: object
) -> dict[str, object]:
    """Return the schema of texts that a regular expression matches as a whole.

    Args:
        pattern: of the whole text.
        never: must not occur in the text.
        more: further rules, such as ``maxLength``.
    """
    more |= {"not": {"pattern": _ecma(never)}} if never else {}
    return {"type": "string", "pattern": f"^(?:{_ecma(pattern)})$", **more}


def _ecma(pattern: re.Pattern[str]) -> str:
    r"""Return a regular expression in JSON Schema's syntax: ECMA-262 has no inline flags, and other named groups.

    Raises:
        ValueError: when the expression uses something that differs between Python and ECMA-262.
    """
    found = _NAMED_GROUP.sub("(?:", pattern.pattern)
    if pattern.flags & (re.IGNORECASE | re.VERBOSE | re.MULTILINE | re.DOTALL) or _PYTHON_ONLY.search(found):
        raise ValueError(f"{pattern.pattern!r} has another meaning in JSON Schema")
    return found


def is_outside(text: str) -> bool:
    """Return whether a relative path leaves its folder, on any system."""
    return _OUTSIDE.search(text) is not None


INSIDE: Schema = {**text.schema, "not": {"pattern": _OUTSIDE.pattern}}
"""Accepts the paths inside the folder."""


def json_value(value: object, location: Location) -> object:
    """Read any value that JSON can represent, as an immutable one."""
    if isinstance(value, list):
        return tuple(json_value(item, location.at(number)) for number, item in enumerate(value))
    if isinstance(value, Mapping):
        return MappingProxyType(
            {key: json_value(item, location.at(key)) for key, item in sorted(value.items())}
        )
    if isinstance(value, (str, int)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    shown = str(value) if isinstance(value, float) else type_name(value)
    location.problem("PRF004", f"must not be {shown}", "use a text, number, true, false, list or table")
    return None
