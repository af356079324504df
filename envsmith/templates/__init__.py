"""Reads the texts that lie in the package's folder ``templates``."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent.parent / "templates"


def read_template(name: str) -> str:
    """Return the text of a template by its file's name."""
    return (_FOLDER / name).read_text("utf-8")
