"""Which entries of the registry's PATH are folders of environments, and can be taken out as they are written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from envsmith.activate.model import Taken
from envsmith.host.search_path import Cut, SearchPath

# Others are told of, too: empty and relative ones, and those with a variable nobody knows.
_WHOLE = re.compile(r"[A-Za-z]:[/\\]|\\\\")
_TWICE = "is there twice"


def cuts(
    paths: Iterable[SearchPath],
    taken: Mapping[str, Iterable[Taken]],
    expanded: Callable[[str], str],
    may_write: Callable[[str], bool],
) -> Iterator[Cut]:
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
            yield Cut(before=path, gone=gone, may_write=may_write(path.scope))


def _is_environment(item: Taken) -> bool:
    return bool(item.variable == "PATH" and item.entry and _WHOLE.match(item.entry) and item.reason != _TWICE)
