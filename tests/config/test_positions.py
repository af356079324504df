from __future__ import annotations

import pytest

from envsmith.config.positions import TomlDocument, format_path
from envsmith.errors import ProfileError

TEXT = '''# a comment with = and [
a = 1 # = not a key
"b c".'d.e' = """x
 y = 1 ""]"""""
list = [ # first
  "1", # , ]
  {x = 1, y = [1, 2]},
  [
   '}'],
]
[tool."x y"]
when = 1979-05-27T07:32:00Z
[[m]]
n = 1
[[m]]
n = \'\'\'
\'\'\'
[m.sub]
z = 1
[[m.s]]
k = ""
'''


def test_every_key_has_its_line() -> None:
    lines = TomlDocument.parse(TEXT, "x.toml").lines
    assert {format_path(path): line for path, line in lines.items()} == {
        "a": 2,
        "'b c'": 3,
        "'b c'.'d.e'": 3,
        "list": 5,
        "list[0]": 6,
        "list[1]": 7,
        "list[1].x": 7,
        "list[1].y": 7,
        "list[1].y[0]": 7,
        "list[1].y[1]": 7,
        "list[2]": 8,
        "list[2][0]": 9,
        "tool": 11,
        "tool.'x y'": 11,
        "tool.'x y'.when": 12,
        "m": 13,
        "m[0]": 13,
        "m[0].n": 14,
        "m[1]": 15,
        "m[1].n": 16,
        "m[1].sub": 18,
        "m[1].sub.z": 19,
        "m[1].s": 20,
        "m[1].s[0]": 20,
        "m[1].s[0].k": 21,
    }


def test_windows_line_ends_count_once() -> None:
    assert TomlDocument.parse("a = 1\r\n\r\nb = 2\r\n", "x.toml").lines["b",] == 3


def test_the_place_of_what_stands_nowhere_is_that_of_what_holds_it() -> None:
    text = TomlDocument.parse("a = 1\nb = {c = 1}\n", "x.toml")
    assert text.where(("b", "missing", 0)) == "x.toml:2: b.missing[0]"
    assert text.where(("nowhere",)) == "x.toml: nowhere"
    assert text.where(()) == "x.toml"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a = 1\nb =", "x.toml:2"),
        ("a = 1\n\nb = [1,\n", "x.toml:4"),
        ('a = "\n"', "x.toml:1"),
        ("a = 1\na = 2", "x.toml:2"),
        ("[a]\n[a]", "x.toml:2"),
        ("a = 2026-13-01", "x.toml:1"),
        ("x = " + "[" * 100_000, "x.toml"),
        ("x = " + "[" * 400 + "]" * 400, "x.toml"),
        (".".join("x" * 400) + " = 1", "x.toml"),
        ("[" + ".".join("x" * 400) + "]", "x.toml"),
        ("x = " + "1" * 5000, "x.toml"),
        ("\0", "x.toml:1"),
    ],
)
def test_what_is_not_toml(text: str, place: str) -> None:
    with pytest.raises(ProfileError) as caught:
        TomlDocument.parse(text, "x.toml")
    assert (caught.value.code, caught.value.where) == ("PRF001", place)
    assert caught.value.hint
    assert "at line" not in caught.value.message
