"""Which entries of the registry's PATH are folders of environments, and can be taken out as they are written.

Clear: take folders of environments out of the PATH that Windows's registry keeps.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from envsmith.activate.model import RemovedVariable
from envsmith.doctor.windows_path import RegistryPaths
from envsmith.errors import HostError
from envsmith.host.system import PathRemoval, SearchPath

# Others are told of, too: empty and relative ones, and those with a variable nobody knows.
_WHOLE = re.compile(r"[A-Za-z]:[/\\]|\\\\")
_TWICE = "is there twice"


def cuts(
    paths: Iterable[SearchPath],
    taken: Mapping[str, Iterable[RemovedVariable]],
    expanded: Callable[[str], str],
    may_write: Callable[[str], bool],
) -> Iterator[PathRemoval]:
    """Yield what is to be taken out of each scope; nothing for one that is in order.

    Args:
        paths: PATH as the registry keeps it.
        taken: scope → entries that no session should have, and why, with their variables put in.
        expanded: puts the variables into an entry.
        may_write: says whether this user may change a scope.
    """
    for path in paths:
        wrong = {item.entry for item in taken.get(path.scope, ()) if _is_environment(item)}
        gone = tuple(dict.fromkeys(entry for entry in path.entries if entry and expanded(entry) in wrong))
        if gone:
            yield PathRemoval(before=path, removed=gone, may_write=may_write(path.scope))


def _is_environment(item: RemovedVariable) -> bool:
    return bool(item.variable == "PATH" and item.entry and _WHOLE.match(item.entry) and item.reason != _TWICE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PathRepairResult:
    """One scope that was changed."""

    cut: PathRemoval
    kept: Path
    """From which it can be put back."""


def plan(
    paths: RegistryPaths, taken: Mapping[str, Iterable[RemovedVariable]], expanded: Callable[[str], str]
) -> tuple[PathRemoval, ...]:
    """Return what would be taken out.

    Args:
        paths: what the registry has.
        taken: scope → entries that no session should have, and why, with their variables put in.
        expanded: puts the variables into an entry.
    """
    return tuple(cuts(paths.read(), taken, expanded, paths.may_write))


def clear(cuts: Iterable[PathRemoval], paths: RegistryPaths) -> tuple[PathRepairResult, ...]:
    """Take entries out, each scope kept in a file before; scopes that may not be written are left.

    Raises:
        HostError: HST029 where one was changed since it was read, HST019 where it can all the same not be written.
    """
    done: list[PathRepairResult] = []
    for cut in cuts:
        if not cut.may_write:
            continue
        if cut.before not in paths.read():
            raise HostError(
                "HST029",
                "it has been changed since it was read, and is left as it is now",
                where=f"the {cut.before.scope}'s Path in the registry",
                hint="run the command again",
            )
        kept = paths.keep(cut.before)
        paths.write(cut.before.scope, cut.after, cut.before.kind)
        done.append(PathRepairResult(cut=cut, kept=kept))
    if done:
        paths.announce()
    return tuple(done)
