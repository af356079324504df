"""Which known failures the output of a program tells of."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envsmith.catalog import Catalog
from envsmith.model.finding import Finding

MOST_CHARACTERS = 400
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
GENERAL = ("undefined-symbol",)
"""Rows that say nothing where a more particular one has told of the same line."""


def explain(text: str, catalog: Catalog) -> Iterator[Finding]:
    """Recognise known failures.

    Args:
        text: what the program printed last.
        catalog: the failures that are known.

    Yields:
        One finding for each, with the line it was recognised by, its cause, and what helps.
    """
    text = _COLOURS.sub("", text)
    told: set[str] = set()
    for row in catalog.failures():
        line = row.line(text)
        if not line or (row.name in GENERAL and line in told):
            continue
        told.add(line)
        shown = line if len(line) <= MOST_CHARACTERS else f"{line[:MOST_CHARACTERS]}…"
        yield Finding(
            code="HST050",
            severity="error",
            subject=row.name,
            message=f"{row.cause}\nseen: {shown}\nsource: {row.source} ({row.retrieved})",
            hint=row.cure,
        )
