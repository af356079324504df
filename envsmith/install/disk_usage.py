"""How many bytes a folder has of its own, and how many it shares by hard links with uv's cache and other folders."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path


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
