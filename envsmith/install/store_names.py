"""Names of what is kept for looking into, or aside: told from those of generations, whatever a profile is called."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from envsmith.environment.model import RECORD
from envsmith.install.adapters_links import is_there
from envsmith.model.naming import free_name

_STAMP = r"\d{8}T\d{6}Z"
_FAILED = "-failed-"
# A profile's name has no capitals, so no generation's name ends like this.
_IS_FAILED = re.compile(rf".+{_FAILED}{_STAMP}")


def free_aside(folder: Path, link: str) -> str:
    """Return the name under which what stood in a link's place can be kept: nothing has it yet.

    Args:
        folder: where such things are kept.
        link: the name that it had.
    """
    return free_name(f"{link}-{_now()}", lambda name: is_there(folder / name))


def asides_in(folder: Path, link: str) -> tuple[Path, ...]:
    """Return what stood in a link's place and is kept, oldest first."""
    form = re.compile(rf"{re.escape(link)}-{_STAMP}(-\d+)?")
    found = folder.iterdir() if folder.is_dir() else ()
    return tuple(sorted(path for path in found if form.fullmatch(path.name)))


def failed_name(id_: str) -> str:
    """Return the name under which a generation is kept that was not proved."""
    return f"{id_}{_FAILED}{_now()}"


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


def is_half_built(path: Path) -> bool:
    """Tell whether a folder is a generation that nobody has proved, and that is not kept for looking into."""
    return not is_failed(path.name) and path.is_dir() and not (path / RECORD).exists()


def _now() -> str:
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
