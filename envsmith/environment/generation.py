"""Generations: verified environments and their records.

`envsmith rollback` imports this module: it stays quick to import.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

_FORMAT_VERSION = 1
RECORD = "envsmith.json"
"""Record in the root of a verified generation; a folder without it is incomplete."""
CONSTRAINTS = "envsmith-constraints.txt"
"""Pins of the torch family in the root of a generation, for PIP_CONSTRAINT and UV_CONSTRAINT."""
FAILED = "envsmith-failed"
"""Empty file in the root of a generation that failed its verification, and is kept for inspection."""
FOLDER = "g"
"""Folder of the generations; this name and their ids are short, because Windows limits the length of paths."""
_OLD_FOLDER = "generations"
FOLDERS = (FOLDER, _OLD_FOLDER)
"""All folders of generations; the second is the one of earlier versions."""
_ID = re.compile(r"[0-9a-f]{6}")
# Of earlier versions: PROFILE-DIGEST, numbered if that was taken.
_OLD_ID = re.compile(r"[a-z0-9][a-z0-9._-]*-[0-9a-f]{6}(?:-\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """A verified environment."""

    id: str
    """Name of its folder: ``7c1e2a``, or ``cu128-7c1e2a`` if an earlier version built it."""
    profile: str
    target: str
    """Slug of the target."""
    lock_sha256: str
    """Of the requirements file it was built from."""
    torch: str
    """Pinned version of torch; empty without torch."""
    python: str
    """``3.11.7``."""
    base: str
    """Folder of the interpreter's standard library."""
    folders: tuple[str, ...]
    """Names of the ``.dist-info`` folders when it was verified, sorted."""
    site: str
    """Its ``site-packages``, relative to its root."""
    files: int
    built_utc: str
    family: Mapping[str, str]
    """Torch-family project → version."""
    guard: bool = True
    """Whether it contains constraints for its torch family."""
    tried: tuple[str, ...] = ()
    """The smoke tests of its profile that it passed: ``import torch``, ``run pytest``."""
    compiled: bool = False
    """Whether its modules were compiled."""
    place: str = ""
    """Its folder, whose Python its programs start; empty in old records."""

    def to_json(self) -> str:
        """Return the record as JSON."""
        return json.dumps({"form": _FORMAT_VERSION, **asdict(self)}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Generation:
        """Parse a record.

        Raises:
            ValueError: when it is malformed, or of another format version.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            if values.pop("form") != _FORMAT_VERSION:
                raise ValueError("another format version")
            values["folders"] = tuple(values["folders"])
            values["tried"] = tuple(values.get("tried", ()))
            return _checked(cls(**values))
        except (TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ValueError("malformed record of a generation") from error


def _checked(found: Generation) -> Generation:
    """Return a record unchanged; raise `TypeError` for values of other types: the file may come with a project."""
    texts = [*found.folders, *found.tried, *found.family, *found.family.values()]
    texts += [getattr(found, name) for name, kind in Generation.__annotations__.items() if kind == "str"]
    if not isinstance(found.files, int) or any("\0" in str.__str__(text) for text in texts):
        raise TypeError("invalid value")
    return found


def is_id(text: str) -> bool:
    """Return whether a text is a valid id of a generation."""
    return folder_of(text) != ""


def folder_of(id_: str) -> str:
    """Return the name of the folder of a generation, by the form of its id; empty for any other text."""
    if _ID.fullmatch(id_):
        return FOLDER
    return _OLD_FOLDER if _OLD_ID.fullmatch(id_) else ""
