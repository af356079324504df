"""Command `envsmith sync`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from envsmith.errors import OK
from envsmith.install.cli import install_command
from envsmith.lock.cli import lock_command

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from envsmith.lock.request import LockOptions

_OF_LOCK = ("upgrade", "upgrade_packages", "mode", "index_base", "accepted", "jobs")


def _options_of(command: click.Command, *names: str) -> Iterator[click.Parameter]:
    return (item for item in command.params if item.name in names)


@click.command(
    name="sync",
    params=[
        *(item for item in install_command.params if item.name != "is_checked"),
        *_options_of(lock_command, *_OF_LOCK),
    ],
)
@click.pass_obj
def sync_command(settings: dict[str, Any], /, **options: Any) -> int:  # noqa: ANN401 - click checks each option
    """Lock the profiles whose locks are missing or stale, then install: `lock` if needed, and `install`.

    Without PROFILE: all profiles that are locked or default are kept current, and the lock that fits this machine and
    interpreter best is installed. With -U or -P, they are locked in any case. Without changes, nothing is resolved and
    no network is used.
    """
    from envsmith.install.cli import install_lock
    from envsmith.lock.cli import lock_options

    lock_values = {name: options.pop(name) for name in _OF_LOCK}
    shared = {name: options[name] for name in ("offline", "insecure_hosts", "folder", "dry_run", "as_json")}
    names = (options["profile"],) if options["profile"] else _profiles(options["folder"])
    chosen = lock_options({**shared, **lock_values, "profiles": names}, quiet=settings["quiet"])
    status, inputs = _lock(chosen)
    if status != OK or (inputs is None and options["dry_run"]):
        return status
    return install_lock({**options, "is_checked": True}, settings, "sync", inputs or ())


def _profiles(folder: Path) -> tuple[str, ...]:
    """Return the default profiles and those that are locked."""
    from envsmith.config.profiles import ProfileStore
    from envsmith.lock.request import locked_profiles

    defaults = ProfileStore.of_project(Path()).settings.default_profiles
    return tuple(dict.fromkeys((*defaults, *locked_profiles(folder))))


def _lock(options: LockOptions) -> tuple[int, Sequence[Path] | None]:
    """Lock the profiles that need it.

    Returns:
        The exit code, and the files that the answer depends on: None if a profile was locked, none if it depends on
        others too.
    """
    from envsmith.lock.cli import check_locks, requested, run_lock
    from envsmith.lock.request import reads_sources
    from envsmith.wiring import watched_paths

    requests, read = requested(options)
    is_upgrade = options.upgrade or options.upgrade_packages
    stale = [item for item in requests if is_upgrade or check_locks((item,), options).has_errors]
    if stale:
        return run_lock(stale, options, is_last=options.dry_run), None
    folders = [options.folder / item.profile.name for item in requests]
    return OK, () if any(map(reads_sources, requests)) else watched_paths(read, *folders)
