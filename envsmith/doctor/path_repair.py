"""Removal of environment directories from PATH in Windows's registry."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from envsmith.activate.model import DUPLICATE, RemovedVariable
from envsmith.doctor.windows_path import PathRemoval, RegistryPaths, SearchPath
from envsmith.errors import HostError

# An absolute path. Empty and relative entries, and those with unknown variables, are reported but not removed.
_ABSOLUTE = re.compile(r"[A-Za-z]:[/\\]|\\\\")


def removals(
    paths: Iterable[SearchPath],
    unwanted: Mapping[str, Iterable[RemovedVariable]],
    expanded: Callable[[str], str],
    may_write: Callable[[str], bool],
) -> Iterator[PathRemoval]:
    """Yield the entries to remove from each scope.

    Args:
        paths: PATH in the registry.
        unwanted: scope → expanded entries that activation would remove.
        expanded: expands variables in an entry.
        may_write: returns whether this user may change a scope.
    """
    for path in paths:
        wrong = {item.entry for item in unwanted.get(path.scope, ()) if _is_environment(item)}
        removed = tuple(dict.fromkeys(entry for entry in path.entries if entry and expanded(entry) in wrong))
        if removed:
            yield PathRemoval(before=path, removed=removed, may_write=may_write(path.scope))


def _is_environment(item: RemovedVariable) -> bool:
    return bool(
        item.variable == "PATH" and item.entry and _ABSOLUTE.match(item.entry) and item.reason != DUPLICATE
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PathRepairResult:
    """A changed scope."""

    removal: PathRemoval
    backup: Path
    """Restores it with `reg import`."""


def plan(
    paths: RegistryPaths, unwanted: Mapping[str, Iterable[RemovedVariable]], expanded: Callable[[str], str]
) -> tuple[PathRemoval, ...]:
    """Return the entries to remove.

    Args:
        paths: PATH in the registry.
        unwanted: scope → expanded entries that activation would remove.
        expanded: expands variables in an entry.
    """
    return tuple(removals(paths.read(), unwanted, expanded, paths.may_write))


def remove_entries(removals: Iterable[PathRemoval], paths: RegistryPaths) -> tuple[PathRepairResult, ...]:
    """Remove entries from writable scopes, after a backup of each.

    Raises:
        HostError: HST029 when a scope changed since it was read, HST019 when it cannot be written.
    """
    done: list[PathRepairResult] = []
    for removal in removals:
        if not removal.may_write:
            continue
        if removal.before not in paths.read():
            raise HostError(
                "HST029",
                "it changed since it was read; no changes were made to it",
                where=f"the {removal.before.scope}'s Path in the registry",
                hint="run the command again",
            )
        backup = paths.backup(removal.before)
        paths.write(removal.before.scope, removal.after, removal.before.kind)
        done.append(PathRepairResult(removal=removal, backup=backup))
    if done:
        paths.announce()
    return tuple(done)
