"""Fix: take what a project does not need out of the files that ask for it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from envsmith.catalog import Catalog
from envsmith.files.edits import Edit, RequirementLine, RequirementSource
from envsmith.lock.explain import Explanation, explain
from envsmith.model.usage import Leftover
from envsmith.plan import pruning
from envsmith.plan.ports import Files
from envsmith.usage.scan import PackageUsage


class Editor(Protocol):
    """Knows the files that ask for packages, and takes lines out of them."""

    def requirement_places(self, root: Path, named: Iterable[str] = ()) -> tuple[RequirementSource, ...]:
        """Return the files: those named, those they include, and the usual ones of a project."""
        ...

    def cut(self, place: RequirementSource, projects: Collection[str], unrequired: Collection[str]) -> Edit:
        """Return a file without what asks for some projects."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanFix:
    """What is to be taken out, and what remains for people to look at."""

    projects: tuple[str, ...]
    """What may go, by normalised name."""
    edits: tuple[Edit, ...]
    """Only files that change."""
    stays: tuple[RequirementLine, ...]
    by_hand: tuple[Leftover, ...]
    """Lines that speak of what may go, in files that are not edited."""
    requirers: Mapping[str, tuple[str, ...]]
    """Project → the packages that require it in some lock, each with its profile; a project no lock speaks of lacks."""

    @property
    def gone(self) -> tuple[RequirementLine, ...]:
        """All lines that go."""
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
    *,
    editor: Editor,
    files: Iterable[str] = (),
) -> ScanFix:
    """Say what would be taken out of which file; nothing is written.

    Args:
        root: the project's folder.
        answers: of what may go, those whose use is ruled out count; the others stay.
        requirers: who requires a package, as locks say; names without an entry are not known.
        editor: knows the files and takes lines out.
        files: requirements files to edit besides the usual ones, relative to the root.
    """
    unneeded = [answer for answer in answers if answer.verdict.is_unneeded]
    names = {answer.project for answer in unneeded}
    unrequired = {name for name in names if requirers.get(name) == ()}
    places = editor.requirement_places(root, files) if names else ()
    made = [editor.cut(place, names, unrequired) for place in places]
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
    """Return who requires packages, as the locks there are say; names that no lock speaks of are left out.

    Raises:
        LockError: where a lock's files are malformed.
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
