"""Removal of unused packages from requirements files and pyproject.toml."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from envsmith.catalog import Catalog
from envsmith.files.edits import Edit, RequirementLine
from envsmith.lock.explain.explain import Explanation, explain
from envsmith.model.usage import Leftover
from envsmith.plan import pruning
from envsmith.plan.ports import Files
from envsmith.project import requirement_edits
from envsmith.usage.scan import PackageUsage


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanFix:
    """Proposed edits, and the lines left for people to check."""

    projects: tuple[str, ...]
    """Removable projects, by normalised name."""
    edits: tuple[Edit, ...]
    """Changed files only."""
    stays: tuple[RequirementLine, ...]
    by_hand: tuple[Leftover, ...]
    """Lines that mention removable projects, in files that are not edited."""
    requirers: Mapping[str, tuple[str, ...]]
    """Project → the packages that require it in some lock, each with its profile; absent if no lock contains it."""

    @property
    def gone(self) -> tuple[RequirementLine, ...]:
        """All removed lines."""
        return tuple(line for change in self.edits for line in change.removed)

    def to_json(self) -> dict[str, object]:
        """Return the fix as plain values."""
        return {
            "projects": list(self.projects),
            "edits": [
                {
                    "file": change.file,
                    "lines": [line.to_json() for line in change.removed],
                    "diff": change.diff(),
                }
                for change in self.edits
            ],
            "stays": [line.to_json() for line in self.stays],
            "by_hand": [item.to_json() for item in self.by_hand],
            "required_by": {name: list(names) for name, names in self.requirers.items()},
        }


def propose(
    root: Path,
    answers: Iterable[PackageUsage],
    requirers: Mapping[str, tuple[str, ...]],
    files: Iterable[str] = (),
) -> ScanFix:
    """Propose removals per file; write nothing.

    Args:
        root: the project's folder.
        answers: scan results; only packages whose use is ruled out are removed.
        requirers: requirers of each package in locks; absent if unknown.
        files: requirements files to edit in addition to the usual ones, relative to the root.
    """
    unneeded = [answer for answer in answers if answer.verdict.is_unneeded]
    names = {answer.project for answer in unneeded}
    unrequired = {name for name in names if requirers.get(name) == ()}
    places = requirement_edits.requirement_places(root, files) if names else ()
    made = [requirement_edits.cut(place, names, unrequired) for place in places]
    seen = {(line.file, line.line) for change in made for line in (*change.removed, *change.kept)}
    left = sorted({item for answer in unneeded for item in answer.leftovers})
    return ScanFix(
        projects=tuple(sorted(names)),
        edits=tuple(change for change in made if change.has_changes),
        stays=tuple(line for change in made for line in change.kept),
        by_hand=tuple(item for item in left if item.cell or (item.file, item.line) not in seen),
        requirers={name: requirers[name] for name in sorted(names) if name in requirers},
    )


def requirers(
    names: Iterable[str], folders: Iterable[Path], *, catalog: Catalog, files: Files
) -> dict[str, tuple[str, ...]]:
    """Return the requirers of packages in the existing locks; names in no lock are omitted.

    Raises:
        LockError: when a lock's files are malformed.
    """
    folders = tuple(folders)
    found: dict[str, tuple[str, ...]] = {}
    for name in names:
        told = [item for folder in folders for item in explain(name, folder, catalog=catalog, files=files)]
        told = [item for item in told if item.version or any(map(pruning.is_unrequired, item.decisions))]
        if told:
            found[name] = tuple(sorted({who for item in told for who in _packages(item)}))
    return found


def _packages(item: Explanation) -> Iterable[str]:
    return (f"{asker} ({item.profile})" for asker in item.askers if ":" not in asker)
