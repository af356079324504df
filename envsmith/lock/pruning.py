"""Prune: stop asking for what may go, where the project's own files prove that they do not use it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from envsmith.plan import pruning
from envsmith.plan.plan import Wanted
from envsmith.usage.scan import Installed, Sources, scan

_ENOUGH = 3
"""Uses that are told as evidence; whether there are more changes nothing."""


def prune(
    wanted: Wanted, root: Path, *, sources: Sources, installed: Installed, folders: Sequence[str] = ()
) -> Wanted:
    """Return what is wanted without what the profile lets go and no file uses.

    Where a package requires it, the resolver brings it in all the same, bound as it was asked for.

    Args:
        wanted: profile and requirements.
        root: the project's folder.
        sources: reads its files; they are read only where there is something to decide.
        installed: knows the modules of what is installed.
        folders: where the project's code lies; by default as its build backend is told.
    """
    names = pruning.candidates(wanted.profile, wanted.requirements)
    if not names:
        return wanted
    found = scan(root, names, sources=sources, installed=installed, folders=folders, enough=_ENOUGH)
    verdicts = [answer.verdict for answer in found.answers]
    unneeded = {verdict.project for verdict in verdicts if verdict.is_unneeded}
    kept, limiting = pruning.withdraw(wanted.requirements, unneeded)
    return replace(
        wanted,
        requirements=kept,
        constraints=(*wanted.constraints, *limiting),
        decisions=tuple(pruning.propose(verdict) for verdict in verdicts),
    )
