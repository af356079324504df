"""Text of the TOML files of a lock: equal values give equal bytes, in the form that tomlkit has.

tomlkit takes longer for the files of a profile than the resolver for its answer.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from json import dumps

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def lines(values: Mapping[str, object], spread: Collection[str] = ()) -> str:
    """Return one line per key.

    Args:
        values: texts, numbers, booleans, times, and lists and mappings of them.
        spread: keys whose lists get a line per item.
    """
    return "".join(
        f"{_key(key)} = {_spread(value) if key in spread and isinstance(value, list) else inline(value)}\n"
        for key, value in values.items()
    )


def table(name: str, values: Mapping[str, object], spread: Collection[str] = ()) -> str:
    """Return a table with its header; for one of an array of tables the name is in brackets: ``[packages]``."""
    return f"[{name}]\n{lines(values, spread)}"


def inline(value: object) -> str:
    """Return a value in one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)} = {inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    if time := getattr(value, "isoformat", None):
        return str(time()).replace("+00:00", "Z")
    # The escapes of JSON are those of TOML, but for DEL.
    return dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _spread(items: list[object]) -> str:
    return "[\n" + "".join(f"    {inline(item)},\n" for item in items) + "]" if items else "[]"


def _key(text: str) -> str:
    return text if _BARE.fullmatch(text) else inline(text)
