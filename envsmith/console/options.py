"""Options shared by several commands."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import click
from click.core import ParameterSource

from envsmith.host.project_folder import typed_path, user_folder
from envsmith.lockfile import LOCKFILES


class TypedPath(click.Path):
    """Type of paths, which are relative to the user's folder; default paths are in the project's folder."""

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        """Return the path for use in the project's folder; absolute if that is not the user's."""
        is_typed = ctx and param and ctx.get_parameter_source(param.name or "") is ParameterSource.COMMANDLINE
        if is_typed:
            value = typed_path(os.fspath(value))
        elif user_folder() != os.getcwd():  # noqa: PTH109 - a string
            value = Path(value).absolute()
        return super().convert(value, param, ctx)


def recorded_file(text: str) -> str:
    """Type of files that locks record: relative to the project where they are inside."""
    return typed_path(text, is_recorded=True)


def location(text: str) -> str:
    """Type of folders that may be URLs; empty if none is given."""
    return typed_path(text) if text and "://" not in text else text


def interpreter(text: str) -> str:
    """Type of interpreters: a version, a name, or a path."""
    return typed_path(text) if "/" in text or os.sep in text else text


PREFIX = click.option(
    "--prefix", type=TypedPath(path_type=Path), default=".venv", help="Environment [default: .venv]."
)
"""For commands that switch environments."""
INSPECTED_PREFIX = click.option(
    "--prefix",
    type=TypedPath(path_type=Path),
    default=".venv",
    envvar="ENVSMITH_PREFIX",
    help="Environment [default: $ENVSMITH_PREFIX, else .venv].",
)
"""For commands that inspect an environment, as a session in it does."""

STORE = click.option(
    "--store",
    type=TypedPath(path_type=Path),
    envvar="ENVSMITH_STORE",
    metavar="DIR",
    help="Folder for the environments of all projects [default: $ENVSMITH_STORE, else .envsmith].",
)
"""For commands that build, switch or remove environments; others follow the link."""
LOCK_FOLDERS = click.option(
    "-o",
    "folder",
    type=TypedPath(path_type=Path),
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
    "--trust",
    "is_trusted",
    is_flag=True,
    help="Run the profile's checks and the builds of packages without asking.",
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
