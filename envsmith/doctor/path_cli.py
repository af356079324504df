"""``envsmith doctor path --fix`` on Windows: remove environment directories from PATH in the registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from envsmith.errors import NO, OK

if TYPE_CHECKING:
    from envsmith.activate.model import RemovedVariable
    from envsmith.doctor.fix_cli import FixOptions
    from envsmith.doctor.path_repair import PathRepairResult
    from envsmith.doctor.windows_path import PathRemoval, RegistryPaths

BACKUP_FOLDER = "path"
"""Folder in the user's cache for backups of PATH."""
_REFUSED = "can only be changed by an administrator: run this again in a terminal started as administrator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """The registry's PATH and functions on its entries."""

    paths: RegistryPaths
    unwanted: Callable[[], Mapping[str, tuple[RemovedVariable, ...]]]
    """Returns scope → entries that activation would remove, read again at each call."""
    expanded: Callable[[str], str]
    """Expands variables in an entry."""


def fix_registry(options: FixOptions) -> int | None:
    """Repair this machine's PATH and return the exit code; None without a registry."""
    from envsmith.doctor.doctor_facts import DoctorFacts
    from envsmith.doctor.windows_path import registry_paths
    from envsmith.environment.interpreter import Probe
    from envsmith.files.cache_dir import cache_root
    from envsmith.host.current import variables
    from envsmith.host.system_probes import expand_variables
    from envsmith.process.runner import Processes

    paths = registry_paths(Path(cache_root(variables())) / BACKUP_FOLDER)
    if paths is None:
        return None
    processes = Processes()

    def unwanted() -> Mapping[str, tuple[RemovedVariable, ...]]:
        return DoctorFacts(options.prefix, options.folder, Probe(processes=processes)).path_entries

    try:
        return fix_path(
            options,
            Registry(
                paths=paths, unwanted=unwanted, expanded=lambda text: expand_variables(text, variables())
            ),
        )
    finally:
        processes.close()


def fix_path(options: FixOptions, registry: Registry) -> int:
    """Show the entries to remove, ask, remove them and verify; return the exit code: 0 if none remains.

    Raises:
        EnvsmithError: USE002 when confirmation is needed without a terminal.
        HostError: HST029 when the registry changed meanwhile, HST019 when it cannot be written.
        InstallError: when the backup cannot be written; PATH is then unchanged.
    """
    from envsmith.doctor.path_repair import plan, remove_entries

    removals = plan(registry.paths, registry.unwanted(), registry.expanded)
    if not options.as_json:
        _show(removals)
    done: tuple[PathRepairResult, ...] = ()
    if (
        any(removal.may_write for removal in removals)
        and not options.is_dry_run
        and (options.is_confirmed or _confirm(options, removals))
    ):
        done = remove_entries(removals, registry.paths)
    remaining = plan(registry.paths, registry.unwanted(), registry.expanded) if done else removals
    _show_result(options, removals, done, remaining)
    return NO if remaining else OK


def _confirm(options: FixOptions, removals: Sequence[PathRemoval]) -> bool:
    from envsmith.console.terminal import confirm

    if options.as_json:
        return False
    scopes = " and ".join(removal.before.scope for removal in removals if removal.may_write)
    return confirm(
        f"remove these entries from the Path of the {scopes}",
        where="envsmith doctor path --fix",
        otherwise="--fix needs confirmation",
    )


def _show(removals: Sequence[PathRemoval]) -> None:
    from envsmith.console import printer

    count = printer.counted(sum(len(removal.removed) for removal in removals), "environment folder")
    printer.say(f"{count} in the registry's Path")
    for removal in removals:
        for number, entry in enumerate(removal.removed):
            printer.labelled(removal.before.scope if number == 0 else "", entry)
    for removal in removals:
        if not removal.may_write:
            printer.labelled("manual", f"the {removal.before.scope}'s Path {_REFUSED}")


def _show_result(
    options: FixOptions,
    removals: Sequence[PathRemoval],
    done: Sequence[PathRepairResult],
    remaining: Sequence[PathRemoval],
) -> None:
    from envsmith.console import printer

    if options.as_json:
        backups = {item.removal.before.scope: str(item.backup) for item in done}
        data = {
            "cuts": [
                {**removal.to_json(), "kept": backups.get(removal.before.scope, "")} for removal in removals
            ],
            "carried_out": bool(done),
            "left": [removal.to_json() for removal in remaining],
        }
        printer.envelope("doctor", "no" if remaining else "ok", data)
        return
    for item in done:
        printer.labelled(
            "backup", f'`reg import "{item.backup}"` restores the {item.removal.before.scope}\'s Path'
        )
    if done:
        printer.labelled("fixed", "Path verified; open a new shell, since open ones keep the old value")
    elif removals:
        printer.say("no changes were made", err=True)
