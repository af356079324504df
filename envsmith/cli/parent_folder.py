"""Whether a command was run in a folder below the project whose locks it is about."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click

from envsmith.errors import EnvsmithError
from envsmith.lockfile import LOCKFILES

_ABOUT_LOCKS = (
    "ENV050",
    "LCK005",
    "LCK030",
    "LCK040",
    "PRF013",
    "PRF042",
    "PRF045",
    "TOL040",
)


def hint_of_parent(error: EnvsmithError) -> EnvsmithError:
    """Add to an error about locks, or profiles, that there are some in a folder around."""
    place = _place_of_locks() if error.code in _ABOUT_LOCKS else ""
    if place:
        error.hint = "; ".join(filter(None, (_hint(place), error.hint)))
    return error


def usage_of_parent(error: click.ClickException) -> click.ClickException:
    """Return the same of words that ask for a lock where there is none."""
    is_about_locks = isinstance(error, click.UsageError) and "there is no lock in" in error.message
    place = _place_of_locks() if is_about_locks else ""
    if not place or not isinstance(error, click.UsageError):
        return error
    return click.UsageError(f"{error.message}; {_hint(place)}", error.ctx)


def _hint(place: str) -> str:
    return f"the locks are in {place}/{LOCKFILES}: run it in {place}"


def _place_of_locks() -> str:
    """Return the way to the nearest folder around that has locks; empty where there is none, or they are here."""
    with contextlib.suppress(OSError):
        here = Path.cwd()
        if not (here / LOCKFILES).is_dir():
            for steps, folder in enumerate(here.parents, 1):
                if any(folder.glob(f"{LOCKFILES}/*/manifest.toml")):
                    return "/".join([".."] * steps)
    return ""
