"""What was current when: one file for each link beside the generations, one line for each time that it changed."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from envsmith.files.folders import refusals, utc_text

_BEGINS, _ENDS = "history-", ".jsonl"


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
    with refusals(history), suppress(FileNotFoundError, NotADirectoryError):
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
