"""Names of what is kept for looking into, or aside: told from those of generations, whatever a profile is called.

What is gone of an environment: looked for by name and size, without starting its interpreter.

What was current when: one file for each link beside the generations, one line for each time that it changed.
"""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from envsmith.environment.model import RECORD
from envsmith.files.atomic import environment_errors
from envsmith.host.current import utc_text
from envsmith.install.links import is_there
from envsmith.model.naming import unique_name

_STAMP = r"\d{8}T\d{6}Z"
_FAILED = "-failed-"
# A profile's name has no capitals, so no generation's name ends like this.
_IS_FAILED = re.compile(rf".+{_FAILED}{_STAMP}")
_RECORD = "RECORD"
_BEGINS, _ENDS = "history-", ".jsonl"


def free_aside(folder: Path, link: str) -> str:
    """Return the name under which what stood in a link's place can be kept: nothing has it yet.

    Args:
        folder: where such things are kept.
        link: the name that it had.
    """
    return unique_name(f"{link}-{_now()}", lambda name: is_there(folder / name))


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


def history_of(root: Path, link: str) -> Path:
    """Return where the history of a link lies.

    Args:
        root: where generations are kept.
        link: its name.
    """
    return root / f"{_BEGINS}{link}{_ENDS}"


def links_with(root: Path) -> tuple[str, ...]:
    """Return the names of the links that have a history."""
    found = root.glob(f"{_BEGINS}*{_ENDS}")
    return tuple(sorted(path.name[len(_BEGINS) : -len(_ENDS)] for path in found))


def read(history: Path) -> tuple[tuple[str, str], ...]:
    """Return what was current when, oldest first: id or name, and time (UTC, RFC 3339).

    Raises:
        InstallError: ENV024 when the system refuses.
    """
    found = []
    with environment_errors(history), suppress(FileNotFoundError, NotADirectoryError):
        for line in history.read_text("utf-8", "replace").splitlines():
            with suppress(ValueError, KeyError, TypeError):  # a killed process may leave half a line
                event = json.loads(line)
                found.append((str(event["id"]), str(event["utc"])))
    return tuple(found)


def note(history: Path, id_: str) -> None:
    """Append what is current now, if that is not its last word already."""
    known = read(history)
    if id_ and (not known or known[-1][0] != id_):
        with history.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"id": id_, "utc": utc_text()}) + "\n")


def last_uses(root: Path) -> dict[str, str]:
    """Return id or name → when it last became current, by any link."""
    events = [event for link in links_with(root) for event in read(history_of(root, link))]
    return dict(sorted(events, key=lambda event: event[1]))
