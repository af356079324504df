"""``envsmith scan --fix``: show the edits, ask, write."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from envsmith.console.printer import counted
from envsmith.errors import NO, OK
from envsmith.lockfile import LOCKFILES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from envsmith.scan.fix import ScanFix
    from envsmith.usage.scan import PackageUsage


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanFixOptions:
    """Options of ``--fix``."""

    root: Path
    files: tuple[str, ...] = ()
    """Requirements files to edit in addition to the usual ones."""
    is_agreed: bool = False
    """Whether to write without asking."""


def prunable(root: Path) -> tuple[str, ...]:
    """Return the packages listed under ``prune`` in the project's own profiles.

    Raises:
        ProfileError: when a profile is malformed.
    """
    from envsmith.config.profiles import ProfileStore

    profiles = ProfileStore.of_project(root)
    own = [name for name, place in profiles.names() if not place.startswith("shipped")]
    found = (profiles.resolve(name).later.get("prune", ()) for name in own)
    return tuple(
        name for names in found if isinstance(names, tuple) for name in names if isinstance(name, str)
    )


def proposal(answers: Iterable[PackageUsage], way: ScanFixOptions) -> ScanFix:
    """Compute the proposed edits."""
    from envsmith.catalog import Catalog
    from envsmith.files import atomic
    from envsmith.scan.fix import propose, requirers

    answers = tuple(answers)
    folders = _locked(way.root)
    unneeded = [answer.project for answer in answers if answer.verdict.is_unneeded]
    known = requirers(unneeded, folders, catalog=Catalog.embedded(), files=atomic) if folders else {}
    return propose(way.root, answers, known, way.files)


def _locked(root: Path) -> list[Path]:
    from envsmith.files.text import folders_with
    from envsmith.lockfile.manifest import FILENAME

    return [root / LOCKFILES / name for name in folders_with(root / LOCKFILES, FILENAME)]


def as_json(fix: ScanFix, way: ScanFixOptions) -> tuple[dict[str, object], int]:
    """Return the fix and the written files as plain values, and the exit code: 1 if it waits for ``--yes``."""
    from envsmith.files.edits import write_edits

    written = write_edits(way.root, fix.edits) if way.is_agreed else ()
    return {**fix.to_json(), "written": list(written)}, OK if written or not fix.edits else NO


def show_and_ask(fix: ScanFix, way: ScanFixOptions) -> int:
    """Show the edits, ask unless already agreed, and write.

    Raises:
        EnvsmithError: USE002 when nobody can be asked.
        ToolError: when a file has changed since, or cannot be written.
    """
    from envsmith.console import printer
    from envsmith.files.edits import write_edits

    for change in fix.edits:
        for line in change.diff().splitlines():
            printer.say(line)
    before = ""
    for label, text in _notes(fix):
        printer.labelled(label if label != before else "", text)
        before = label
    if not fix.edits:
        printer.say("nothing to remove")
        return OK
    if not way.is_agreed and not _confirm(fix):
        printer.say("nothing written", err=True)
        return NO
    write_edits(way.root, fix.edits)
    for change in fix.edits:
        printer.labelled("wrote", f"{change.file}: removed {counted(len(change.removed), 'line')}")
    if locked := _locked(way.root):
        printer.say(f"hint: envsmith lock {' '.join(folder.name for folder in locked)}", err=True)
    return OK


def _notes(fix: ScanFix) -> Iterator[tuple[str, str]]:
    """Yield the notes printed below the diff, each with its label."""
    yield from (("stays", f"{line.place}  {line.text}: {line.reason}") for line in fix.stays)
    yield from (("by hand", f"{item.place}  {item.kind}: {item.text}") for item in fix.by_hand)
    gone = {line.project for line in fix.gone}
    for name in sorted(gone & set(fix.requirers)):
        if names := fix.requirers[name]:
            text = f"{name} is required by {', '.join(names)}: it is still installed, without your version bounds"
            yield "note", text
    if unknown := sorted(gone - set(fix.requirers)):
        them = "them" if len(unknown) > 1 else "it"
        text = (
            f"a package that requires {' or '.join(unknown)} still installs {them}; `envsmith lock` lists it"
        )
        yield "note", text


def _confirm(fix: ScanFix) -> bool:
    from envsmith.console.terminal import confirm

    files = ", ".join(change.file for change in fix.edits)
    return confirm(
        f"remove {counted(len(fix.gone), 'line')} from {files}",
        where="envsmith scan --fix",
        otherwise="nothing written: --fix asks first",
    )
