"""Sizes of wheels, for indexes without published sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from packaging.utils import parse_wheel_filename

from envsmith.catalog.facts import Fact
from envsmith.catalog.table_reader import Row, read_table

_TABLE = Path(__file__).parent / "sizes.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes(Fact):
    """The known sizes of wheels of one index."""

    index: str
    """``pypi`` or ``pytorch``."""
    files: Mapping[str, int]
    """Filename → bytes."""


def read_sizes(path: Path = _TABLE) -> tuple[Sizes, ...]:
    """Read sizes.toml.

    Raises:
        CatalogError: CAT022 when it is malformed.
    """
    return read_table(path, "size", _row, ("index",))


def size_of(filename: str, index: str) -> int | None:
    """Return the size in bytes of a wheel of ``pypi`` or ``pytorch``, or None if it is unknown."""
    return next(
        (row.files[filename] for row in _rows() if row.index == index and filename in row.files), None
    )


@cache
def _rows() -> tuple[Sizes, ...]:
    return read_sizes()


def _row(row: Row) -> Sizes:
    return Sizes(
        index=row.text("index"), files=MappingProxyType(dict(row.each("files", _file))), **row.origin()
    )


def _file(text: str) -> tuple[str, int]:
    filename, _, size = text.partition(" ")
    parse_wheel_filename(filename)
    if not size.isascii() or not size.isdigit():
        raise ValueError("expected FILENAME BYTES")
    return filename, int(size)
