"""Templates of activation scripts."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent


def read_template(name: str) -> str:
    """Return the text of a template by filename."""
    return (_FOLDER / name).read_text("utf-8")
