"""Names and histories in `.envsmith`, and missing files of generations.

Replaced environments, and what earlier versions named as failed, have names that no generation can have.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from envsmith.environment.generation import is_id
from envsmith.environment.prefix import is_code, is_compiled, record_lines
from envsmith.files.atomic import write_atomic
from envsmith.files.os_errors import environment_errors
from envsmith.files.own_folder import extended, read_own
from envsmith.host.current import utc_text
from envsmith.install.links import exists
from envsmith.model.naming import unique_name

REMOVED = ".removing-"
"""Prefix of generations that an earlier version was removing."""
_TIME = r"\d{8}T\d{6}Z"
_FAILED = "-failed-"
# Profile names have no capitals, so no name of a generation matches.
_FAILED_NAME = re.compile(rf".+{_FAILED}{_TIME}")
_RECORD = "RECORD"
_HISTORY_PREFIX, _HISTORY_SUFFIX = "history-", ".jsonl"


def free_aside(folder: Path, link: str) -> str:
    """Return a free name for an environment that is moved out of the way of a link.

    Args:
        folder: ``.envsmith/aside``.
        link: its present name.
    """
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return unique_name(f"{link}-{now}", lambda name: exists(folder / name))


def is_aside(name: str, link: str) -> bool:
    """Return whether a name is that of an environment moved out of the way of a link."""
    return re.fullmatch(rf"{re.escape(link)}-{_TIME}(-\d+)?", name) is not None


def asides_in(folder: Path, link: str) -> tuple[Path, ...]:
    """Return the environments moved out of the way of a link, oldest first."""
    found = folder.iterdir() if folder.is_dir() else ()
    return tuple(sorted(path for path in found if is_aside(path.name, link)))


def is_failed(name: str) -> bool:
    """Return whether an earlier version gave a generation that failed its verification this name."""
    return _FAILED_NAME.fullmatch(name) is not None


def id_in(name: str) -> str:
    """Return the id in the name of a generation, also of a failed one or one being removed; else empty."""
    name = name.removeprefix(REMOVED).partition("~")[0]
    if is_failed(name):
        name = name.rpartition(_FAILED)[0]
    return name if is_id(name) else ""


def lost_files(site: Path, folders: Iterable[str]) -> tuple[str, ...]:
    """Return the files that are missing or differ in size from their RECORD, relative to ``site-packages``.

    Additional files are not reported.

    Args:
        site: the environment's ``site-packages``.
        folders: names of the ``.dist-info`` folders at the time of verification.

    Source for the content of RECORD: PyPA specification "Recording installed projects" (read 2026-11-21).
    """
    return tuple(name for folder in folders for name in _lost_files_of(os.fspath(site), folder))


def recorded_folders(site: Path, folders: Iterable[str]) -> tuple[str, ...]:
    """Return the folders of all recorded code, relative to ``site-packages``, without those of bytecode."""
    names = (name for folder in folders for name, *_ in _rows(site, folder) if is_code(name))
    found = {name.rpartition("/")[0] for name in names}
    return tuple(sorted(name for name in found if not name.endswith("__pycache__")))


def _rows(site: Path, folder: str) -> list[tuple[str, ...]]:
    return [(*row, "", "")[:3] for row in record_lines(site / folder / _RECORD)]


def _lost_files_of(site: str, folder: str) -> Iterator[str]:
    rows = _rows(Path(site), folder)
    if not rows:
        yield f"{folder}/{_RECORD}"
    for name, _, size in rows:
        try:
            actual = os.stat(extended(f"{site}/{name}")).st_size  # noqa: PTH116 - faster, for many files
        except (OSError, ValueError):
            actual = -1
        if (actual < 0 and not is_compiled(name)) or (size.isdecimal() and int(size) != actual >= 0):
            yield name


def history_of(root: Path, link: str) -> Path:
    """Return the history file of a link, with one line for each change of its target.

    Args:
        root: ``.envsmith``.
        link: its name.
    """
    return root / f"{_HISTORY_PREFIX}{link}{_HISTORY_SUFFIX}"


def links_with(root: Path) -> tuple[str, ...]:
    """Return the names of the links with a history."""
    found = root.glob(f"{_HISTORY_PREFIX}*{_HISTORY_SUFFIX}")
    return tuple(sorted(path.name[len(_HISTORY_PREFIX) : -len(_HISTORY_SUFFIX)] for path in found))


def read_history(history: Path) -> tuple[tuple[str, str], ...]:
    """Return the targets of a link, oldest first: id or name, and time (UTC, RFC 3339).

    Raises:
        InstallError: ENV024 when the file cannot be read.
    """
    found = []
    with environment_errors(history, "read"):
        for line in read_own(history).splitlines():
            with suppress(
                ValueError, KeyError, TypeError, RecursionError
            ):  # the last line of a killed process may be incomplete
                event = json.loads(line)
                found.append((str(event["id"]), str(event["utc"])))
    return tuple(found)


def append_history(history: Path, id_: str) -> None:
    """Append the current target, unless it is the last entry."""
    known = read_history(history)
    if id_ and (not known or known[-1][0] != id_):
        events = [*known, (id_, utc_text())]
        write_atomic(history, "".join(json.dumps({"id": one, "utc": utc}) + "\n" for one, utc in events))


def last_uses(root: Path) -> dict[str, str]:
    """Return id or name → time it last became current, of any link."""
    events = [event for link in links_with(root) for event in read_history(history_of(root, link))]
    return dict(sorted(events, key=lambda event: event[1]))
