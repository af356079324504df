"""Digests of the files that decide what an environment runs, kept outside the environment.

``.envsmith/digests/ID.json`` is beside the folder of the generations, because a wheel can write any file of its own
environment. They are taken after uv has installed the packages, before any code of the environment runs: the RECORDs,
``pyvenv.cfg``, the interpreters, and the start-up files (``.pth``, ``sitecustomize``). Digests that came with the
project's Git repository are not those of an install here, and count as none.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from envsmith.environment.generation import RECORD, folder_of
from envsmith.environment.prefix import CONFIG, record_lines, startup_files
from envsmith.files.atomic import write_atomic
from envsmith.files.own_folder import site_folders
from envsmith.files.text import open_regular, read_regular

_FORMAT_VERSION = 1
_FOLDER = "digests"
_RECORD = ".dist-info/RECORD"


def place_of(prefix: Path) -> Path | None:
    """Return the file with the digests of a generation; None for any other environment."""
    path = Path(os.path.realpath(prefix))
    is_one = path.parent.name == folder_of(path.name)
    return path.parents[1] / _FOLDER / f"{path.name}.json" if is_one else None


def take(prefix: Path) -> dict[str, str]:
    """Return path relative to the prefix → digest, or target of a link."""
    programs = [path for name in ("bin", "Scripts") for path in prefix.glob(f"{name}/python*")]
    records = [path for site in site_folders(prefix) for path in site.glob(f"*{_RECORD}")]
    paths = [prefix / CONFIG, *programs, *records, *startup_files(prefix)]
    return {
        path.relative_to(prefix).as_posix(): digest for path in sorted(paths) if (digest := _digest(path))
    }


def _digest(path: Path) -> str:
    """Return the sha256 of a file, the target of a link, or the kind of anything else; empty if it is missing."""
    if path.is_symlink():
        return f"link to {os.readlink(path)}"  # noqa: PTH115 - as it is
    import hashlib  # imported here: slow, and `envsmith rollback` does not need it

    try:
        with open_regular(path) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return ""
    except OSError:
        return "not a readable file"


def keep(prefix: Path, digests: Mapping[str, str]) -> None:
    """Write the digests of a generation.

    Raises:
        OSError: when they cannot be written.
    """
    if place := place_of(prefix):
        place.parent.mkdir(exist_ok=True)
        write_atomic(place, json.dumps({"form": _FORMAT_VERSION, "digests": digests}, indent=1) + "\n")


def forget(prefix: Path) -> None:
    """Remove the digests of a generation.

    Raises:
        OSError: when they cannot be removed.
    """
    if place := place_of(prefix):
        place.unlink(missing_ok=True)


def changes(prefix: Path) -> tuple[str, ...] | None:
    """Return the changes since the digests were kept, each with its path; None without digests kept here."""
    place = place_of(prefix)
    if place and _is_tracked(place):
        return None
    try:
        values = json.loads(read_regular(place)) if place else {}
        if values["form"] != _FORMAT_VERSION or not isinstance(values["digests"], dict):
            return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return tuple(_changes(values["digests"], take(prefix), prefix))


def _is_tracked(place: Path) -> bool:
    from envsmith.files.git import GitRevisions  # imported here: `envsmith rollback` does not need it

    return place.exists() and GitRevisions(project=place.parent).tracks(place.name)


def _changes(kept: Mapping[str, str], found: Mapping[str, str], prefix: Path) -> Iterator[str]:
    """Yield changes; other findings report added and removed distributions, with their start-up files."""
    added = [path for path in found if path not in kept and path.endswith(_RECORD)]
    later = {
        f"{path.rpartition('/')[0].rpartition('/')[0]}/{row[0]}"
        for path in added
        for row in record_lines(prefix / path)
    }
    for path in sorted({*kept, *found} - later):
        if path in kept and path in found:
            if kept[path] != found[path]:
                yield f"{path} was changed after the install"
        elif not path.endswith(_RECORD):
            yield f"{path} was {'added' if path in found else 'deleted'} after the install"


def is_generation(prefix: Path) -> bool:
    """Return whether an environment is a recorded generation, which has kept digests unless an old version made it."""
    return place_of(prefix) is not None and (prefix / RECORD).is_file()
