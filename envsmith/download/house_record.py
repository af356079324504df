"""The record of what a wheelhouse holds, as a file in it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from envsmith.download.part_file import FOLDER, refusals
from envsmith.download.record import FILENAME, Holdings
from envsmith.files.atomic import write_files
from envsmith.files.locks import try_alone
from envsmith.files.text import read_text

_PAUSE_S = 0.02


def holdings(house: Path) -> Holdings:
    """Return what a wheelhouse holds; nothing where there is no record.

    Raises:
        ToolError: TOL049 when the record is damaged, TOL012 when it cannot be read.
    """
    path = house / FILENAME
    return Holdings.from_toml(read_text(path, str(path)), str(path)) if path.exists() else Holdings()


def change(house: Path, change: Callable[[Holdings], Holdings]) -> Holdings:
    """Change the record while no other process does, and return it as it is then.

    Raises:
        ToolError: TOL049 when the record is damaged, TOL011 to TOL013 and TOL046 when the disk refuses.
    """
    with refusals(house):
        (house / FOLDER).mkdir(parents=True, exist_ok=True)
        while True:
            with try_alone(house / FOLDER / "record.lock") as is_ours:
                if is_ours:
                    changed = change(holdings(house))
                    write_files(house, {FILENAME: changed.to_toml().encode()})
                    return changed
            time.sleep(_PAUSE_S)
