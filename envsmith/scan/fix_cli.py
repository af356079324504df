"""``envsmith scan --fix``: show what would go, ask, write."""

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
    """How to fix, apart from what."""

    root: Path
    files: tuple[str, ...] = ()
    """Requirements files to edit besides the usual ones."""
    is_agreed: bool = False
    """Whether to write without asking."""


def prunable(root: Path) -> tuple[str, ...]:
    """Return the packages that the project's own profiles name under ``prune``.

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
    """Work out what would go."""
    from envsmith.catalog import Catalog
    from envsmith.files import atomic
    from envsmith.scan import requirement_edits
    from envsmith.scan.fix import propose, requirers

    answers = tuple(answers)
    folders = _locked(way.root)
    unneeded = [answer.project for answer in answers if answer.verdict.is_unneeded]
    known = requirers(unneeded, folders, catalog=Catalog.embedded(), files=atomic) if folders else {}
    return propose(way.root, answers, known, editor=requirement_edits, files=way.files)


def _locked(root: Path) -> list[Path]:
    return sorted(path.parent for path in (root / LOCKFILES).glob("*/manifest.toml"))


def as_json(fix: ScanFix, way: ScanFixOptions) -> tuple[dict[str, object], int]:
    """Return the fix as plain values with what was written, and the exit code: 1 where it waits for ``--yes``."""
    from envsmith.files.edits import write_edits

    written = write_edits(way.root, fix.edits) if way.is_agreed else ()
    return {**fix.to_json(), "written": list(written)}, OK if written or not fix.edits else NO


def show_and_ask(fix: ScanFix, way: ScanFixOptions) -> int:
    """Show what would go, ask where that is not agreed to yet, and write.

    Raises:
        EnvsmithError: USE002 where nobody can be asked.
        ToolError: where a file has changed since, or cannot be written.
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
        printer.say("nothing to take out")
        return OK
    if not way.is_agreed and not _is_agreed(fix):
        printer.say("nothing is written", err=True)
        return NO
    write_edits(way.root, fix.edits)
    for change in fix.edits:
        printer.labelled("wrote", f"{change.file}: {counted(len(change.removed), 'line')} out")
    if locked := _locked(way.root):
        printer.say(f"hint: envsmith lock {' '.join(folder.name for folder in locked)}", err=True)
    return OK


def _notes(fix: ScanFix) -> Iterator[tuple[str, str]]:
    """Yield what people need to know besides the diff, each with its label."""
    yield from (("stays", f"{line.place}  {line.text}: {line.reason}") for line in fix.stays)
    yield from (("by hand", f"{item.place}  {item.kind}: {item.text}") for item in fix.by_hand)
    gone = {line.project for line in fix.gone}
    for name in sorted(gone & set(fix.requirers)):
        if names := fix.requirers[name]:
            text = f"{name} is required by {', '.join(names)}: it still comes in with that, bound by no line of yours"
            yield "note", text
    if unknown := sorted(gone - set(fix.requirers)):
        them = "them" if len(unknown) > 1 else "it"
        text = f"a package that requires {' or '.join(unknown)} still brings {them} in; `envsmith lock` says which"
        yield "note", text


def _is_agreed(fix: ScanFix) -> bool:
    from envsmith.console.terminal import confirm

    files = ", ".join(change.file for change in fix.edits)
    return confirm(
        f"take {counted(len(fix.gone), 'line')} out of {files}",
        where="envsmith scan --fix",
        otherwise="nothing is written: --fix asks first",
    )
