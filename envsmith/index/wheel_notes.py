"""Notes on wheels, kept by their sha256: what was read once needs no network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from envsmith.errors import ToolError
from envsmith.index.cache import replace_file


class WheelNotes:
    """Notes of one kind.

    Args:
        folder: keeps them.
        kind: which; a part of the files' names.
        form: of what they hold; those of another form are not read.
    """

    def __init__(self, folder: Path, kind: str, form: int) -> None:
        self._folder = folder
        self._kind = kind
        self._form = form

    def read(self, sha256: str) -> Mapping[str, object]:
        """Return what is noted of a wheel; empty where nothing is, or nothing that can be read."""
        try:
            data = json.loads(self._path(sha256).read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return data if isinstance(data, dict) and data.get("form") == self._form else {}

    def write(self, sha256: str, values: Mapping[str, object]) -> None:
        """Note something; where that cannot be written, it is only asked for again."""
        with suppress(ToolError):
            replace_file(self._path(sha256), json.dumps({"form": self._form, **values}).encode())

    def _path(self, sha256: str) -> Path:
        return self._folder / f"{sha256}.{self._kind}.json"
