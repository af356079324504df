"""How many bytes a folder has of its own, and how many it shares by hard links with uv's cache and other folders.

What is free on disks, and what the files of a wheelhouse hold.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from envsmith.install.space_needed import Disk


def own_and_shared(folder: Path) -> tuple[int, int]:
    """Return the bytes of files that stand nowhere else, and of those that do.

    What a file system shares by itself (reflinks) looks like one's own.
    """
    names: Counter[tuple[int, int]] = Counter()
    found: dict[tuple[int, int], os.stat_result] = {}
    for item in _files(folder):
        key = (item.st_dev, item.st_ino)
        names[key] += 1
        found[key] = item
    shared = sum(item.st_size for key, item in found.items() if item.st_nlink > names[key])
    return sum(item.st_size for item in found.values()) - shared, shared


def _files(folder: Path) -> Iterator[os.stat_result]:
    todo = [os.fspath(folder)]
    while todo:
        try:
            entries = list(os.scandir(todo.pop()))
        except OSError:  # vanished, or not to be read: nothing is known of it
            continue
        for entry in entries:
            try:
                # A DirEntry of Windows knows neither links nor inode.
                item = os.stat(entry.path, follow_symlinks=False)  # noqa: PTH116
            except OSError:
                continue
            if stat.S_ISDIR(item.st_mode):
                todo.append(entry.path)
            elif stat.S_ISREG(item.st_mode):
                yield item


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
