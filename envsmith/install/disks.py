"""What is free on disks, and what the files of a wheelhouse hold."""

from __future__ import annotations

import os
import re
import shutil
import zipfile
from pathlib import Path

from envsmith.install.space_needed import Disk


def disk_of(place: Path) -> Disk:
    """Return the file system that a place lies on, or will lie on once it is made."""
    there = next(path for path in (place, *place.parents) if path.exists())
    return Disk(place=str(place), device=there.stat().st_dev, free_bytes=shutil.disk_usage(there).free)


def weights(folder: Path) -> dict[tuple[str, str], tuple[int, int]]:
    """Return (name, version) → bytes packed and unpacked, of the wheels that lie in a folder.

    Names and versions are as file names have them; a damaged file is passed over, for it is told when it is used, and
    so is one that is named like no wheel.
    """
    found = {}
    for path in folder.glob("*.whl"):
        name, _, rest = path.name.partition("-")
        version, is_wheel, _ = rest.partition("-")
        if not is_wheel:
            continue
        try:
            with zipfile.ZipFile(path) as archive:
                unpacked = sum(item.file_size for item in archive.infolist())
        except (OSError, zipfile.BadZipFile):
            continue
        found[key_of(name, version)] = (os.path.getsize(path), unpacked)  # noqa: PTH202
    return found


def key_of(name: str, version: str) -> tuple[str, str]:
    """Return what a name and version are found by, however they are written."""
    return re.sub(r"[-_.]+", "-", name).lower(), version.replace("_", "+").lower()
