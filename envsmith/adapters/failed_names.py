"""Names of what is kept for looking into, or aside: told from those of generations, whatever a profile is called."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

_FAILED = "-failed-"
# A profile's name has no capitals, so no generation's name ends like this.
_IS_FAILED = re.compile(rf".+{_FAILED}\d{{8}}T\d{{6}}Z")


def stamp() -> str:
    """Return the time as it stands in names, UTC."""
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")


def failed_name(id_: str) -> str:
    """Return the name under which a generation is kept that was not proved."""
    return f"{id_}{_FAILED}{stamp()}"


def failed_in(folder: Path, id_: str = "*") -> tuple[Path, ...]:
    """Return what is kept for looking into, sorted.

    Args:
        folder: where generations lie.
        id_: of which generation; by default of all.
    """
    found = folder.glob(f"{id_}{_FAILED}*")
    return tuple(sorted(path for path in found if is_failed(path.name)))


def is_failed(name: str) -> bool:
    """Tell whether a name is that of one that was not proved."""
    return _IS_FAILED.fullmatch(name) is not None
