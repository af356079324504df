from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.version import Version

from envsmith.catalog.table_reader import Row, date, read_table
from envsmith.errors import CatalogError


def torch(row: Row) -> Version:
    row.origin()
    return row.read("torch", Version)


ORIGIN = 'source = "x"\nretrieved = "2026-11-20"\n'


def table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "releases.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_come_in_their_order(tmp_path: Path) -> None:
    path = table(tmp_path, f'[[r]]\ntorch = "2.9.0"\n{ORIGIN}[[r]]\ntorch = "2.8.0"\n{ORIGIN}')
    assert read_table(path, "r", torch) == (Version("2.9.0"), Version("2.8.0"))


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("torch = [", "releases.toml", "cannot be read"),
        ("[r]\n", "releases.toml", "rows [[r]]"),
        ("r = [1]\n", "releases.toml", "rows [[r]]"),
        ("", "releases.toml", "rows [[r]]"),
        (f'[other]\n[[r]]\ntorch = "2"\n{ORIGIN}', "releases.toml", "rows [[r]]"),
        (f"[[r]]\n{ORIGIN}", "releases.toml: row 1 (x): torch", "is missing"),
        (f'[[r]]\ntorch = "two"\n{ORIGIN}', "releases.toml: row 1 (two): torch", "cannot be read"),
        (f"[[r]]\ntorch = 2\n{ORIGIN}", "releases.toml: row 1 (x): torch", "not a text"),
        (f'[[r]]\ntorch = " "\n{ORIGIN}', "row 1 ( ): torch", "not a text"),
        (f'[[r]]\ntorch = "2"\ndat = 1\n{ORIGIN}', "row 1 (2): dat", "allowed are retrieved, source, torch"),
        ('[[r]]\ntorch = "2"\nretrieved = "2026-11-20"', "row 1 (2): source", "is missing"),
        ('[[r]]\ntorch = "2"\nsource = "x"', "row 1 (2): retrieved", "is missing"),
        ('[[r]]\ntorch = "2"\nsource = "x"\nretrieved = "lately"', "row 1 (2): retrieved", "cannot be read"),
        ('[[r]]\ntorch = "2"\nsource = "x"\nretrieved = "20261120"', "(2): retrieved", "2026-11-20"),
        (f'[[r]]\ntorch = "2"\n{ORIGIN}[[r]]\n{ORIGIN}', "row 2 (x): torch", "is missing"),
        (
            f'[[r]]\ntorch = "2"\n{ORIGIN}[[r]]\ntorch = "2"\nsource = "y"\nretrieved = "2026-11-21"',
            "releases.toml: row 2 (2): torch",
            "same as row 1",
        ),
    ],
)
def test_a_malformed_table_is_named_with_file_and_row(
    tmp_path: Path, text: str, place: str, message: str
) -> None:
    with pytest.raises(CatalogError) as caught:
        read_table(table(tmp_path, text), "r", torch)
    assert caught.value.code == "CAT022"
    assert place in caught.value.where
    assert message in caught.value.message


def test_rows_may_differ_in_their_identity_alone(tmp_path: Path) -> None:
    def value(row: Row) -> tuple[str, str]:
        row.origin()
        return row.text("name"), row.text("kind", "")

    rows = f'[[r]]\nname = "a"\nkind = "x"\n{ORIGIN}[[r]]\nname = "a"\nkind = "y"\n{ORIGIN}'
    path = table(tmp_path, rows)
    assert read_table(path, "r", value) == (("a", "x"), ("a", "y"))
    with pytest.raises(CatalogError, match=r"CAT022: releases\.toml: row 2 \(a\): name: same as row 1"):
        read_table(path, "r", value, ("name",))


def test_a_missing_table_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"CAT022: releases\.toml: cannot be read"):
        read_table(tmp_path / "releases.toml", "r", torch)


def test_values_have_types() -> None:
    row = Row("t.toml: row 1", {"text": "a", "number": 3, "flag": True, "texts": ["a", "b"]})
    assert (row.text("text"), row.number("number"), row.flag("flag")) == ("a", 3, True)
    assert row.each("texts", str.upper) == ("A", "B")
    assert (row.number("none"), row.maybe("none", str), row.each("none", str)) == (None, None, ())
    assert row.text("none", "else") == "else"
    row.close()


@pytest.mark.parametrize(
    "read",
    [
        lambda row: row.number("text"),
        lambda row: row.number("flag"),
        lambda row: row.flag("number"),
        lambda row: row.flag("none"),
        lambda row: row.each("text", str),
        lambda row: row.each("numbers", str),
        lambda row: row.text("flag"),
        lambda row: row.read("text", Version),
        lambda row: row.close(),
    ],
)
def test_values_of_another_type_are_refused(read: Callable[[Row], object]) -> None:
    row = Row("t.toml: row 1", {"text": "a", "number": 3, "flag": True, "numbers": [1]})
    with pytest.raises(CatalogError, match=r"CAT022: t\.toml: row 1: "):
        read(row)


@pytest.mark.parametrize("text", ["2026-13-01", "2026-11-20T00:00", "", "20261120"])
def test_other_things_are_no_day(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        date(text)
