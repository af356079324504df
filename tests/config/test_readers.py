from __future__ import annotations

from collections.abc import Callable

import pytest

from envsmith.config import readers
from envsmith.config.positions import TomlDocument
from envsmith.config.readers import Location, Problems
from envsmith.errors import ProfileError


def read(reader: Callable[[object, Location], object], text: str) -> tuple[object, list[str]]:
    """Read the value of ``a``; give it with the codes and places of the problems."""
    document = TomlDocument.parse(text, "x.toml")
    problems = Problems()
    value = reader(document.data["a"], Location(text=document, problems=problems, path=("a",)))
    found: list[str] = []
    try:
        problems.raise_if_any()
    except ProfileError as error:
        found = [f"{part.code} {part.where}{'' if part.hint else ' without hint'}" for part in error.parts]
    return value, found


def test_text() -> None:
    assert read(readers.text, "a = 'é b'") == ("é b", [])
    for wrong in ("1", "true", "[]", "{}", "1979-05-27"):
        assert read(readers.text, f"a = {wrong}") == (None, ["PRF004 x.toml:1: a"])
    for wrong in ('"a\\nb"', '"\\u007f"', '"\\u0085"', '" "'):
        assert read(readers.text, f"a = {wrong}") == (None, ["PRF005 x.toml:1: a"])


def test_choice() -> None:
    reader = readers.choice("x", "y")
    assert read(reader, "a = 'y'") == ("y", [])
    assert read(reader, "a = 'z'") == (None, ["PRF005 x.toml:1: a"])
    assert read(reader, "a = 1") == (None, ["PRF005 x.toml:1: a"])


def test_lists_keep_what_is_good_and_name_what_is_not() -> None:
    reader = readers.listed(readers.text, at_least=1)
    assert read(reader, "a = ['x', 1, 'y',\n 2]") == (
        ("x", "y"),
        ["PRF004 x.toml:1: a[1]", "PRF004 x.toml:2: a[3]"],
    )
    assert read(reader, "a = []") == ((), ["PRF005 x.toml:1: a"])


def test_anything_becomes_unchangeable() -> None:
    value, problems = read(readers.json_value, "a = {c = [1, {d = 'x'}], b = 1.5}")
    assert problems == []
    assert isinstance(value, type(type.__dict__))
    assert value == {"b": 1.5, "c": (1, {"d": "x"})}
    assert list(value) == ["b", "c"]


@pytest.mark.parametrize("wrong", ["nan", "inf", "1979-05-27", "07:32:00"])
def test_anything_is_not_what_json_lacks(wrong: str) -> None:
    assert read(readers.json_value, f"a = [{wrong}]")[1] == ["PRF004 x.toml:1: a[0]"]


@pytest.mark.parametrize(
    ("value", "name"),
    [("x", "a text"), (True, "true or false"), (1, "a number"), ([], "a list"), ({}, "a table")],
)
def test_kinds(value: object, name: str) -> None:
    assert readers.type_name(value) == name
