"""Hints for commands run in a project inside another one that has the locks."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click

from envsmith.console.options import MissingLockError
from envsmith.errors import EnvsmithError
from envsmith.host.project_folder import from_user_folder
from envsmith.lockfile import LOCKFILES
from envsmith.model.shell import quote_path

# Errors about missing locks, profiles or environments.
_ABOUT_LOCKS = ("ENV050", "LCK005", "LCK030", "LCK040", "PRF013", "PRF042", "PRF045", "TOL040")


def hint_of_parent(error: EnvsmithError) -> EnvsmithError:
    """Add a hint to an error about missing locks or profiles if a parent folder has locks."""
    parent = _parent_with_locks() if error.code in _ABOUT_LOCKS else ""
    if parent:
        error.hint = "; ".join(filter(None, (_hint(parent), error.hint)))
    return error


def usage_of_parent(error: click.ClickException) -> click.ClickException:
    """Do the same for an error of the command line about a missing lock."""
    if isinstance(error, MissingLockError) and (parent := _parent_with_locks()):
        return MissingLockError(f"{error.message}; {_hint(parent)}", error.ctx)
    return error


def _hint(parent: str) -> str:
    return f"the locks are in {parent}/{LOCKFILES}: use --project {quote_path(parent)}"


def _parent_with_locks() -> str:
    """Return the nearest parent with locks, seen from the user's folder; empty if there is none, or they are here."""
    with contextlib.suppress(OSError):
        here = Path.cwd()
        if not (here / LOCKFILES).is_dir():
            for folder in here.parents:
                if any(folder.glob(f"{LOCKFILES}/*/manifest.toml")):
                    return Path(from_user_folder(str(folder))).as_posix()
    return ""
