"""What is gone of an environment: looked for by name and size, without starting its interpreter."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

_RECORD = "RECORD"


def lost(site: Path, folders: Iterable[str]) -> tuple[str, ...]:
    """Return the files that are gone or have another size than their RECORD says, relative to ``site-packages``.

    What was put beside them is not looked for: people may add to an environment.

    Args:
        site: the environment's ``site-packages``.
        folders: names of the ``.dist-info`` folders that were there when it was proved.

    Source of what a RECORD holds: the specification of recording installed projects, PyPA (read 2026-11-21).
    """
    return tuple(name for folder in folders for name in _lost_of(os.fspath(site), folder))


def _lost_of(site: str, folder: str) -> Iterator[str]:
    try:
        with Path(site, folder, _RECORD).open(
            encoding="utf-8", errors="surrogateescape", newline=""
        ) as stream:
            rows = [(*row, "", "")[:3] for row in csv.reader(stream) if row and row[0]]
    except (OSError, csv.Error):
        rows = []
    if not rows:
        yield f"{folder}/{_RECORD}"
    for name, _, size in rows:
        try:
            found = os.stat(f"{site}/{name}").st_size  # noqa: PTH116 - there are many
        except OSError:
            found = -1
        if found < 0 or (size.isdigit() and int(size) != found):
            yield name
