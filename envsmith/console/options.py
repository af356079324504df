"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import click

from envsmith.lockfile import LOCKFILES

PREFIX = click.option(
    "--prefix", type=click.Path(path_type=Path), default=".venv", help="The environment, by default .venv."
)
"""Of commands that change which environment is current."""
INSPECTED_PREFIX = click.option(
    "--prefix",
    type=click.Path(path_type=Path),
    default=".venv",
    envvar="ENVSMITH_PREFIX",
    help="The environment, by default ENVSMITH_PREFIX, else .venv.",
)
"""Of commands that look at one, as a session in it would."""

LOCK_FOLDERS = click.option(
    "-o", "folder", type=click.Path(path_type=Path), default=LOCKFILES, help="Folder of the lock folders."
)


def project_path(folder: Path) -> PurePosixPath:
    """Return a folder as jobs and revisions name it: relative to the project."""
    here = Path.cwd()
    whole = here / folder
    if not whole.is_relative_to(here) or ".." in folder.parts:
        raise click.UsageError(f"-o: {folder} is not inside the project: its jobs could not find it")
    return PurePosixPath(whole.relative_to(here).as_posix())
