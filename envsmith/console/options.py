"""Options shared by several commands."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import click

from envsmith.lockfile import LOCKFILES

PREFIX = click.option(
    "--prefix", type=click.Path(path_type=Path), default=".venv", help="Environment [default: .venv]."
)
"""For commands that switch environments."""
INSPECTED_PREFIX = click.option(
    "--prefix",
    type=click.Path(path_type=Path),
    default=".venv",
    envvar="ENVSMITH_PREFIX",
    help="Environment [default: $ENVSMITH_PREFIX, else .venv].",
)
"""For commands that inspect an environment, as a session in it does."""

STORE = click.option(
    "--store",
    type=click.Path(path_type=Path),
    envvar="ENVSMITH_STORE",
    metavar="DIR",
    help="Folder for the environments of all projects [default: $ENVSMITH_STORE, else .envsmith].",
)
"""For commands that build, switch or remove environments; others follow the link."""
LOCK_FOLDERS = click.option(
    "-o",
    "folder",
    type=click.Path(path_type=Path),
    default=LOCKFILES,
    help="Folder of the locks [default: lockfiles].",
)

INSECURE_HOSTS = click.option(
    "--allow-insecure-host",
    "insecure_hosts",
    multiple=True,
    metavar="HOST",
    help="Allow plain http to this host [also: $ENVSMITH_INSECURE_HOST]; hashes are checked all the same.",
)
TRUST = click.option(
    "--trust", "is_trusted", is_flag=True, help="Run the commands in the profile's checks without asking."
)
ACCEPT_CHANGED = click.option(
    "--accept-changed",
    "accepted",
    multiple=True,
    metavar="FILE",
    help="Use this file of PyTorch's index although its published hash has changed.",
)


class MissingLockError(click.UsageError):
    """A command without PROFILE, and no lock to choose from."""


def project_path(folder: Path) -> PurePosixPath:
    """Return a folder relative to the project, as in CI jobs and revisions."""
    here = Path.cwd()
    whole = here / folder
    if not whole.is_relative_to(here) or ".." in folder.parts:
        raise click.UsageError(f"-o: {folder} is outside the project, where its jobs could not find it")
    return PurePosixPath(whole.relative_to(here).as_posix())
