"""Generation: one built environment, and what is kept of it beside its files."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

FORM = 1
RECORD = "envsmith.json"
"""Lies in the generation's root from the moment it is proved; a folder without it is half-built."""
CONSTRAINTS = "envsmith-constraints.txt"
"""Lies beside it: the pins of the torch family, for PIP_CONSTRAINT and UV_CONSTRAINT."""
_ID = re.compile(r"[a-z0-9][a-z0-9._-]*-[0-9a-f]{6}(?:-\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One proved environment."""

    id: str
    """Name of its folder: ``cu128-7c1e2a``."""
    profile: str
    target: str
    """Slug of the target."""
    lock_sha256: str
    """Of the requirements file it was built from."""
    torch: str
    """Pinned version of torch; empty where there is none."""
    python: str
    """``3.11.7``."""
    base: str
    """Where the interpreter's standard library lies."""
    folders: tuple[str, ...]
    """Names of the ``.dist-info`` folders it was proved with, sorted."""
    site: str
    """Its ``site-packages``, relative to its root."""
    files: int
    built_utc: str
    family: Mapping[str, str]
    """Torch-family project → version."""
    guard: bool = True
    """Whether it carries the constraints of its torch family."""
    tried: tuple[str, ...] = ()
    """The checks of its profile that it has passed, as `Check.word` writes them."""
    compiled: bool = False
    """Whether its modules were compiled beforehand."""
    place: str = ""
    """Where it was built: its programs start the Python of that place. Empty where that is not on record."""

    def to_json(self) -> str:
        """Write the record."""
        return json.dumps({"form": FORM, **asdict(self)}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Generation:
        """Read a record.

        Raises:
            ValueError: when it is none, or of a later form.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            if values.pop("form") != FORM:
                raise ValueError("of another form")
            values["folders"] = tuple(values["folders"])
            values["tried"] = tuple(values.get("tried", ()))
            return cls(**values)
        except (TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ValueError("no record of a generation") from error


def is_id(text: str) -> bool:
    """Tell whether a text can name a generation."""
    return _ID.fullmatch(text) is not None
